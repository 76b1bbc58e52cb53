package document_test

import (
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/report/document"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// repeated are two runs, of which the second misses a rule that the mean decides as
// status says.
func repeated(status sla.Status) *summary.Repeated {
	rule := func(s sla.Status, actual string) sla.Result {
		v := 1.0
		return sla.Result{Rule: "P95", Metric: "response_time", Target: "P95 < 50ms", Severity: sla.Fail, Status: s, Actual: actual, ActualValue: &v}
	}
	mean := 45.0
	r := &summary.Repeated{Verdict: "pass", Asked: 2, Mean: &compare.Repeated{
		Runs:  2,
		Rules: []compare.MeanRule{{Rule: "P95", Metric: "response_time", Target: "P95 < 50ms", Severity: sla.Fail, Status: status, Mean: &mean, Missed: 1}},
		Figures: []compare.MeanFigure{
			{Metric: "agent_task_latency{scenario:tasks,operation:process,queue:perfctl-tasks}", Stage: "steady state of the evening", Stat: "p95", Mean: 4.4, Spread: 1.3, Low: 1.2, High: 12},
		},
	}, Ended: []*summary.Summary{
		{Verdict: summary.VerdictPass, SLA: []sla.Result{rule(sla.Passed, "30ms")}},
		{Verdict: summary.VerdictFail, ExitCode: 99, SLA: []sla.Result{rule(sla.Failed, "60ms")}},
	}}
	return r
}

// The files of repeated runs fail where their mean does, not where one run misses a rule.
func TestViewsOfRepeatedRunsAgreeWithTheMean(t *testing.T) {
	for _, c := range []struct {
		status sla.Status
		red    bool
	}{{sla.Passed, false}, {sla.Failed, true}} {
		r := repeated(c.status)
		for name, got := range map[string]string{
			"<failure":    text(t, func(w io.Writer) error { return report.JUnitRepeated(w, r) }),
			"::error":     text(t, func(w io.Writer) error { return report.AnnotationsRepeated(w, r) }),
			": missed,":   text(t, func(w io.Writer) error { return document.Markdown(w, document.Repeated(r, "")) }),
			"0 of 1 rule": text(t, func(w io.Writer) error { return document.WriteText(w, document.Repeated(r, ""), document.Layout{}) }),
		} {
			if n := strings.Count(got, name); n > 1 || n == 1 != c.red {
				t.Errorf("the mean's rule is %s, and %q stands %d times in:\n%s", c.status, name, n, got)
			}
		}
	}
}

// What regressed against the baseline is red in each view.
func TestRepeatedRunsThatRegressedSaySo(t *testing.T) {
	r := repeated(sla.Passed)
	r.Verdict, r.ExitCode = "fail", 112
	r.Comparison = &compare.Comparison{Word: compare.Regressed, Fails: true, Says: "p95 rose by 20 %",
		Figures: []compare.Figure{{Metric: "response_time", Stat: "p95", Gated: true, Word: compare.Regressed, Says: "p95 rose by 20 %"}}}
	for want, got := range map[string]string{
		`<failure message="p95 rose by 20 %"`: text(t, func(w io.Writer) error { return report.JUnitRepeated(w, r) }),
		"REGRESSED against the baseline::p95": text(t, func(w io.Writer) error { return report.AnnotationsRepeated(w, r) }),
		"against the baseline p95 rose by":    text(t, func(w io.Writer) error { return document.Markdown(w, document.Repeated(r, "")) }),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
}

// What a run alone answers for fails under its number.
func TestAFailedCheckOfOneOfRepeatedRunsIsNamed(t *testing.T) {
	r := repeated(sla.Passed)
	r.Ended[1].Checks = []summary.Check{{Name: "no message was lost", Detail: "3 were"}}
	for want, got := range map[string]string{
		"perfctl..consistency.2":                    text(t, func(w io.Writer) error { return report.JUnitRepeated(w, r) }),
		"::error title=perfctl run 2%3A no message": text(t, func(w io.Writer) error { return report.AnnotationsRepeated(w, r) }),
		"run 2: FAIL":                               text(t, func(w io.Writer) error { return document.Markdown(w, document.Repeated(r, "")) }),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
}

// Repeated runs, and what a gate needs, fit a terminal of 80 columns.
func TestRepeatedRunsFit(t *testing.T) {
	need := &compare.Need{Profile: "load", Runs: []string{"a", "b", "c"}, Length: 2, RunsASide: 4, Seconds: 16, Figures: []compare.NeedFigure{
		{Metric: "agent_task_latency{scenario:tasks,operation:process,queue:perfctl-tasks}", Stage: "steady", Stat: "p95", Spread: 1.3, With: 12},
	}}
	for _, d := range []*document.Document{document.Repeated(repeated(sla.Failed), ""), document.Need(need)} {
		got := text(t, func(w io.Writer) error { return document.WriteText(w, d, document.Layout{Width: 80}) })
		for line := range strings.Lines(got) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
				t.Errorf("%d columns: %q", n, line)
			}
		}
		if !strings.Contains(got, "130%") {
			t.Errorf("by how much runs differ is missing:\n%s", got)
		}
	}
	if got := need.Sentence(); !strings.Contains(got, "4 runs a side of 2s: 16s for both") {
		t.Errorf("lengths are not as they are: %s", got)
	}
}

func TestAHistoryOfOneLoadCountsIt(t *testing.T) {
	h := &compare.History{Profile: "load", Runs: make([]compare.Past, 3)}
	if got := document.Histories([]*compare.History{h}, "").Meta; got != "3 runs of 1 load" {
		t.Errorf("got %q", got)
	}
}
