package html_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// recordMany is a run of half an hour with forty series that all have a chart: ten judged
// times and thirty readings.
func recordMany(t *testing.T) recorded {
	t.Helper()
	const seconds = 1800
	info := rundir.RunInfo{ID: "long", Profile: "soak", Shards: 1, Started: time.Unix(1_750_000_000, 0),
		Stages: []rundir.StageInfo{{Name: "soak", Judged: true, Duration: seconds, From: 200, To: 200, Planned: 200 * seconds}}}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := rundir.Create(dir, info, nil)
	if err != nil {
		t.Fatal(err)
	}
	var trends, gauges []*metrics.Series
	var in summary.Inputs
	target := 50.0
	for i := range 10 {
		d := metrics.Desc{Name: fmt.Sprintf("db_query_duration_%d", i), Kind: metrics.KindTrend, Unit: metrics.UnitTime, Help: "from when a statement was sent until its result was read"}
		if i == 0 {
			d = metrics.ResponseTime
		}
		x := &metrics.Series{Desc: d, Tags: metrics.Tags{Scenario: "crud"}}
		if i == 1 {
			x.Operation = "insert_into_the_table_of_tasks"
		}
		of := x.Key()
		x.Stage = "soak"
		trends = append(trends, x)
		in.SLA = append(in.SLA, sla.Result{Rule: d.Name, Metric: of, Target: "P95 < 50ms", Threshold: d.Name + ": p(95) < 50ms", TargetValue: &target, Actual: "9ms", Status: sla.Passed, Severity: sla.Fail})
	}
	for i := range 30 {
		gauges = append(gauges, &metrics.Series{Desc: metrics.Desc{Name: fmt.Sprintf("reading_%d", i), Kind: metrics.KindGauge, Unit: metrics.UnitCount, Help: "a reading"}})
	}
	totals := metrics.NewTotals()
	for i := range seconds {
		end := time.Duration(i+1) * time.Second
		s := &metrics.Snapshot{Number: i, Start: end - time.Second, End: end, At: info.Started.Add(end), Last: i == seconds-1}
		for k, x := range trends {
			h := new(metrics.Hist)
			for j := range 50 / (k + 1) {
				h.Record(int64(1e5 * (1 + math.Abs(math.Sin(float64(i*7+j*13+k)))*float64(1+(i*j)%97))))
			}
			s.Trends = append(s.Trends, metrics.TrendValue{Series: x, Hist: h})
		}
		for k, x := range gauges {
			s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: x, Value: math.Round(1e6*(2+math.Sin(float64(i*(k+1))))) / 1e3})
		}
		totals.Add(s)
		w.Snapshot(s)
	}
	if err := summary.Finish(w, summary.Summarise(rundir.NewRun(info, totals, seconds*time.Second), in)); err != nil {
		t.Fatal(err)
	}
	r, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return recorded{run: r, summary: summary.Read(r)}
}

// The page of half an hour with forty series is small enough to be sent about.
func TestAPageOfManySeriesIsSmall(t *testing.T) {
	text := page(t, recordMany(t))
	if n := len(chartData(t, text).Panels); n < 40 {
		t.Errorf("the page has %d charts", n)
	}
	if len(text) > 2<<20 {
		t.Errorf("the page has %d bytes", len(text))
	}
}
