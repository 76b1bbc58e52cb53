package sla

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/metrics"
)

// readings adds a gauge's readings of a stage.
func readings(t *metrics.Totals, d metrics.Desc, scenario, stage string, values ...float64) {
	s := &metrics.Series{Desc: d, Tags: metrics.Tags{Scenario: scenario, Stage: stage}}
	for _, v := range values {
		t.AddGauge(s, v)
	}
}

func TestEachSeriesOfAGaugeIsJudgedByItself(t *testing.T) {
	tot := totals(recorded{"steady", 1000, 0, time.Millisecond}, recorded{"peak", 20000, 0, time.Millisecond})
	readings(tot, prefetch, "tasks", "steady", 10, 20, 30, 40)
	readings(tot, prefetch, "flow", "steady", 90, 70, 80, 100)
	readings(tot, prefetch, "flow", "peak", 60)
	got := statuses(t, tot,
		rule(t, "rabbitmq_prefetch: avg<50", nil),
		rule(t, "rabbitmq_prefetch: avg>=50", nil),
		rule(t, "rabbitmq_prefetch: max==40", nil),
		rule(t, "rabbitmq_prefetch: med<=80", nil),
		rule(t, "rabbitmq_prefetch: p(95)<=80", nil),
		rule(t, "rabbitmq_prefetch{scenario:cache}: min>=1", nil),
	)
	want := []string{"fail 80", "fail 25", "fail 100", "undecided 5 of 6 samples", "fail 100", "no_data no data"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestTheValueOfAGaugeIsItsLastReadingInTheRun(t *testing.T) {
	plan := testPlan()
	plan.Stages = append(plan.Stages, Stage{Name: "end", Class: "normal", Duration: 10 * time.Second, Planned: 10})
	tot := totals(recorded{"steady", 1000, 0, time.Millisecond})
	readings(tot, prefetch, "cache", "steady", 10, 20)
	readings(tot, prefetch, "cache", "end", 30)
	j, err := NewJudge(plan, nil, []Rule{
		rule(t, "rabbitmq_prefetch: value==30", nil), rule(t, "rabbitmq_prefetch: max==20", nil),
		rule(t, "rabbitmq_prefetch{stage:steady}: value==20", nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range j.Evaluate(tot)[3:] {
		if r.Status != Passed {
			t.Errorf("%s: %s %s", r.Rule, r.Status, r.Actual)
		}
	}
}

func TestAGaugeWithoutReadings(t *testing.T) {
	tot := totals(recorded{"steady", 1000, 0, time.Millisecond}, recorded{"peak", 20000, 0, time.Millisecond})
	table := rule(t, "rabbitmq_prefetch: max<=100", nil)
	table.Name = "general"
	scenario := rule(t, "rabbitmq_prefetch: max<=100", func(r *Rule) { r.Name, r.Scenario = "of a scenario", "cache" })
	j, err := NewJudge(testPlan(), []Rule{table, scenario}, []Rule{rule(t, "rabbitmq_prefetch: max<=100", func(r *Rule) { r.Name = "own" })})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Status{}
	for _, r := range j.Evaluate(tot) {
		if r.Metric == prefetch.Name {
			got[r.Rule] = r.Status
		}
	}
	want := map[string]Status{"general": NotExercised, "of a scenario": NoData, "own": NoData}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
