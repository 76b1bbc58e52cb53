package trials

import (
	"reflect"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// observed is a trial of 100/s for ten seconds, in which crud was slower than
// cache, the backlog grew by growth arrivals and the broker's queue by queued.
func observed(t *testing.T, growth, queued int) (*backlogWatch, *run.Measurement, *summary.Summary) {
	t.Helper()
	a := capacity.Ask{Number: 1, Rate: 100, Length: 10 * time.Second}
	o := newBacklogWatch(a, false, 50, []run.Share{
		{Name: "crud", Metrics: []string{"db_query_duration"}}, {Name: "cache", Metrics: []string{"redis_command_duration"}},
		{Name: "tasks", Metrics: []string{"rabbitmq_publish_latency", "rabbitmq_queue_length"}},
	})
	for i := range 480 {
		at := time.Duration(i) * observeEvery
		o.sample(at, engine.Progress{InFlight: 5 + growth*i/480})
	}
	totals := metrics.NewTotals()
	add := func(d metrics.Desc, scenario string, n int64) {
		totals.AddCounter(&metrics.Series{Desc: d, Tags: metrics.Tags{Scenario: scenario, Stage: trialStage}}, n)
	}
	for scenario, ms := range map[string]int64{"crud": 300, "cache": 2, "tasks": 3} {
		add(metrics.Arrivals, scenario, 333)
		add(metrics.ArrivalsSucceeded, scenario, 333)
		h := new(metrics.Hist)
		for range 333 {
			h.Record(ms * 1e6)
		}
		totals.AddTrend(&metrics.Series{Desc: metrics.ResponseTime, Tags: metrics.Tags{Scenario: scenario, Stage: trialStage}}, h)
	}
	for i := range 10 {
		totals.AddGauge(&metrics.Series{Desc: metrics.Desc{Name: "rabbitmq_queue_length", Kind: metrics.KindGauge, Role: metrics.RoleBacklog},
			Tags: metrics.Tags{Scenario: "tasks", Stage: trialStage}}, float64(queued*i/10))
	}
	return o, &run.Measurement{Totals: totals}, &summary.Summary{Generator: summary.GeneratorHealth{Status: "valid"}}
}

func TestATrialThatKeepsUpHolds(t *testing.T) {
	o, m, s := observed(t, 0, 0)
	var got capacity.Trial
	o.judge(&got, s, m)
	if got.Outcome != capacity.Held || len(got.Breaches) > 0 {
		t.Errorf("%+v", got)
	}
	if l := got.Load; l.Concurrency != 5 || l.Achieved != 99.9 || l.P95 == nil || *l.P95 < 299 || *l.P95 > 301 {
		t.Errorf("load %+v", l)
	}
}

func TestATrialBreaksByWhat(t *testing.T) {
	for name, c := range map[string]struct {
		growth, queued int
		change         func(*run.Measurement, *summary.Summary)
		rule, scenario string
		outcome        capacity.Outcome
	}{
		"arrivals pile up": {growth: 60, rule: capacity.KeepingUp, scenario: "crud", outcome: capacity.Broke},
		"the queue grows":  {queued: 60, rule: capacity.KeepingUp, scenario: "tasks", outcome: capacity.Broke},
		"a rule": {change: func(_ *run.Measurement, s *summary.Summary) {
			s.SLA = []sla.Result{
				{Rule: "Task enqueue P95", Metric: "rabbitmq_publish_latency", Status: sla.Failed, Severity: sla.Fail},
				{Rule: "P95", Metric: "response_time", Status: sla.Failed, Severity: sla.Fail},
			}
		}, rule: "Task enqueue P95", scenario: "tasks", outcome: capacity.Broke},
		"the rule that ended it": {growth: 60, change: func(m *run.Measurement, s *summary.Summary) {
			m.Aborted, m.Outcome.Length = &sla.Breach{Rule: "P95", Metric: "response_time"}, 4*time.Second
			s.SLA = []sla.Result{
				{Rule: "P50", Metric: "response_time", Status: sla.Failed, Severity: sla.Fail},
				{Rule: "P95", Metric: "response_time", Status: sla.Failed, Severity: sla.Fail},
			}
		}, rule: "P95", scenario: "crud", outcome: capacity.Broke},
		"only a resource": {change: func(_ *run.Measurement, s *summary.Summary) {
			s.SLA = []sla.Result{{Rule: "Pool", Metric: "db_pool_utilisation", Status: sla.Warned, Severity: sla.Warn}}
		}, outcome: capacity.Held},
		"consistency": {change: func(_ *run.Measurement, s *summary.Summary) {
			s.Checks = []summary.Check{{Name: "tasks: accounted", Detail: "3 lost"}}
		}, rule: "Consistency", outcome: capacity.Broke},
		"a machine used up by the generator": {growth: 60, change: func(m *run.Measurement, _ *summary.Summary) {
			m.Usage = health.Usage{MachineBusy: 0.99, MachineShare: 0.5}
		}, outcome: capacity.Invalid},
		"a machine used up by the target": {growth: 60, change: func(m *run.Measurement, _ *summary.Summary) {
			m.Usage = health.Usage{MachineBusy: 0.99, MachineShare: 0.1}
		}, rule: capacity.KeepingUp, scenario: "crud", outcome: capacity.Broke},
		"the generator": {growth: 60, change: func(_ *run.Measurement, s *summary.Summary) {
			s.Generator = summary.GeneratorHealth{Status: "invalid", Reasons: []string{"late"}}
		}, outcome: capacity.Invalid},
	} {
		o, m, s := observed(t, c.growth, c.queued)
		if c.change != nil {
			c.change(m, s)
		}
		var got capacity.Trial
		o.judge(&got, s, m)
		rule, scenario := "", ""
		if len(got.Breaches) > 0 {
			rule, scenario = got.Breaches[0].Rule, got.Breaches[0].Scenario
		}
		if got.Outcome != c.outcome || rule != c.rule || scenario != c.scenario {
			t.Errorf("%s: %s by %q in %q, want %s by %q in %q", name, got.Outcome, rule, scenario, c.outcome, c.rule, c.scenario)
		}
	}
}

func TestABrokenTrialNamesWhatWasExhausted(t *testing.T) {
	o, m, s := observed(t, 60, 0)
	o.sample(5*time.Second, engine.Progress{InFlight: 50, Queued: 7})
	s.SLA = []sla.Result{{Rule: "Pool", Metric: "db_pool_utilisation", Status: sla.Warned, Severity: sla.Warn}}
	var got capacity.Trial
	o.judge(&got, s, m)
	var warned []string
	for _, b := range got.Breaches {
		if b.Warning {
			warned = append(warned, b.Rule)
		}
	}
	if len(warned) != 2 || warned[0] != "Pool" {
		t.Errorf("exhausted: %v", warned)
	}
}

// A trial that goes on elsewhere is a profile file, of which the plan's is made again.
func TestTheLoadOfATrialIsAProfileFile(t *testing.T) {
	for _, o := range []Options{{}, {Config: capacity.Config{Users: true}, Pause: 1500 * time.Millisecond}} {
		want := profile(capacity.Ask{Rate: 1234, Length: 7300 * time.Millisecond, Number: 3}, &o)
		got, err := profiles.Decode("capacity.yaml", []byte(load(want)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.Stages {
			got.Stages[i].Pos = want.Stages[i].Pos // one has a file
		}
		if !reflect.DeepEqual(got.Stages, want.Stages) || got.Name != want.Name {
			t.Errorf("%+v\nwant %+v", got.Stages, want.Stages)
		}
	}
}

// The backlog of a trial elsewhere is what was due and is not done, second by second.
func TestTheBacklogOfATrialElsewhere(t *testing.T) {
	o := newBacklogWatch(capacity.Ask{Rate: 100, Length: 10 * time.Second}, false, 50, nil)
	count := func(d metrics.Desc, n int64) metrics.CounterValue {
		return metrics.CounterValue{Series: &metrics.Series{Desc: d}, Delta: n}
	}
	for i := range 13 {
		o.second(&metrics.Snapshot{End: time.Duration(i+1) * time.Second, Counters: []metrics.CounterValue{
			count(metrics.Arrivals, 100), count(metrics.ArrivalsStarted, 90), count(metrics.ArrivalsSucceeded, 70), count(metrics.ArrivalsFailed, 5), count(metrics.ArrivalsDropped, 2),
		}})
	}
	if n := len(o.samples); n != 11 || o.samples[0].At != 2 || o.samples[0].Backlog != 2*(15+8) || o.flying[n-1].Backlog != 12*15 || o.waited != 12*8 {
		t.Errorf("%d samples, %+v, flying %+v, %d waited", n, o.samples, o.flying, o.waited)
	}
}
