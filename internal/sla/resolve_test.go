package sla

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/metrics"
)

func decode(t *testing.T, text string) []Rule {
	t.Helper()
	rules, err := DecodeTable("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestATableIsForEveryRunAndItsTyposAreFound(t *testing.T) {
	for text, want := range map[string]string{
		// Of another profile or scenario: left out.
		`{name: a, threshold: "response_time{stage:nowhere}: max<5"}`:             "",
		`{name: a, threshold: "agent_task_latency: max<5", scenario: tasks}`:      "",
		`{name: a, threshold: "agent_task_latency{scenario:tasks}: max<5"}`:       "",
		`{name: a, threshold: "process_memory_bytes: max<5MB"}`:                   "",
		`{name: a, threshold: "agent_task_latency: max<5", scenario: taks}`:       `t.yaml:1:9: rule "a": no scenario is named "taks"; did you mean "tasks"?`,
		`{name: a, threshold: "cache_hit_rato: rate>5%", scenario: cache}`:        `the scenario cache has no metric "cache_hit_rato"; did you mean "cache_hit_ratio"?`,
		`{name: a, threshold: "response_time: rate>5"}`:                           `t.yaml:1:9: rule "a": response_time is a trend and has no rate; it has avg min med max p(N) count`,
		`{name: a, threshold: "throughput{operation:get}: value>5"}`:              "not by operation",
		`{name: a, threshold: "cache_hit_ratio{stage:warm-up}: rate>5%"}`:         "",
		`{name: a, threshold: "response_time: max<5", class: spike}`:              "",
		`{name: a, threshold: "cache_hit_ratio: value>5%", scenario: cache}`:      "",
		`{name: a, threshold: "cache_hit_ratio: rate>5%", class: spike}`:          "",
		`{name: a, threshold: "rabbitmq_prefetch: value<=100%", scenario: cache}`: "is in count, not in %",
	} {
		_, err := NewJudge(testPlan(), decode(t, "rules: ["+text+"]"), nil)
		if want == "" && err == nil {
			continue
		}
		if want == "" || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestAllFaultsOfATableAgainstARunAreToldAtOnce(t *testing.T) {
	rules := decode(t, `rules:
  - {name: a, threshold: "response_time: rate<5"}
  - {name: b, threshold: "response_time: max<5MB"}
`)
	_, err := NewJudge(testPlan(), rules, []Rule{rule(t, "respons_time: max<5", nil)})
	for _, want := range []string{"t.yaml:2:5: ", "t.yaml:3:5: ", `threshold "respons_time: max<5": no metric`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestTwoRulesOfOneNameAreRefused(t *testing.T) {
	_, err := DecodeTable("t.yaml", []byte(`rules:
  - {name: a, threshold: "response_time: max<5"}
  - {name: a, threshold: "response_time: max<6"}
`))
	if err == nil || !strings.Contains(err.Error(), `t.yaml:3:5: the name "a" is that of the rule in line 2`) {
		t.Errorf("got %v", err)
	}
}

func TestTagsOfThresholdsAreCheckedAgainstTheSeries(t *testing.T) {
	plan := testPlan()
	query := metrics.Desc{Name: "db_query_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime}
	plan.Metrics = append(plan.Metrics, query)
	plan.Series = []metrics.Series{
		{Desc: query, Tags: metrics.Tags{Scenario: "cache", Operation: "insert"}},
		{Desc: query, Tags: metrics.Tags{Scenario: "cache", Operation: "select"}},
	}
	for text, want := range map[string]string{
		"db_query_duration{operation:insert}: max<5": "",
		"db_query_duration{operation:inser}: max<5":  `no operation "inser" of db_query_duration in this run; did you mean "insert"?`,
		"db_query_duration{outcome:ok}: max<5":       "db_query_duration has no tag outcome",
		"response_time{operation:any}: max<5":        "", // nothing is known of its series
	} {
		_, err := NewJudge(plan, nil, []Rule{rule(t, text, nil)})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// TestTheBuiltInTablesFitARun judges by the built-in tables in a run of another
// scenario: the general rules hold, and the ones for processes that nobody
// watches are told as not exercised.
func TestTheBuiltInTablesFitARun(t *testing.T) {
	data, err := os.ReadFile("../../configs/sla.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := DecodeTable("configs/sla.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	plan := testPlan()
	plan.Known = []string{"tasks", "voting", "crud", "cache", "api"}
	j, err := NewJudge(plan, rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range j.Evaluate(totals(recorded{"steady", 1000, 0, 1e6}, recorded{"peak", 20000, 0, 1e6})) {
		if r.Stage == "" {
			got[r.Rule] = string(r.Status) + " " + r.Target + " " + r.Actual
		}
	}
	want := map[string]string{
		"Achieved ÷ offered load":     "pass RATE >= 99% 100%",
		"P50 response time":           "pass P50 < 100ms 1ms",
		"P95 response time":           "pass P95 < 500ms 1ms",
		"P99 response time":           "pass P99 < 2.00s 1ms",
		"Max response time":           "pass MAX < 5.00s 1ms",
		"Requests sent again":         "not_exercised COUNT < 1 not measured",
		"Minimum throughput":          "pass VALUE > 1,000/s 2,000/s",
		"Target throughput":           "not_exercised VALUE > 2,000/s offered at most 2,000/s",
		"Peak throughput":             "not_exercised VALUE > 5,000/s offered at most 2,000/s",
		"Memory of a process":         "not_exercised MAX < 500 MB not measured",
		"CPU of a process":            "not_exercised AVG < 80% not measured",
		"Database connections in use": "not_exercised P95 < 80% not measured",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestMetricsAreCheckedOnlyWhereAllAreKnown(t *testing.T) {
	// Near to rabbitmq_prefetch, and of no scenario: a typing error in a table that is
	// for this run, and what may be another run's in one that is judged again.
	rules := decode(t, `rules: [{name: a, threshold: "rabbitmq_prefetchs: value<5"}]`)
	plan := testPlan()
	if _, err := NewJudge(plan, rules, nil); err != nil {
		t.Errorf("judging a recorded run again: %v", err)
	}
	plan.Anywhere = []string{"rabbitmq_prefetch"}
	if _, err := NewJudge(plan, rules, nil); err == nil || !strings.Contains(err.Error(), `did you mean "rabbitmq_prefetch"?`) {
		t.Errorf("judging a planned run: %v", err)
	}
}
