package sla

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

func TestNothingIsKnownOfWhatIsLostButThatItWasSlower(t *testing.T) {
	tot := totals(recorded{"steady", 940, 60, 20 * time.Millisecond}, recorded{"peak", 0, 500, 0})
	got := statuses(t, tot,
		rule(t, "response_time{stage:peak}: avg<1s", nil),
		rule(t, "response_time{stage:peak}: min<1s", nil),
		rule(t, "response_time{stage:peak}: p(99)<1s", nil),
		rule(t, "response_time{stage:peak}: count<1", nil),
		rule(t, "response_time{stage:steady}: avg<1s", nil),
		rule(t, "response_time{stage:steady}: max==20ms", nil),
		rule(t, "response_time{stage:steady}: max>=20ms", nil),
		rule(t, "response_time{stage:steady}: max>30ms", nil),
		rule(t, "failure_time: max<1s", nil),
		rule(t, "response_time{outcome:timeout}: max<1s", nil),
	)
	want := []string{
		"peak fail none of 500 succeeded", "peak fail none of 500 succeeded", "peak fail none of 500 succeeded", "peak pass 0",
		"steady fail ≥ 20ms", "steady fail ≥ 20ms", "steady pass ≥ 20ms", "steady fail ≥ 20ms",
		"not_exercised not measured", "not_exercised not measured",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestErrorsOfOneOutcomeAreAShareOfAllThatCameDue(t *testing.T) {
	tot := totals(recorded{"steady", 990, 0, time.Millisecond}, recorded{"peak", 20000, 0, time.Millisecond})
	for outcome, n := range map[string]int64{"timeout": 8, "refused": 2} {
		tags := metrics.Tags{Scenario: "cache", Stage: "steady", Outcome: outcome}
		tot.AddCounter(&metrics.Series{Desc: metrics.ArrivalsFailed, Tags: tags}, n)
	}
	tot.AddCounter(&metrics.Series{Desc: metrics.Arrivals, Tags: metrics.Tags{Scenario: "cache", Stage: "steady"}}, 10)
	got := statuses(t, tot,
		rule(t, "error_rate{stage:steady,outcome:timeout}: rate<0.5%", nil),
		rule(t, "error_rate{stage:steady}: rate<=0.01", nil),
		rule(t, "arrivals_failed{outcome:refused}: count==2", nil),
	)
	if d := cmp.Diff([]string{"steady fail 0.8%", "steady pass 1%", "pass 2"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestABurstHasNoRate(t *testing.T) {
	plan := Plan{Stages: []Stage{{Name: "burst", Class: "normal", Judged: true, Planned: 1000}}, Metrics: metrics.Standard(), Scenarios: []string{"cache"}}
	j, err := NewJudge(plan, []Rule{
		rule(t, "throughput: value>0/s", nil), rule(t, "throughput: value>=0/s", nil), rule(t, "arrivals: rate>1000", nil), rule(t, "arrivals: count>=1000", nil),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []Status
	for _, r := range j.Evaluate(totals(recorded{"burst", 1000, 0, time.Millisecond})) {
		got = append(got, r.Status)
	}
	want := []Status{Passed, NotExercised, Passed, NotExercised, Passed}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestThroughputKeepsItsStageAndItsScenario(t *testing.T) {
	tot := totals(recorded{"steady", 1000, 0, time.Millisecond}, recorded{"peak", 20000, 0, time.Millisecond})
	for _, s := range []string{"steady", "peak"} {
		tags := metrics.Tags{Scenario: "tasks", Stage: s}
		tot.AddCounter(&metrics.Series{Desc: metrics.Arrivals, Tags: tags}, 5000)
		tot.AddCounter(&metrics.Series{Desc: metrics.ArrivalsSucceeded, Tags: tags}, 4000)
	}
	got := statuses(t, tot,
		rule(t, "throughput{scenario:cache}: value >= 2000/s", nil),
		rule(t, "throughput{scenario:cache}: value > 2000/s", nil),
		rule(t, "throughput{stage:steady}: value > 50/s", nil),
		rule(t, "throughput{stage:steady}: value < 400/s", nil),
	)
	want := []string{"pass 2,000/s", "not_exercised offered at most 2,000/s", "steady pass 500/s", "steady fail 500/s"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWhatOnlyGrowsEndsARunAtOnce(t *testing.T) {
	live := totals(recorded{"steady", 9, 1, 20 * time.Millisecond})
	readings(live, prefetch, "cache", "steady", 10, 200)
	for threshold, ends := range map[string]bool{
		"arrivals_dropped: count==0":    true,
		"arrivals_dropped: count<2":     false,
		"arrivals_dropped: count>5":     false,
		"arrivals_failed: count<1":      false,
		"response_time: max<5s":         true, // the dropped one is slower than anything
		"response_time: max>5s":         false,
		"response_time: count<=8":       true,
		"response_time: p(50)<1ms":      false, // 10 values
		"error_rate: rate<1%":           false,
		"achieved_ratio: rate<=1%":      false,
		"rabbitmq_prefetch: max<=100":   true,
		"rabbitmq_prefetch: value<=100": false,
		"rabbitmq_prefetch: min>=100":   true,
	} {
		j, err := NewJudge(testPlan(), nil, []Rule{rule(t, threshold, nil)})
		if err != nil {
			t.Fatal(err)
		}
		if got := j.Breached(live, time.Hour); (got != nil) != ends || ends && got.Rule != threshold {
			t.Errorf("%s: got %v", threshold, got)
		}
	}
	warn := rule(t, "arrivals_dropped: count==0", func(r *Rule) { r.Severity = Warn })
	j, err := NewJudge(testPlan(), []Rule{warn}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := j.Breached(live, time.Hour); got != nil {
		t.Errorf("a warning ended the run: %v", got)
	}
}

func TestAFigureIsToldApartFromTheTargetItMisses(t *testing.T) {
	for _, c := range []struct {
		v, target float64
		unit      metrics.Unit
		want      string
	}{
		{0.9999, 1, metrics.UnitRatio, "99.99%"},
		{1, 1, metrics.UnitRatio, "100%"},
		{0.00100004, 0.001, metrics.UnitRatio, "0.100004%"},
		{500.04e6, 500e6, metrics.UnitTime, "500.04ms"},
		{5.0001e9, 5e9, metrics.UnitTime, "5.0001s"},
		{90.0004e9, 90e9, metrics.UnitTime, "1m30.0004s"},
		{500.3e6, 500e6, metrics.UnitBytes, "500.3 MB"},
		{431e6, 500e6, metrics.UnitBytes, "431 MB"},
	} {
		if got := figure.Beside(c.v, c.target, c.unit); got != c.want {
			t.Errorf("%g beside %g is %q, want %q", c.v, c.target, got, c.want)
		}
	}
}
