package html_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/report/html"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/summary/summarytest"
)

// verdicts are all that a run can come to: what makes it so, the first word that every
// view says, and the exit code.
var verdicts = []struct {
	name string
	in   func(*summary.Inputs)
	then func(*summary.Summary)
	word string
	code int
}{
	{"pass", nil, nil, "PASS", exitcode.Pass},
	{"suspect", func(in *summary.Inputs) {
		in.Generator.Status, in.Generator.Reasons = states.GeneratorSuspect, []string{"released late"}
	}, nil, "PASS", exitcode.Pass},
	{"a warning", func(in *summary.Inputs) { in.SLA[0].Status, in.SLA[0].Severity = sla.Warned, sla.Warn }, nil, "PASS", exitcode.Pass},
	{"a rule", func(in *summary.Inputs) { in.SLA[0].Status = sla.Failed }, nil, "FAIL", exitcode.Breached},
	{"no data", func(in *summary.Inputs) { in.SLA[0].Status, in.SLA[0].Actual = sla.NoData, "no data" }, nil, "FAIL", exitcode.Breached},
	{"a check", func(in *summary.Inputs) { in.Checks[0].Passed = false }, nil, "FAIL", exitcode.Breached},
	{"stopped", func(in *summary.Inputs) { in.Stopped = &sla.Breach{Rule: "P95", Target: "P95 < 5ms", Actual: "9ms"} }, nil, "FAIL", exitcode.Breached},
	{"invalid", func(in *summary.Inputs) {
		in.Generator.Status, in.Generator.Reasons = states.GeneratorInvalid, []string{"the machine was too busy"}
	}, nil, "INVALID", exitcode.Invalid},
	{"invalid and missed", func(in *summary.Inputs) {
		in.Generator.Status, in.SLA[0].Status = states.GeneratorInvalid, sla.Failed
	}, nil, "INVALID", exitcode.Invalid},
	{"incomplete", nil, func(s *summary.Summary) { s.Lose("the disk is full") }, "INCOMPLETE", exitcode.Invalid},
	{"interrupted", func(in *summary.Inputs) { in.Interrupted = true }, nil, "INTERRUPTED", exitcode.Interrupted},
	{"interrupted and missed", func(in *summary.Inputs) { in.Interrupted, in.SLA[0].Status = true, sla.Failed }, nil, "INTERRUPTED", exitcode.Interrupted},
	{"panicked", nil, func(s *summary.Summary) { s.Lose("panic"); s.ExitCode = exitcode.Panic }, "INCOMPLETE", exitcode.Panic},
	{"an output", nil, func(s *summary.Summary) {
		s.Notes, s.ExitCode = append(s.Notes, "--out json: the disk is full"), exitcode.Unexpected
	}, "NOT WHOLE", exitcode.Unexpected},
	{"regressed", nil, func(s *summary.Summary) {
		s.Comparison = &compare.Comparison{Word: compare.Regressed, Fails: true, FailOn: compare.Regressed, Says: "REGRESSED: 1 of 1 gated figures",
			Figures: []compare.Figure{{Metric: "response_time", Stat: "p50", Gated: true, Word: compare.Regressed, Says: "p50: REGRESSED"}}}
		s.ExitCode = exitcode.Regression
	}, "REGRESSED", exitcode.Regression},
	{"inconclusive", nil, func(s *summary.Summary) {
		s.Comparison = &compare.Comparison{Word: compare.Inconclusive, FailOn: compare.Regressed, Says: "INCONCLUSIVE: too few runs"}
	}, "PASS", exitcode.Pass},
	{"not comparable", nil, func(s *summary.Summary) {
		s.Comparison = &compare.Comparison{Word: compare.Inconclusive, Fails: true, FailOn: compare.Inconclusive, Says: "INCONCLUSIVE: nothing to compare with"}
		s.ExitCode = exitcode.Regression
	}, "INCONCLUSIVE", exitcode.Regression},
}

// Whoever looks at one view must not be told another thing than whoever looks at the
// exit code.
func TestEveryViewSaysWhatTheExitCodeSays(t *testing.T) {
	for _, c := range verdicts {
		t.Run(c.name, func(t *testing.T) {
			in := summary.Inputs{
				SLA:       []sla.Result{{Rule: "P95", Metric: "response_time", Target: "P95 < 5ms", Actual: "1ms", Status: sla.Passed, Severity: sla.Fail}},
				Checks:    []summary.Check{{Name: "nothing lost", Passed: true, Detail: "10 of 10"}},
				Generator: &summary.GeneratorHealth{Status: states.GeneratorValid},
			}
			if c.in != nil {
				c.in(&in)
			}
			dir := t.TempDir()
			s := summarytest.Finished(t, dir, in)
			if c.then != nil {
				c.then(s)
			}
			if s.ExitCode != c.code {
				t.Fatalf("exit code %d, want %d", s.ExitCode, c.code)
			}
			r, err := rundir.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			for name, problem := range disagreements(t, s, r, c.word) {
				if problem != "" {
					t.Errorf("%s %s", name, problem)
				}
			}
		})
	}
}

var badge = regexp.MustCompile(`<header class="([a-z]+)">[\s\S]*?<p class="why">([^<]*)`)

// disagreements says of each view what is not as the exit code has it.
func disagreements(t *testing.T, s *summary.Summary, r *rundir.Run, word string) map[string]string {
	t.Helper()
	green := s.ExitCode == exitcode.Pass
	var b bytes.Buffer
	show := func(err error) string {
		if err != nil {
			t.Fatal(err)
		}
		defer b.Reset()
		return b.String()
	}
	out := map[string]string{}
	check := func(name string, ok bool, text string) {
		if !ok {
			out[name] = fmt.Sprintf("says another thing than %s and exit code %d:\n%s", word, s.ExitCode, text)
		}
	}
	for _, full := range []bool{false, true} {
		text := show(report.Text(&b, s, report.Options{Full: full}))
		lines := strings.Split(strings.TrimSpace(text), "\n")
		last := lines[len(lines)-1]
		check(fmt.Sprintf("text, full %v", full), strings.HasPrefix(last, word) && strings.HasSuffix(last, fmt.Sprintf("exit code %d", s.ExitCode)) &&
			(full || strings.HasPrefix(lines[0], word)), text)
	}
	text := show(report.Markdown(&b, s))
	check("Markdown", strings.HasPrefix(text, "## ✅") == green && strings.Contains(text, "**"+word) && strings.Contains(text, fmt.Sprintf("exit code %d", s.ExitCode)), text)
	text = show(report.JUnit(&b, s))
	check("JUnit", (strings.Contains(text, "<failure") || strings.Contains(text, "<error")) == !green &&
		strings.Contains(text, fmt.Sprintf(`name="exit code" value="%d"`, s.ExitCode)), text)
	text = show(report.Annotations(&b, s))
	check("annotations", strings.Contains(text, "::error") == !green, text)
	text = show(report.JSON(&b, s))
	var j struct {
		Verdict  string `json:"verdict"`
		ExitCode int    `json:"exit_code"`
	}
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		t.Fatal(err)
	}
	check("JSON", j.ExitCode == s.ExitCode && j.Verdict == string(s.Verdict), text)
	text = show(html.Write(&b, r, s, nil))
	m := badge.FindStringSubmatch(text)
	check("page", m != nil && (m[1] == "pass") == green && strings.HasPrefix(m[2], word), fmt.Sprint(m))
	return out
}
