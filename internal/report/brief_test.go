package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/summary/summarytest"
)

func TestTheShortSummaryIsShortAndNoWiderThanTheTerminal(t *testing.T) {
	in := summarytest.Inputs()
	in.Generator.Status, in.Generator.Reasons = "suspect", []string{"arrivals were released late: 1 % of them by more than 8ms"}
	for i := range 40 {
		in.SLA = append(in.SLA, sla.Result{Rule: fmt.Sprintf("rule %d with a name that is rather long", i), Metric: "m", Target: "P95 < 5ms", Actual: "1ms", Status: "pass", Severity: "fail"})
		in.Checks = append(in.Checks, summary.Check{Name: fmt.Sprintf("check %d", i), Passed: true, Detail: strings.Repeat("held ", 20)})
		in.Failures = append(in.Failures, summary.Failure{Scenario: "tasks", Kind: fmt.Sprintf("kind_%d", i), Count: 1, Example: strings.Repeat("x", 400)})
	}
	s := summarytest.Finished(t, t.TempDir(), in)
	for _, width := range []int{60, 80, 100, 120} {
		lines := strings.Split(strings.TrimRight(text(t, s, report.Options{Width: width, Dir: "runs/r-4711"}), "\n"), "\n")
		if width >= 80 && len(lines) > 60 {
			t.Errorf("%d lines at %d columns", len(lines), width)
		}
		for _, l := range lines {
			if n := utf8.RuneCountInString(l); n > width {
				t.Errorf("%d columns at %d: %q", n, width, l)
			}
		}
		if out := strings.Join(lines, "\n"); !strings.Contains(out, "SUSPECT") || !strings.Contains(out, "43 rules held, 41 checks held") {
			t.Errorf("at %d:\n%s", width, out)
		}
	}
}

func TestWhereNothingSucceededRulesWithoutDataAreOneLine(t *testing.T) {
	var in summary.Inputs
	for i := range 12 {
		in.SLA = append(in.SLA, sla.Result{Rule: fmt.Sprintf("rule %d", i), Metric: "response_time", Target: "P95 < 5ms", Actual: "no data", Status: sla.NoData, Severity: "fail", Action: "find the bottleneck"})
	}
	s := summary.Summarise(rundir.NewRun(rundirtest.Info(), metrics.NewTotals(), 10*time.Second), in)
	out := text(t, s, report.Options{})
	if strings.Count(out, "✗") != 1 || !strings.Contains(out, "nothing succeeded: 12 rules have no data") || strings.Contains(out, "bottleneck") {
		t.Errorf("printed:\n%s", out)
	}
}

func TestAStageThatWasNotReachedIsNotMissed(t *testing.T) {
	in := summary.Inputs{Interrupted: true, SLA: []sla.Result{
		{Rule: "P95", Metric: "response_time", Stage: "peak", Target: "P95 < 5ms", Actual: "no data", Status: sla.NoData, Severity: "fail"},
		{Rule: "Errors under high load", Metric: "error_rate", Class: "high", Target: "RATE < 1%", Actual: "no data", Status: sla.NoData, Severity: "fail"},
	}}
	s := summary.Summarise(rundir.NewRun(rundirtest.Info(), metrics.NewTotals(), 3*time.Second), in)
	for _, r := range s.SLA {
		if r.Status != sla.NotExercised || r.Actual != "stage not reached" {
			t.Errorf("%s: %s, %s", r.Rule, r.Status, r.Actual)
		}
	}
	for _, o := range []report.Options{{}, {Full: true}} {
		if out := text(t, s, o); strings.Contains(out, "✗") || !strings.Contains(out, "not reached: peak") {
			t.Errorf("printed:\n%s", out)
		}
	}
}

func TestARuleThatWasMissedInSeveralStagesCountsOnce(t *testing.T) {
	miss := func(stage string) sla.Result {
		return sla.Result{Rule: "P95", Metric: "response_time", Stage: stage, Target: "P95 < 5ms", Actual: "9ms", Status: sla.Failed, Severity: "fail", Action: "find the bottleneck"}
	}
	in := summary.Inputs{SLA: []sla.Result{miss("steady"), miss("peak"), miss("")}, Generator: &summary.GeneratorHealth{Status: "valid"}}
	out := text(t, summarytest.Finished(t, t.TempDir(), in), report.Options{})
	if !strings.HasPrefix(out, "FAIL: 1 of 1 rule missed: P95\n") || !strings.Contains(out, "✗ P95: 9ms, target P95 < 5ms (steady 9ms, peak 9ms)") || strings.Count(out, "bottleneck") != 1 {
		t.Errorf("printed:\n%s", out)
	}
}

func TestAnUndecidedRuleSaysWhatWouldDecideIt(t *testing.T) {
	mine := sla.Result{Rule: "mine", Metric: "response_time", Target: "P95 < 500ms", Actual: "12 of 72 samples", Status: sla.Undecided,
		Severity: sla.Fail, Strict: true, Samples: 12, Needed: 72, Action: "find the bottleneck"}
	s := summary.Summarise(rundir.NewRun(rundirtest.Info(), metrics.NewTotals(), 10*time.Second), summary.Inputs{SLA: []sla.Result{mine}})
	out := text(t, s, report.Options{Width: 120})
	if !strings.Contains(out, "run longer, until there are 72, or let it be with --allow-undecided") || strings.Contains(out, "bottleneck") {
		t.Errorf("printed:\n%s", out)
	}
}

// A check of a script fails nothing: only its line says that it did not hold.
func TestChecksOfAnswersThatDidNotHoldAreNamed(t *testing.T) {
	totals := metrics.NewTotals()
	checks := metrics.Desc{Name: "checks", Kind: metrics.KindRate, Unit: metrics.UnitRatio}
	for name, hits := range map[string]int64{"is 200": 40, "has a token": 13} {
		totals.AddRate(&metrics.Series{Desc: checks, Tags: metrics.Tags{Scenario: "tasks", Stage: "steady", Operation: name}}, hits, 40)
	}
	s := summary.Summarise(rundir.NewRun(rundirtest.Info(), totals, 10*time.Second), summary.Inputs{})
	out := text(t, s, report.Options{Width: 80})
	if !strings.Contains(out, "✗ has a token: held 13 of 40 times") || !strings.Contains(out, "✓ 1 check held every time") || strings.Contains(out, "is 200") {
		t.Errorf("printed:\n%s", out)
	}
}

// The page is named where there is one, and else how to have it.
func TestThePageIsNamedOnlyWhereItIs(t *testing.T) {
	s := summarytest.Finished(t, t.TempDir(), summarytest.Inputs())
	if got := text(t, s, report.Options{Dir: "r", Page: "r/report.html"}); !strings.Contains(got, "charts:    r/report.html\n") {
		t.Errorf("the page is not named:\n%s", got)
	}
	if got := text(t, s, report.Options{Dir: "r"}); !strings.Contains(got, "charts:    perfctl report r --format html -o report.html\n") {
		t.Errorf("how to have the page is not told:\n%s", got)
	}
}
