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
		{"capacity: > 1000", []Answer{{Metric: Capacity, Value: 1200, Exercised: true}}, Passed, "1,200/s"},
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

func TestRulesAboutFaults(t *testing.T) {
	plan := Plan{Faults: []string{"db-down", "slow"}, Stages: []Stage{{Name: "steady", Judged: true}}}
	answers := []Answer{
		{Metric: RecoveryTime, Fault: "db-down", Value: 4e9, Exercised: true},
		{Metric: RecoveryTime, Fault: "slow", Because: "the load after the fault was watched for 3 s", Exercised: true},
		{Metric: RecoveryTime, Stage: "spike", Value: 50e9, Exercised: true},
		{Metric: ErrorRate, Fault: "db-down", Value: 0.07, Exercised: true},
		{Metric: Lost, Fault: "db-down", Value: 0, Exercised: true},
		{Metric: Lost, Value: 2, Exercised: true},
	}
	for text, want := range map[string]Status{
		"recovery_time{fault:db-down}: < 10s":         Passed,
		"recovery_time{fault:db-down}: value <= 4":    Failed, // 4 ms
		"recovery_time{fault:slow}: < 10s":            NoData,
		"recovery_time: < 60s":                        Passed, // the spike's alone
		"recovery_time: < 40s":                        Failed,
		"error_rate{fault:db-down}: < 10%":            Passed,
		"error_rate{fault:db-down}: rate < 5%":        Failed,
		"lost{fault:db-down}: 0":                      Passed,
		"lost{fault:db-down}: == 0":                   Passed,
		"lost: 0":                                     Failed,
		"lost: <= 2":                                  Passed,
		"duplicated{fault:db-down}: 0":                Undecided, // nobody keeps an account
		"error_rate{fault:slow}: < 10%":               Undecided,
		"recovery_time{ fault : db-down } : < 5000ms": Passed,
	} {
		r, err := ParseThreshold(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		j, err := NewJudge(plan, nil, []Rule{r})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := j.Answer(answers); len(got) != 1 || got[0].Status != want {
			t.Errorf("%s: got %+v, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"recovery_time{fault:db-dwn}: < 10s":            `did you mean "db-down"?`,
		"response_time{fault:slow}: p(95)<1s":           "response_time is not known of one fault alone",
		"throughput{fault:slow}: value > 3":             "throughput is not known of one fault alone",
		"recovery_time{fault:slow,stage:steady}: < 10s": "no other tag",
		"lost{fault:slow}: 3ms":                         "lost is in count",
		"error_rate{fault:slow}: < 10% over 5s":         "has no window",
	} {
		r, err := ParseThreshold(text)
		if err == nil {
			_, err = NewJudge(plan, nil, []Rule{r})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
