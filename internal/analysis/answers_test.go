package analysis

import (
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// verdicts judges rules by the answers of a system's run.
func verdicts(t *testing.T, y system, thresholds ...string) map[string]sla.Result {
	t.Helper()
	var rules []sla.Rule
	for _, text := range thresholds {
		r, err := sla.ParseThreshold(text)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	plan := sla.Plan{Metrics: metrics.Standard()}
	for _, s := range y.stages {
		plan.Stages = append(plan.Stages, sla.Stage{Name: s.Name, Class: s.Class, Judged: s.Judged, Planned: s.Planned})
	}
	j, err := sla.NewJudge(plan, nil, rules)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]sla.Result{}
	for _, r := range j.Answer(y.analyse(t).Answers()) {
		out[r.Rule] = r
	}
	return out
}

func TestAnswersAreJudged(t *testing.T) {
	leaking := soak(1, 900)
	leaking.noise = 0.01
	leaking.gauges[memoryOf] = func(t float64) float64 { return 200e6 + 1e5*t }
	spike := system{stages: spikeStages(), slow: slowUntil(137)}
	never := system{stages: spikeStages(), slow: slowUntil(1000)}
	for _, c := range []struct {
		name, rule string
		y          system
		want       sla.Status
	}{
		{"in time", "recovery_time: < 30s", spike, sla.Passed},
		{"too late", "recovery_time: < 5s", spike, sla.Failed},
		{"never", "recovery_time: < 10m", never, sla.Failed},
		{"without a spike", "recovery_time: < 30s", soak(1, 90), sla.Undecided},
		{"without a before", "recovery_time: < 30s", system{stages: spikeStages()[1:]}, sla.NoData},
		{"a leak", "drift(memory): none", leaking, sla.Failed},
		{"a leak elsewhere", "drift(queue): none", leaking, sla.Passed},
		{"no leak", "drift(memory): none", soak(2, 900), sla.Passed},
		{"one series", "drift(response_time): none", soak(2, 900), sla.Passed},
		{"what nobody recorded", "drift(hit_ratio): none", soak(2, 900), sla.NoData},
		{"too short", "drift(memory): none", soak(2, 90), sla.NoData},
		{"a spike", "drift(memory): none", spike, sla.Undecided},
	} {
		if got := verdicts(t, c.y, c.rule)[c.rule]; got.Status != c.want {
			t.Errorf("%s: %s is %s (%s), want %s", c.name, c.rule, got.Status, got.Actual, c.want)
		}
	}
}
