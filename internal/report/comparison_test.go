package report_test

import (
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/summary/summarytest"
)

// Every view of a run that keeps its rules and regressed says so, by how much and
// with its interval, and none of them is green.
func TestViewsSayWhatRegressed(t *testing.T) {
	s := summarytest.Finished(t, t.TempDir(), summary.Inputs{Generator: &summary.GeneratorHealth{Status: "valid"}})
	s.Verdict, s.ExitCode = summary.VerdictPass, 112
	base, next, ratio, low, high := 20.0, 24.0, 1.2, 1.17, 1.23
	says := "response_time p50 +20.0 % (+17.0 % to +23.0 %), from 20.0ms to 24.0ms: REGRESSED"
	s.Comparison = &compare.Comparison{Word: compare.Regressed, Fails: true, FailOn: compare.Regressed, Says: "REGRESSED: 1 of 2 gated figures; +20.0 % (+17.0 % to +23.0 %)",
		Cautions: []string{"measured on other machines"},
		Figures: []compare.Figure{
			{Metric: "response_time", Stat: "p50", Gated: true, Base: &base, New: &next, Ratio: &ratio, Low: &low, High: &high, Word: compare.Regressed, Says: says},
			{Metric: "response_time", Stat: "p95", Gated: true, Word: compare.Inconclusive, Says: "p95: INCONCLUSIVE"},
		}}
	for name, v := range map[string]view{
		"markdown": report.Markdown, "junit": report.JUnit, "annotations": report.Annotations,
	} {
		got := strings.ReplaceAll(viewed(t, v, s), "%25", "%")
		for _, want := range []string{"REGRESSED", "+20.0 %", "+17.0 % to +23.0 %"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, got)
			}
		}
		if strings.Contains(strings.SplitN(got, "\n", 2)[0], "✅") {
			t.Errorf("%s is green:\n%s", name, got)
		}
	}
	if got := report.Verdicted(s); !strings.HasPrefix(got, "REGRESSED") {
		t.Errorf("the verdict is %q", got)
	}
	lines := strings.Split(strings.TrimSpace(text(t, s, report.Options{})), "\n")
	if last := lines[len(lines)-1]; last != "REGRESSED against the baseline, by its rules PASS; exit code 112" {
		t.Errorf("the last line is %q", last)
	}
	if got := viewed(t, report.JUnit, s); strings.Count(got, "<failure") != 1 || strings.Count(got, "<skipped") != 1 {
		t.Errorf("JUnit is\n%s", got)
	}
	s.Comparison.Word, s.Comparison.FailOn = compare.Inconclusive, compare.Inconclusive
	s.Comparison.Figures = s.Comparison.Figures[1:]
	if got := viewed(t, report.JUnit, s); strings.Count(got, "<failure") != 1 {
		t.Errorf("with --fail-on inconclusive JUnit is\n%s", got)
	}
	for fails, mark := range map[bool]string{true: "<failure", false: "<skipped"} {
		c := *s.Comparison
		c.Figures, c.Fails = nil, fails
		if got := viewed(t, report.JUnit, &summary.Summary{Verdict: s.Verdict, Comparison: &c}); strings.Count(got, mark) != 1 {
			t.Errorf("nothing compared, fails %v: JUnit is\n%s", fails, got)
		}
	}
	if got := viewed(t, report.Annotations, s); !strings.Contains(got, "::error title=perfctl%3A INCONCLUSIVE") {
		t.Errorf("with --fail-on inconclusive the annotations are\n%s", got)
	}
}
