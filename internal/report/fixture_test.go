package report_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/report"
)

var (
	publish = metrics.Desc{Name: "rabbitmq_publish_latency", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Help: "due until confirmed"}
	query   = metrics.Desc{Name: "db_query_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Help: "a query"}
	depth   = metrics.Desc{Name: "rabbitmq_queue_length", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Help: "messages ready"}
	hits    = metrics.Desc{Name: "cache_hit_ratio", Kind: metrics.KindRate, Unit: metrics.UnitRatio, Help: "hits of reads"}
	sent    = metrics.Desc{Name: "data_sent", Kind: metrics.KindCounter, Unit: metrics.UnitBytes, Help: "bytes sent"}
)

// started is when every run of the tests started.
var started = time.Date(2026, 11, 24, 9, 30, 0, 123456789, time.UTC)

func testInfo() report.RunInfo {
	return report.RunInfo{
		ID: "r-4711", Version: "1.2.3", Drivers: map[string]string{"github.com/jackc/pgx/v5": "v5.12.0"},
		Machine: report.Machine{OS: "linux", Arch: "amd64", CPUs: 2, GOMAXPROCS: 2},
		Profile: "load", Process: "uniform", Seed: 42, Shards: 1, MaxInFlight: 1000, GracefulStop: 30,
		Scenarios: []report.ScenarioShare{{Name: "tasks", Weight: 4}, {Name: "cache", Weight: 1}},
		Stages: []report.StageInfo{
			{Name: "warm-up", Class: "normal", Duration: 2, From: 10, To: 100, Planned: 110},
			{Name: "steady", Class: "normal", Judged: true, Start: 2, Duration: 4, From: 100, To: 100, Planned: 400},
			{Name: "peak", Class: "high", Judged: true, Start: 6, Duration: 4, From: 1000, To: 1000, Planned: 4000},
		},
		Planned: 4510, Started: started,
	}
}

// recorder makes the snapshots of a run of ten seconds and some milliseconds.
type recorder struct {
	rng    *rand.Rand
	series map[string]*metrics.Series
}

func newRecorder(seed uint64) *recorder {
	return &recorder{rng: rand.New(rand.NewPCG(seed, 1)), series: map[string]*metrics.Series{}}
}

func (r *recorder) of(d metrics.Desc, t metrics.Tags) *metrics.Series {
	s := metrics.Series{Desc: d, Tags: t}
	if known := r.series[s.Key()]; known != nil {
		return known
	}
	r.series[s.Key()] = &s
	return &s
}

func (r *recorder) hist(n int, around float64, censored int64) *metrics.Hist {
	h := &metrics.Hist{Censored: censored}
	for range n {
		h.Record(int64(around * (0.5 + r.rng.ExpFloat64())))
	}
	return h
}

// seconds calls f with each snapshot of the run.
func (r *recorder) seconds(f func(*metrics.Snapshot)) {
	stages := testInfo().Stages
	for i := range 11 {
		s := &metrics.Snapshot{Number: i, Start: time.Duration(i)*time.Second + 31*time.Microsecond, End: time.Duration(i+1)*time.Second + 31*time.Microsecond}
		if i == 0 {
			s.Start = 0
		}
		if i == 10 {
			s.End, s.Last = s.Start+137*time.Millisecond, true
		}
		s.At = started.Add(s.End)
		for s.Stage < 2 && s.Start.Seconds() >= stages[s.Stage+1].Start {
			s.Stage++
		}
		if i < 10 {
			r.fill(s, stages[s.Stage])
		}
		f(s)
	}
}

func (r *recorder) fill(s *metrics.Snapshot, stage report.StageInfo) {
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
			metrics.TrendValue{Series: r.of(metrics.ResponseTime, t), Hist: r.hist(ok, 40e6, int64(dropped))},
			metrics.TrendValue{Series: r.of(metrics.ServiceTime, t), Hist: r.hist(ok, 30e6, 0)})
		count := func(d metrics.Desc, n int, outcome string) {
			if n > 0 {
				t := t
				t.Outcome = outcome
				s.Counters = append(s.Counters, metrics.CounterValue{Series: r.of(d, t), Delta: int64(n)})
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
		metrics.TrendValue{Series: r.of(metrics.DispatchLag, metrics.Tags{Stage: stage.Name}), Hist: r.hist(rate, 1e5, 0)},
		metrics.TrendValue{Series: r.of(publish, tasks), Hist: r.hist(rate, 3e6, 0)})
	for _, op := range []string{"insert", "select"} {
		t := metrics.Tags{Scenario: "tasks", Operation: op, Stage: stage.Name}
		s.Trends = append(s.Trends, metrics.TrendValue{Series: r.of(query, t), Hist: r.hist(rate/2, 2e6, 0)})
	}
	s.Counters = append(s.Counters, metrics.CounterValue{Series: r.of(sent, metrics.Tags{Stage: stage.Name}), Delta: int64(rate) * 512})
	s.Rates = append(s.Rates, metrics.RateValue{
		Series: r.of(hits, metrics.Tags{Scenario: "cache", Stage: stage.Name}), Hits: int64(rate / 6), Total: int64(rate / 5)})
	s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: r.of(depth, tasks), Value: float64(rate/10) + 0.5})
}

// record writes a run directory as a run does, without its summary, and
// returns what the run counted.
func record(t testing.TB, dir string, seed uint64) *metrics.Totals {
	t.Helper()
	return recordAs(t, dir, testInfo(), seed)
}

func recordAs(t testing.TB, dir string, info report.RunInfo, seed uint64) *metrics.Totals {
	t.Helper()
	totals := metrics.NewTotals()
	w, err := report.Create(dir, info, []metrics.Desc{
		metrics.ResponseTime, metrics.ServiceTime, metrics.Arrivals, metrics.ArrivalsStarted, metrics.ArrivalsSucceeded,
		metrics.DispatchLag, publish, query, depth, hits,
	})
	if err != nil {
		t.Fatal(err)
	}
	newRecorder(seed).seconds(func(s *metrics.Snapshot) {
		totals.Add(s)
		w.Snapshot(s)
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	return totals
}

// flat is totals in a form that can be compared.
type flat struct {
	Series          metrics.Series
	N, Over, Censor int64
	Sum             float64
	Min, Max        int64
	Buckets         map[int]int64
	Count, Hits     int64
	Values          []float64
}

func flatten(tot *metrics.Totals) map[string]flat {
	out := map[string]flat{}
	for _, e := range tot.All() {
		f := flat{Series: e.Series, Count: e.Count, Hits: e.Hits, Values: e.Values}
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

func sameTotals(t interface {
	Helper()
	Fatalf(string, ...any)
}, want, got *metrics.Totals) {
	t.Helper()
	if d := cmp.Diff(flatten(want), flatten(got)); d != "" {
		t.Fatalf("totals differ (-want +got):\n%s", d)
	}
}
