package summary_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/summary/summarytest"
)

func TestStagesOfAStoppedRun(t *testing.T) {
	totals := metrics.NewTotals()
	due := metrics.Series{Desc: metrics.Arrivals, Tags: metrics.Tags{Scenario: "tasks", Stage: "steady"}}
	ok := metrics.Series{Desc: metrics.ArrivalsSucceeded, Tags: due.Tags}
	totals.AddCounter(&due, 100)
	totals.AddCounter(&ok, 90)
	info := rundirtest.Info()
	info.Stages = append(info.Stages, rundir.StageInfo{Name: "burst", Start: 10, Burst: 500, Planned: 500})
	s := summary.Summarise(rundir.NewRun(info, totals, 3*time.Second), summary.Inputs{Interrupted: true})
	steady := s.Stages[1]
	if steady.Duration != 1 || *steady.Offered != 100 || *steady.Achieved != 90 {
		t.Errorf("a stage stopped after 1 s of 4: %+v", steady)
	}
	for _, st := range s.Stages[2:] {
		if st.Duration != 0 || st.Offered != nil || st.Achieved != nil || st.ErrorRate != nil {
			t.Errorf("a stage that was not reached, or a burst: %+v", st)
		}
	}
}

func TestPercentilesThatTheCountCannotCarryAreNull(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 1200).Draw(t, "n")
		censored := rapid.IntRange(0, 3).Draw(t, "censored")
		h := &metrics.Hist{Censored: int64(censored)}
		for i := range n {
			h.Record(int64(i) * 1e6)
		}
		totals := metrics.NewTotals()
		totals.AddTrend(&metrics.Series{Desc: rundirtest.Publish, Tags: metrics.Tags{Scenario: "tasks"}}, h)
		s := summary.Summarise(rundir.NewRun(rundirtest.Info(), totals, time.Second), summary.Inputs{})
		d := s.Metrics["rabbitmq_publish_latency"].Trend
		for _, q := range []struct {
			name string
			v    *float64
			need int
		}{{"med", d.Med, 2}, {"p90", d.P90, 10}, {"p95", d.P95, 20}, {"p99", d.P99, 100}, {"p999", d.P999, 1000}} {
			if want := n > 0 && n+censored >= q.need; (q.v != nil) != want {
				t.Fatalf("%s of %d values and %d censored: %v", q.name, n, censored, q.v)
			}
		}
		if bound := slices.Contains(d.AtLeast, "max"); bound != (censored > 0) {
			t.Fatalf("at least: %v with %d censored", d.AtLeast, censored)
		}
	})
}

func TestSummaryKeepsItsKeys(t *testing.T) {
	s := summarytest.Finished(t, t.TempDir(), summarytest.Inputs())
	text, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	at := func(path ...string) map[string]any {
		m := doc
		for _, k := range path {
			switch v := m[k].(type) {
			case map[string]any:
				m = v
			case []any:
				m = v[0].(map[string]any)
			default:
				t.Fatalf("%s is missing", strings.Join(path, "."))
			}
		}
		return m
	}
	for _, c := range []struct{ path, keys string }{
		{"", "schema run verdict exit_code arrivals stages metrics sla checks failures generator analysis notes"},
		{"run", "id profile scenarios started duration_s seed arrivals_process incomplete"},
		{"arrivals", "planned started succeeded failed dropped unfinished"},
		{"stages", "name class judged duration_s offered_rps achieved_rps error_rate response_time_ms"},
		{"stages response_time_ms", "count min avg med p90 p95 p99 p999 max"},
		{"metrics rabbitmq_publish_latency", "type unit count min avg med p90 p95 p99 p999 max"},
		{"metrics response_time{scenario:tasks}", "type unit count min avg med p90 p95 p99 p999 max at_least"},
		{"metrics db_query_duration{scenario:tasks,operation:insert}", "type unit count p99"},
		{"metrics data_sent", "type unit count rate"},
		{"metrics cache_hit_ratio", "type unit rate hits total"},
		{"metrics rabbitmq_queue_length", "type unit avg min med max last"},
		{"sla", "rule metric stage target actual status severity action"},
		{"checks", "name passed detail"},
		{"failures", "scenario kind count example"},
		{"generator", "status reasons schedule_lag_ms cpu_percent max_rss_bytes gc_pause_max_ms"},
		{"generator schedule_lag_ms", "p50 p99 p999 max"},
	} {
		m := at(strings.Fields(c.path)...)
		for _, k := range strings.Fields(c.keys) {
			if _, ok := m[k]; !ok {
				t.Errorf("%q has no %q", c.path, k)
			}
		}
	}
	if doc["schema"] != 1.0 {
		t.Errorf("schema is %v", doc["schema"])
	}
}
