package sla

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/metrics"
)

var (
	prefetch = metrics.Desc{Name: "rabbitmq_prefetch", Kind: metrics.KindGauge, Unit: metrics.UnitCount}
	hits     = metrics.Desc{Name: "cache_hit_ratio", Kind: metrics.KindRate, Unit: metrics.UnitRatio}
)

func testPlan() Plan {
	return Plan{
		Stages: []Stage{
			{Name: "warm-up", Class: "normal", Duration: 10 * time.Second, Planned: 100},
			{Name: "steady", Class: "normal", Judged: true, Duration: 10 * time.Second, Planned: 1000},
			{Name: "peak", Class: "high", Judged: true, Duration: 10 * time.Second, Planned: 20000},
		},
		Metrics:   append(metrics.Standard(), prefetch, hits),
		Scenarios: []string{"cache"}, Known: []string{"tasks", "cache"},
	}
}

// run records arrivals of each stage: done ones that took d, and lost ones.
type recorded struct {
	stage      string
	done, lost int64
	d          time.Duration
}

func totals(rs ...recorded) *metrics.Totals {
	t := metrics.NewTotals()
	for _, r := range rs {
		tags := metrics.Tags{Scenario: "cache", Stage: r.stage}
		h := new(metrics.Hist)
		h.RecordN(int64(r.d), r.done)
		h.Censored = r.lost
		t.AddTrend(&metrics.Series{Desc: metrics.ResponseTime, Tags: tags}, h)
		t.AddCounter(&metrics.Series{Desc: metrics.Arrivals, Tags: tags}, r.done+r.lost)
		t.AddCounter(&metrics.Series{Desc: metrics.ArrivalsSucceeded, Tags: tags}, r.done)
		t.AddCounter(&metrics.Series{Desc: metrics.ArrivalsDropped, Tags: tags}, r.lost)
	}
	return t
}

func rule(t *testing.T, threshold string, change func(*Rule)) Rule {
	t.Helper()
	r, err := ParseThreshold(threshold)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&r)
	}
	return r
}

// statuses evaluates rules and returns "stage status actual" of each result
// but those of the rule that is always there.
func statuses(t *testing.T, tot *metrics.Totals, rules ...Rule) []string {
	t.Helper()
	j, err := NewJudge(testPlan(), rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range j.Evaluate(tot) {
		if r.Metric != AchievedRatio {
			out = append(out, strings.TrimSpace(r.Stage+" "+string(r.Status)+" "+r.Actual))
		}
	}
	return out
}

func TestRulesJudgeTheJudgedStages(t *testing.T) {
	tot := totals(recorded{"warm-up", 100, 0, 9 * time.Second}, recorded{"steady", 1000, 0, 20 * time.Millisecond}, recorded{"peak", 20000, 0, 700 * time.Millisecond})
	got := statuses(t, tot,
		rule(t, "response_time: p(95)<500ms", func(r *Rule) { r.PerStage = true }),
		rule(t, "response_time: max<5s", nil),
		rule(t, "response_time{stage:warm-up}: max<5s", nil),
		rule(t, "response_time: p(50)<100ms", func(r *Rule) { r.Severity = Warn }),
		rule(t, "error_rate: rate<0.1%", func(r *Rule) { r.Class = "normal"; r.PerStage = true }),
		rule(t, "error_rate: rate<5%", func(r *Rule) { r.Class = "spike"; r.PerStage = true }),
	)
	want := []string{
		"steady pass 20ms", "peak fail 700ms", "fail 700ms",
		"pass 700ms",
		"warm-up fail 9.00s",
		"warn 700ms",
		"steady pass 0%",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAPercentileAmongTheDroppedFails(t *testing.T) {
	tot := totals(recorded{"steady", 940, 60, 20 * time.Millisecond}, recorded{"peak", 20000, 0, time.Millisecond})
	got := statuses(t, tot, rule(t, "response_time{stage:steady}: p(95)<500ms", nil), rule(t, "response_time{stage:steady}: p(90)<500ms", nil),
		rule(t, "error_rate{stage:steady}: rate<5%", nil))
	want := []string{"steady fail ≥ 20ms", "steady pass 20ms", "steady fail 6%"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestNoDataIsABreachAndTooFewIsNot(t *testing.T) {
	got := statuses(t, totals(recorded{"steady", 20, 0, time.Millisecond}),
		rule(t, "response_time{stage:steady}: p(99)<1s", nil),
		rule(t, "response_time{stage:peak}: p(99)<1s", nil),
		rule(t, "rabbitmq_prefetch: max<=100", nil),
		rule(t, "cache_hit_ratio: rate>50%", nil),
	)
	want := []string{"steady undecided 20 of 368 samples", "peak no_data no data", "not_exercised not measured", "no_data no data"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !(Result{Severity: Fail, Status: NoData}).Breaches() || (Result{Severity: Warn, Status: NoData}).Breaches() {
		t.Error("no data must breach a rule of severity fail and no other")
	}
}

func TestThroughputIsThatOfTheBestStageAndMustBeOffered(t *testing.T) {
	got := statuses(t, totals(recorded{"steady", 1000, 0, time.Millisecond}, recorded{"peak", 18000, 2000, time.Millisecond}),
		rule(t, "throughput: value > 1000/s", nil), rule(t, "throughput: value > 1900/s", nil), rule(t, "throughput: value > 2000/s", nil))
	want := []string{"pass 1,800/s", "fail 1,800/s", "not_exercised offered at most 2,000/s"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAchievedLoadIsAlwaysJudged(t *testing.T) {
	j, err := NewJudge(testPlan(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range j.Evaluate(totals(recorded{"steady", 1000, 0, time.Millisecond}, recorded{"peak", 19000, 1000, time.Millisecond})) {
		if want := r.Stage != "steady"; r.Breaches() != want {
			t.Errorf("stage %q: %s %s", r.Stage, r.Status, r.Actual)
		}
	}
}

func TestARunThatGoesOnIsEndedOnlyForCertain(t *testing.T) {
	j, err := NewJudge(testPlan(), []Rule{rule(t, "response_time: p(95)<500ms", nil), rule(t, "throughput: value>1000/s", nil)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// 5 % of the 21000 arrivals planned may be slow.
	for _, c := range []struct {
		slow int64
		lost bool
	}{{50, false}, {500, false}, {1050, false}, {1051, true}} {
		b := j.Breached(totals(recorded{"steady", c.slow, 0, time.Second}), time.Second)
		if (b != nil) != c.lost {
			t.Errorf("%d slow arrivals: %v", c.slow, b)
		}
		if b != nil && (b.Aggregation != "p(95)" || *b.ActualValue != 1000 || *b.TargetValue != 500 || b.Metric != "response_time") {
			t.Errorf("breach %+v", b)
		}
	}
	if b := j.Breached(totals(recorded{"steady", 5000, 0, time.Millisecond}), time.Second); b != nil {
		t.Errorf("ended without a breach: %v", b)
	}
}

func TestThresholdsOfWhatIsNotThereAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"respons_time: p(95)<5":                `did you mean "response_time"?`,
		"response_time{stage:peek}: p(95)<5":   `did you mean "peak"?`,
		"response_time{scenario:cach}: max<5":  `did you mean "cache"?`,
		"response_time: rate<5":                "is a trend and has no rate",
		"response_time: p(95)<5MB":             "is in ms, not in MB",
		"arrivals: p(95)<5":                    "is a counter and has no p(95)",
		"cache_hit_ratio: rate>5/s":            "is in ratio, not in /s",
		"error_rate{operation:get}: rate<1%":   "not by operation",
		"cache_hit_ratio: rate>5ms":            "is in ratio",
		"rabbitmq_prefetch{stage:peak}: sum<5": "",
	} {
		r, err := ParseThreshold(text)
		if err == nil {
			_, err = NewJudge(testPlan(), nil, []Rule{r})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestTheBuiltInTablesAreSound(t *testing.T) {
	data, err := os.ReadFile("../../configs/sla.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := DecodeTable("configs/sla.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	if len(rules) < 15 {
		t.Errorf("%d rules, the guide's tables hold more", len(rules))
	}
	for _, r := range rules {
		if r.Action == "" {
			t.Errorf("rule %q tells nobody what to do", r.Name)
		}
	}
}

func TestEveryFaultOfATableIsReportedWithItsPlace(t *testing.T) {
	_, err := DecodeTable("t.yaml", []byte(`rules:
  - {name: a, threshold: "response_time: p(95)<5q"}
  - {name: b, threshold: "response_time: max<5", severty: warn}
  - {name: c, threshold: "response_time: max<5", class: hgh}
  - {threshold: "response_time: max<5"}
`))
	for _, want := range []string{"t.yaml:2:", "unknown unit", "t.yaml:3:", `did you mean "severity"?`, "t.yaml:4:", `did you mean "high"?`, "t.yaml:5:", `"name"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func FuzzDecodeTable(f *testing.F) {
	f.Add([]byte("rules:\n  - {name: a, threshold: \"b: p(95)<5ms\", judge: stages}\n"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = DecodeTable("f", data) })
}
