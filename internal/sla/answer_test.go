package sla

import (
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

func answerPlan() Plan {
	return Plan{
		Stages: []Stage{{Name: "normal", Class: "normal", Judged: true, Duration: time.Minute, Planned: 6000},
			{Name: "spike", Class: "spike", Judged: true, Duration: time.Minute, Planned: 30000}},
		Metrics: []metrics.Desc{metrics.ResponseTime},
	}
}

// answered judges one threshold by the answers.
func answered(t *testing.T, threshold string, answers ...Answer) Result {
	t.Helper()
	r, err := ParseThreshold(threshold)
	if err != nil {
		t.Fatal(err)
	}
	j, err := NewJudge(answerPlan(), nil, []Rule{r})
	if err != nil {
		t.Fatal(err)
	}
	out := j.Answer(answers)
	if len(out) != 1 {
		t.Fatalf("%s: %d results", threshold, len(out))
	}
	return out[0]
}

func TestRulesAboutAnswers(t *testing.T) {
	recovered := func(s float64) Answer {
		return Answer{Metric: RecoveryTime, Stage: "spike", Value: s * 1e9, Exercised: true}
	}
	never := Answer{Metric: RecoveryTime, Stage: "spike", Value: 300e9, AtLeast: true, Exercised: true, Text: "not in 5m"}
	unknown := Answer{Metric: RecoveryTime, Stage: "spike", Because: "no before", Exercised: true}
	leak := Answer{Metric: DriftOf("memory"), Value: 1, Exercised: true}
	for _, c := range []struct {
		threshold string
		answers   []Answer
		want      Status
		actual    string
	}{
		{"recovery_time: < 60s", []Answer{recovered(12)}, Passed, "12.00s"},
		{"recovery_time: < 60s", []Answer{recovered(12), recovered(70)}, Failed, "1m10s"},
		{"recovery_time: value < 60s", []Answer{recovered(12)}, Passed, "12.00s"},
		{"recovery_time{stage:spike}: < 5000", []Answer{recovered(12)}, Failed, "12.00s"},
		{"recovery_time: < 600s", []Answer{never}, Failed, "not in 5m"},
		{"recovery_time: < 60s", []Answer{recovered(1), unknown}, NoData, "no before"},
		{"recovery_time: < 60s", nil, Undecided, "the profile has no spike"},
		{"drift(memory): none", []Answer{leak}, Failed, "1"},
		{"drift(memory): none", []Answer{{Metric: DriftOf("memory"), Exercised: true}}, Passed, "0"},
		{"drift(latency): none", []Answer{leak}, Undecided, "no load is steady for long enough"},
		{"drift( response_time ):none", nil, Undecided, "no load is steady for long enough"},
		{"capacity: > 1000", []Answer{{Metric: Capacity, Value: 1200, Exercised: true}}, Passed, "1200/s"},
		{"capacity: > 1000/s", []Answer{{Metric: Capacity, Value: 900, Exercised: true}}, Failed, "900/s"},
		{"capacity: > 1000", nil, Undecided, "perfctl capacity finds it"},
	} {
		got := answered(t, c.threshold, c.answers...)
		if got.Status != c.want || got.Actual != c.actual {
			t.Errorf("%s: %s %q, want %s %q", c.threshold, got.Status, got.Actual, c.want, c.actual)
		}
		if wantBreach := c.want != Passed; got.Breaches() != wantBreach {
			t.Errorf("%s: breaches %v", c.threshold, got.Breaches())
		}
	}
}

func TestWrongRulesAboutAnswersSaySo(t *testing.T) {
	for text, want := range map[string]string{
		"drift: none":             `want "(" after drift`,
		"drift(memory":            `want ")"`,
		"drift(memory): some":     `want "none"`,
		"drift(memory): none now": "too much",
		"recovery_time: p(95)<5s": "recovery_time has no p(95)",
		"recovery_time 5s":        `want ":"`,
	} {
		if _, err := ParseThreshold(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"drift(memroy): none":              `did you mean "memory"`,
		"recovery_time: < 5MB":             "recovery_time is in ms, not in MB",
		"recovery_time{stage:spkie}: < 5s": `did you mean "spike"`,
		"capacity{stage:spike}: > 5":       "no such tag",
	} {
		r, err := ParseThreshold(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, err := NewJudge(answerPlan(), nil, []Rule{r}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestEvaluateLeavesAnswersToAnswer(t *testing.T) {
	r, err := ParseThreshold("recovery_time: < 60s")
	if err != nil {
		t.Fatal(err)
	}
	j, err := NewJudge(answerPlan(), []Rule{r}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range j.Evaluate(metrics.NewTotals()) {
		if res.Metric == RecoveryTime {
			t.Errorf("judged without an answer: %+v", res)
		}
	}
	if text := j.Breached(metrics.NewTotals(), time.Hour); text != nil {
		t.Errorf("breached while the run goes on: %s", text)
	}
}
