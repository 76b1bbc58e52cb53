// Package rundirtest makes run directories for the tests of those who read them.
package rundirtest

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// The metrics that the runs of the tests record besides the standard ones.
var (
	Publish = metrics.Desc{Name: "rabbitmq_publish_latency", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Help: "due until confirmed"}
	Query   = metrics.Desc{Name: "db_query_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Help: "a query"}
	depth   = metrics.Desc{Name: "rabbitmq_queue_length", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Help: "messages ready"}
	hits    = metrics.Desc{Name: "cache_hit_ratio", Kind: metrics.KindRate, Unit: metrics.UnitRatio, Help: "hits of reads"}
	Sent    = metrics.Desc{Name: "data_sent", Kind: metrics.KindCounter, Unit: metrics.UnitBytes, Help: "bytes sent"}
)

// Started is when every run of the tests started.
var Started = time.Date(2026, 11, 24, 9, 30, 0, 123456789, time.UTC)

// Info is the run.json of every run of the tests.
func Info() rundir.RunInfo {
	return rundir.RunInfo{
		ID: "r-4711", Version: "1.2.3", Drivers: map[string]string{"github.com/jackc/pgx/v5": "v5.12.0"},
		Machine: rundir.Machine{OS: "linux", Arch: "amd64", CPUs: 2, GOMAXPROCS: 2},
		Profile: "load", Process: "uniform", Seed: 42, Shards: 1, MaxInFlight: 1000, GracefulStop: 30,
		Scenarios: []rundir.ScenarioShare{{Name: "tasks", Weight: 4}, {Name: "cache", Weight: 1}},
		Stages: []rundir.StageInfo{
			{Name: "warm-up", Class: "normal", Duration: 2, From: 10, To: 100, Planned: 110},
			{Name: "steady", Class: "normal", Judged: true, Start: 2, Duration: 4, From: 100, To: 100, Planned: 400},
			{Name: "peak", Class: "high", Judged: true, Start: 6, Duration: 4, From: 1000, To: 1000, Planned: 4000},
		},
		Planned: 4510, Started: Started,
	}
}

// Recorder makes the snapshots of a run of ten seconds and some milliseconds.
type Recorder struct {
	rng    *rand.Rand
	series map[string]*metrics.Series
}

// NewRecorder returns a recorder of random times.
func NewRecorder(seed uint64) *Recorder {
	return &Recorder{rng: rand.New(rand.NewPCG(seed, 1)), series: map[string]*metrics.Series{}}
}

// Of returns the one series of that metric and those tags.
func (r *Recorder) Of(d metrics.Desc, t metrics.Tags) *metrics.Series {
	s := metrics.Series{Desc: d, Tags: t}
	if known := r.series[s.Key()]; known != nil {
		return known
	}
	r.series[s.Key()] = &s
	return &s
}

// Hist returns a histogram of n random times around one in nanoseconds.
func (r *Recorder) Hist(n int, around float64, censored int64) *metrics.Hist {
	h := &metrics.Hist{Censored: censored}
	for range n {
		h.Record(int64(around * (0.5 + r.rng.ExpFloat64())))
	}
	return h
}

// Seconds calls f with each snapshot of the run.
func (r *Recorder) Seconds(f func(*metrics.Snapshot)) {
	stages := Info().Stages
	for i := range 11 {
		s := &metrics.Snapshot{Number: i, Start: time.Duration(i)*time.Second + 31*time.Microsecond, End: time.Duration(i+1)*time.Second + 31*time.Microsecond}
		if i == 0 {
			s.Start = 0
		}
		if i == 10 {
			s.End, s.Last = s.Start+137*time.Millisecond, true
		}
		s.At = Started.Add(s.End)
		for s.Stage < 2 && s.Start.Seconds() >= stages[s.Stage+1].Start {
			s.Stage++
		}
		if i < 10 {
			r.fill(s, stages[s.Stage])
		}
		f(s)
	}
}

func (r *Recorder) fill(s *metrics.Snapshot, stage rundir.StageInfo) {
	rate := int((stage.From + stage.To) / 2)
	for _, sc := range []struct {
		name  string
		share int
	}{{"tasks", rate * 4 / 5}, {"cache", rate - rate*4/5}} {
		t := metrics.Tags{Scenario: sc.name, Stage: stage.Name}
		dropped, failed := 0, 0
		if stage.Name == "peak" {
			dropped, failed = sc.share/50, sc.share/100
		}
		ok := sc.share - dropped - failed
		s.Trends = append(s.Trends,
			metrics.TrendValue{Series: r.Of(metrics.ResponseTime, t), Hist: r.Hist(ok, 40e6, int64(dropped))},
			metrics.TrendValue{Series: r.Of(metrics.ServiceTime, t), Hist: r.Hist(ok, 30e6, 0)})
		count := func(d metrics.Desc, n int, outcome string) {
			if n > 0 {
				t := t
				t.Outcome = outcome
				s.Counters = append(s.Counters, metrics.CounterValue{Series: r.Of(d, t), Delta: int64(n)})
			}
		}
		count(metrics.Arrivals, sc.share, "")
		count(metrics.ArrivalsStarted, sc.share-dropped, "")
		count(metrics.ArrivalsSucceeded, ok, "")
		count(metrics.ArrivalsFailed, failed, "timeout")
		count(metrics.ArrivalsDropped, dropped, "queue_full")
	}
	tasks := metrics.Tags{Scenario: "tasks", Stage: stage.Name}
	s.Trends = append(s.Trends,
		metrics.TrendValue{Series: r.Of(metrics.DispatchLag, metrics.Tags{Stage: stage.Name}), Hist: r.Hist(rate, 1e5, 0)},
		metrics.TrendValue{Series: r.Of(Publish, tasks), Hist: r.Hist(rate, 3e6, 0)})
	for _, op := range []string{"insert", "select"} {
		t := metrics.Tags{Scenario: "tasks", Operation: op, Stage: stage.Name}
		s.Trends = append(s.Trends, metrics.TrendValue{Series: r.Of(Query, t), Hist: r.Hist(rate/2, 2e6, 0)})
	}
	s.Counters = append(s.Counters, metrics.CounterValue{Series: r.Of(Sent, metrics.Tags{Stage: stage.Name}), Delta: int64(rate) * 512})
	s.Rates = append(s.Rates, metrics.RateValue{
		Series: r.Of(hits, metrics.Tags{Scenario: "cache", Stage: stage.Name}), Hits: int64(rate / 6), Total: int64(rate / 5)})
	s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: r.Of(depth, tasks), Value: float64(rate/10) + 0.5},
		metrics.GaugeValue{Series: r.Of(metrics.Queued, metrics.Tags{}), Value: float64(rate % 7)})
}

// Record writes a run directory as a run does, without its summary, and
// returns what the run counted.
func Record(tb testing.TB, dir string, seed uint64) *metrics.Totals {
	tb.Helper()
	return RecordAs(tb, dir, Info(), seed)
}

// RecordAs is Record for another run.json.
func RecordAs(tb testing.TB, dir string, info rundir.RunInfo, seed uint64) *metrics.Totals {
	tb.Helper()
	totals := metrics.NewTotals()
	w, err := rundir.Create(dir, info, []metrics.Desc{
		metrics.ResponseTime, metrics.ServiceTime, metrics.Arrivals, metrics.ArrivalsStarted, metrics.ArrivalsSucceeded,
		metrics.DispatchLag, Publish, Query, depth, hits,
	})
	if err != nil {
		tb.Fatal(err)
	}
	NewRecorder(seed).Seconds(func(s *metrics.Snapshot) {
		totals.Add(s)
		w.Snapshot(s)
	})
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := w.Err(); err != nil {
		tb.Fatal(err)
	}
	return totals
}

// Flat is totals in a form that can be compared.
type Flat struct {
	Series          metrics.Series
	N, Over, Censor int64
	Sum             float64
	Min, Max        int64
	Buckets         map[int]int64
	Count, Hits     int64
	Values          []float64
}

// Flatten returns totals in that form, by key.
func Flatten(tot *metrics.Totals) map[string]Flat {
	out := map[string]Flat{}
	for _, e := range tot.All() {
		f := Flat{Series: e.Series, Count: e.Count, Hits: e.Hits, Values: e.Values}
		if h := e.Hist; h != nil {
			f.N, f.Over, f.Censor, f.Sum = h.N, h.Over, h.Censored, h.Sum
			if h.N > 0 {
				f.Min, f.Max = h.Min, h.Max
			}
			f.Buckets = map[int]int64{}
			h.Buckets(func(i int, n int64) { f.Buckets[i] = n })
		}
		out[e.Series.Key()] = f
	}
	return out
}

// SameTotals fails the test where the totals differ.
func SameTotals(t interface {
	Helper()
	Fatalf(string, ...any)
}, want, got *metrics.Totals) {
	t.Helper()
	if d := cmp.Diff(Flatten(want), Flatten(got)); d != "" {
		t.Fatalf("totals differ (-want +got):\n%s", d)
	}
}

// Write writes a file.
func Write(t interface{ Fatal(...any) }, path string, text []byte) {
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
