package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// Markdown writes the run for a pull request's comment or a CI job's summary
// page: the verdict, what was missed first, the stages, and the rest folded
// away. It is GitHub's dialect, with tables and details.
func Markdown(w io.Writer, s *summary.Summary) error {
	m := markdown{bufio.NewWriter(w)}
	m.verdict(s)
	m.comparison(s)
	m.missed(s)
	m.answers(s)
	m.stages(s)
	m.faults(s)
	m.failures(s)
	m.rules(s)
	m.footer(s)
	if err := m.w.Flush(); err != nil {
		return fmt.Errorf("write Markdown: %w", err)
	}
	return nil
}

type markdown struct{ w *bufio.Writer }

func (m markdown) line(format string, args ...any) { fmt.Fprintf(m.w, format+"\n", args...) }

// escapes are the characters that mean something to Markdown or HTML. What a
// target sent must come out as text, mentions of people and issues included.
var escapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "#", `\#`, "!", `\!`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "@", "&#64;", "$", `\$`, "://", "&#58;//", "www.", "www&#46;",
)

// Escape makes a text harmless in Markdown.
func Escape(s string) string { return escapes.Replace(figure.Line(s)) }

func escape(s string) string { return Escape(s) }

func (m markdown) row(cells ...string) { m.line("| %s |", strings.Join(cells, " | ")) }

func (m markdown) verdict(s *summary.Summary) {
	mark := map[summary.Verdict]string{summary.VerdictPass: "✅", summary.VerdictFail: "❌", summary.VerdictInvalid: "⚠️", summary.VerdictIncomplete: "⚠️", summary.VerdictInterrupted: "⏹️"}[s.Verdict]
	if ComparisonFails(s) && s.Verdict == summary.VerdictPass || Spoiled(s) {
		mark = "❌"
	}
	m.line("## %s perfctl %s\n\n**%s**\n", mark, escape(s.Run.Profile), escape(Verdicted(s)))
	m.line("%s. Generator: %s.\n", escape(accounts(&s.Arrivals)), escape(strings.ToUpper(s.Generator.Status)))
	for _, r := range s.Generator.Reasons {
		m.line("- generator: %s", escape(r))
	}
	for _, n := range s.Notes {
		m.line("- %s", escape(n))
	}
}

// missed writes what needs a reader: rules that were missed and checks that
// failed.
func (m markdown) missed(s *summary.Summary) {
	var rules []sla.Result
	for _, r := range s.SLA {
		if r.Status == sla.Failed || r.Status == sla.NoData || r.Status == sla.Warned || r.Near || r.Breaches() {
			rules = append(rules, r)
		}
	}
	if len(rules) > 0 {
		m.line("\n| | rule | target | actual | action |\n| --- | --- | --: | --: | --- |")
		for _, r := range rules {
			m.row(markOf(r), escape(ruleName(r)), escape(r.Target), escape(orNone(r.Actual)), escape(r.Action))
		}
	}
	for _, c := range s.Checks {
		if !c.Passed {
			m.line("\n❌ %s: %s", escape(c.Name), escape(c.Detail))
		}
	}
}

func markOf(r sla.Result) string {
	switch {
	case r.Breaches():
		return "❌"
	case idle(r):
		return "–"
	case r.Near:
		return "≈"
	case r.Status == sla.Passed:
		return "✅"
	}
	return "⚠️"
}

func (m markdown) answers(s *summary.Summary) {
	a := s.Analysis
	if a == nil {
		return
	}
	if len(a.Sentences)+len(a.Findings) > 0 {
		m.line("")
	}
	for _, t := range a.Sentences {
		m.line("- %s", escape(t))
	}
	for _, f := range a.Findings {
		m.line("- 🚩 **%s**: %s %s", escape(f.Title), escape(f.Sentence), escape(f.Advice))
	}
}

func (m markdown) stages(s *summary.Summary) {
	if len(s.Stages) == 0 {
		return
	}
	m.line("\n| stage | class | offered/s | achieved/s | errors | p50 | p95 | p99 | max |\n| --- | --- | --: | --: | --: | --: | --: | --: | --: |")
	for i := range s.Stages {
		st := &s.Stages[i]
		class := st.Class
		if !st.Judged {
			class += ", not judged"
		}
		r := &st.Response
		m.row(escape(st.Name), escape(class), optional(st.Offered, showNumber), optional(st.Achieved, showNumber), optional(st.ErrorRate, showShare),
			bounded(r, "med", r.Med), bounded(r, "p95", r.P95), bounded(r, "p99", r.P99), bounded(r, "max", r.Max))
	}
	m.line("\nPercentiles are those of response time: from due until done.")
	for i := range s.Stages {
		if line := usersLine(&s.Stages[i]); line != "" {
			m.line("\n%s.", escape(line))
		}
	}
}

// failureExample is how much of an example is shown.
const failureExample = 160

func (m markdown) failures(s *summary.Summary) {
	if len(s.Failures) == 0 {
		return
	}
	m.line("\n| failures of | kind | count | for example |\n| --- | --- | --: | --- |")
	for _, f := range s.Failures {
		m.row(escape(f.Scenario), escape(f.Kind), showCount(f.Count), escape(shorten(figure.Line(f.Example), failureExample)))
	}
}

// rules writes every rule and check, folded away.
func (m markdown) rules(s *summary.Summary) {
	if len(s.SLA)+len(s.Checks) == 0 {
		return
	}
	m.line("\n<details><summary>All rules and checks</summary>\n\n| | rule | target | actual |\n| --- | --- | --: | --: |")
	for _, r := range s.SLA {
		m.row(markOf(r), escape(ruleName(r)), escape(r.Target), escape(orNone(r.Actual)))
	}
	for _, c := range s.Checks {
		mark := "✅"
		if !c.Passed {
			mark = "❌"
		}
		m.row(mark, escape(c.Name), "holds", escape(c.Detail))
	}
	m.line("\n</details>")
}

func (m markdown) footer(s *summary.Summary) {
	m.line("\n<sub>run %s, seed %d, took %s, perfctl %s, exit code %d</sub>", escape(s.Run.ID), s.Run.Seed,
		showSeconds(s.Run.Duration), escape(s.Run.Version), s.ExitCode)
}
