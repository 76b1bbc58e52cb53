package report

import (
	"fmt"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/summary"
)

// ComparisonFails says whether a run is red because of what it was compared with.
func ComparisonFails(s *summary.Summary) bool {
	c := s.Comparison
	return c != nil && (c.Fails || c.Word == compare.Regressed)
}

// withComparison adds what came of the comparison with the baseline to a verdict:
// before it where that is why a run that keeps its rules is red.
func withComparison(s *summary.Summary, verdict string) string {
	switch c := s.Comparison; {
	case c == nil:
		return verdict
	case ComparisonFails(s) && s.Verdict == summary.VerdictPass:
		return fmt.Sprintf("%s; by its rules %s", c.Sentence(), verdict)
	default:
		return fmt.Sprintf("%s; against the baseline %s", verdict, c.Sentence())
	}
}

// told are the figures of the comparison that need a reader: those of the gate
// that are not OK.
func told(s *summary.Summary) (out []compare.Figure) {
	if s.Comparison == nil {
		return nil
	}
	for _, f := range s.Comparison.Figures {
		if f.Gated && f.Word != compare.OK {
			out = append(out, f)
		}
	}
	return out
}

// comparison writes the gate's figures that are not OK, with their intervals.
func (m markdown) comparison(s *summary.Summary) {
	c := s.Comparison
	if c == nil {
		return
	}
	m.line("\nAgainst the baseline: **%s**\n", escape(c.Sentence()))
	for _, x := range c.Cautions {
		m.line("- ⚠️ %s", escape(x))
	}
	if rows, _ := c.Rows(false); len(told(s)) > 0 {
		m.line("\n| | figure | stage | base | new | difference | interval |\n| --- | --- | --- | --: | --: | --: | --: |")
		for _, r := range rows {
			if r.Gated && r.Word != compare.OK {
				m.row(markOfWord(r.Word)+" "+string(r.Word), escape(r.Metric+" "+r.Stat), escape(r.Stage), escape(r.Base), escape(r.New), escape(r.Difference), escape(r.Interval))
			}
		}
	}
}

func markOfWord(w compare.Word) string {
	switch w {
	case compare.Regressed:
		return "❌"
	case compare.Inconclusive:
		return "❔"
	}
	return "✅"
}

// comparisonSuite holds a case for each figure of the gate, and one for the whole where no
// figure says why it fails, or there is none.
func comparisonSuite(s *summary.Summary) junitSuite {
	suite := suiteOf(s, "comparison")
	c := s.Comparison
	if c == nil {
		return suite
	}
	for _, f := range c.Figures {
		if !f.Gated {
			continue
		}
		stage := f.Stage
		if stage != "" {
			stage = " in " + stage
		}
		x := junitCase{Name: figure.Line(f.Metric + " " + f.Stat + stage), SystemOut: figure.Line(f.Says)}
		switch {
		case f.Word == compare.Regressed, f.Word == compare.Inconclusive && c.FailOn == compare.Inconclusive:
			x.Failure, x.SystemOut = &junitMessage{Message: figure.Line(f.Says), Type: string(f.Word)}, ""
		case f.Word == compare.Inconclusive:
			x.Skipped, x.SystemOut = &junitMessage{Message: figure.Line(f.Says)}, ""
		}
		suite.add(x)
	}
	whole := junitCase{Name: "the comparison with the baseline"}
	switch {
	case c.Fails && suite.Failures == 0:
		whole.Failure = &junitMessage{Message: figure.Line(c.Sentence()), Type: string(c.Word)}
		suite.add(whole)
	case len(c.Figures) == 0:
		whole.Skipped = &junitMessage{Message: figure.Line(c.Sentence())}
		suite.add(whole)
	}
	return suite
}

// annotateComparison writes what regressed as errors, and what cannot be told as
// one warning, or as an error where that fails the run.
func annotateComparison(s *summary.Summary, say func(command, title, text string)) {
	c := s.Comparison
	if c == nil {
		return
	}
	for _, f := range told(s) {
		if f.Word == compare.Regressed {
			say("error", "perfctl: REGRESSED against the baseline", f.Says)
		}
	}
	if c.Word == compare.Inconclusive {
		command := "warning"
		if c.Fails {
			command = "error"
		}
		say(command, "perfctl: INCONCLUSIVE against the baseline", c.Sentence())
	}
	for _, x := range c.Cautions {
		say("warning", "perfctl: the baseline", x)
	}
}
