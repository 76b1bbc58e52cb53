package report

import (
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/summary"
)

// What the short summary shows of each kind; -v and summary.json have all of it.
const (
	briefFailures = 4
	briefAnswers  = 3
	briefFlags    = 3
	briefNotes    = 2
	// briefExample is how much of a failure's example is shown.
	briefExample = 300
)

// brief writes what a reader needs in the first ten seconds: did it pass, why not,
// what to do. Everything else is in the full summary.
func (p *page) brief(s *summary.Summary, o Options) {
	p.opening(s)
	p.stages(s)
	p.scenarioTable(s)
	p.answerChecks(s)
	p.faults(s, briefFaults)
	p.missed(s)
	p.briefFailures(s)
	p.briefAnswers(s)
	p.briefNotes(s)
	p.closing(s, o)
}

// opening writes the verdict and what was run.
func (p *page) opening(s *summary.Summary) {
	p.verdictLine(verdictStyle(s), Verdicted(s))
	if suspect(s) {
		for _, r := range firstOf(s.Generator.Reasons, 1) {
			p.wrapped(span{yellow, "  SUSPECT because "}, plain, r)
		}
	}
	var names []string
	for _, sc := range s.Run.Scenarios {
		names = append(names, sc.Name)
	}
	what := s.Run.Profile
	if len(names) > 0 {
		what += " of " + strings.Join(names, ", ")
	}
	if s.Run.Shards > 1 {
		what += fmt.Sprintf(" (shard %d of %d)", s.Run.Shard, s.Run.Shards)
	}
	p.wrapped(span{plain, "  "}, plain, fmt.Sprintf("%s, %s, %s arrivals, seed %d", what, showSeconds(s.Run.Duration), s.Run.Process, s.Run.Seed))
	if labels := Labels(&s.Run); labels != "" {
		p.wrapped(span{plain, "  labels: "}, plain, labels)
	}
	p.wrapped(span{plain, "  "}, plain, accounts(&s.Arrivals))
}

// verdictLine writes a verdict, on a terminal within its width.
func (p *page) verdictLine(style style, text string) {
	if p.loose {
		p.line(span{style, text})
		return
	}
	p.wrapped(span{plain, ""}, style, text)
}

// accounts says what became of the arrivals.
func accounts(a *summary.Arrivals) string {
	parts := []string{
		fmt.Sprintf("%s %s due", showCount(a.Planned), plural(int(a.Planned), "arrival")), showCount(a.Started) + " started",
		showCount(a.Succeeded) + " succeeded",
	}
	for _, x := range []struct {
		n    int64
		word string
	}{{a.Failed, "failed"}, {a.Dropped, "dropped"}, {a.Unfinished, "unfinished"}} {
		if x.n > 0 {
			parts = append(parts, showCount(x.n)+" "+x.word)
		}
	}
	return strings.Join(parts, ", ")
}

func (p *page) briefFailures(s *summary.Summary) {
	if len(s.Failures) == 0 {
		return
	}
	p.head("failures")
	for _, f := range firstOf(s.Failures, briefFailures) {
		example := strings.TrimPrefix(f.Example, f.Kind+": ")
		if example == "" {
			p.wrapped(span{red, "  " + showCount(f.Count) + " "}, plain, f.Kind+" of "+f.Scenario)
			continue
		}
		p.wrapped(span{red, "  " + showCount(f.Count) + " "}, plain,
			fmt.Sprintf("%s of %s: %s", f.Kind, f.Scenario, shorten(figure.Line(example), briefExample)))
	}
	p.rest(len(s.Failures)-briefFailures, "kind")
}

func (p *page) briefAnswers(s *summary.Summary) {
	a := s.Analysis
	if a == nil || len(a.Sentences) == 0 && len(a.Findings) == 0 {
		return
	}
	p.head("answers")
	for _, text := range firstOf(a.Sentences, briefAnswers) {
		p.wrapped(span{plain, "  "}, plain, text)
	}
	for _, f := range firstOf(a.Findings, briefFlags) {
		style := yellow
		if f.Severity == analysis.Critical {
			style = red
		}
		p.wrapped(span{style, "  ! "}, plain, f.Title+": "+f.Sentence)
		if f.Advice != "" {
			p.wrapped(span{dim, "    → "}, dim, f.Advice)
		}
	}
	p.rest(max(len(a.Sentences)-briefAnswers, 0)+max(len(a.Findings)-briefFlags, 0), "answer")
}

func (p *page) briefNotes(s *summary.Summary) {
	if len(s.Notes) == 0 {
		return
	}
	p.head("notes on the data")
	for _, n := range firstOf(s.Notes, briefNotes) {
		p.wrapped(span{yellow, "  ! "}, plain, n)
	}
	p.rest(len(s.Notes)-briefNotes, "note")
}

// rest says how many more there are.
func (p *page) rest(n int, word string) {
	if n > 0 {
		p.line(span{dim, fmt.Sprintf("  and %d more %s", n, plural(n, word))})
	}
}

// closing writes the verdict's word once more, where a terminal ends, and where to
// read on.
func (p *page) closing(s *summary.Summary, o Options) {
	p.line()
	if o.Dir != "" {
		charts := o.Page
		if charts == "" { // the run was killed before, or somebody removed it
			charts = "perfctl report " + o.Dir + " --format html -o report.html"
		}
		p.line(span{dim, "all of it: "}, span{plain, "perfctl report " + o.Dir + " -v"})
		p.wrapped(span{dim, "charts:    "}, plain, charts)
	}
	p.line(span{verdictStyle(s), word(s)}, span{plain, fmt.Sprintf("; exit code %d", s.ExitCode)})
}

// Word is the verdict without its reasons: PASS, generator SUSPECT.
func Word(s *summary.Summary) string { return word(s) }

// RulesHeld counts the rules that held wherever they were judged, and all that were
// judged.
func RulesHeld(s *summary.Summary) (held, all int) {
	held, _ = heldRules(s.SLA)
	return held, countRules(s.SLA, judged)
}

// word is the verdict without its reasons: PASS, generator SUSPECT. What makes a run red
// that keeps its rules comes first: REGRESSED against the baseline, by its rules PASS.
func word(s *summary.Summary) string {
	text := strings.ToUpper(string(s.Verdict))
	if Spoiled(s) {
		text = "NOT WHOLE, by its rules " + text
	}
	if suspect(s) {
		text += ", generator SUSPECT"
	}
	switch c := s.Comparison; {
	case c == nil:
	case ComparisonFails(s) && s.Verdict == summary.VerdictPass:
		text = string(c.Word) + " against the baseline, by its rules " + text
	default:
		text += ", against the baseline " + string(c.Word)
	}
	return text
}

func verdictStyle(s *summary.Summary) style {
	switch {
	case ComparisonFails(s), Spoiled(s), s.Verdict == summary.VerdictFail, s.Verdict == summary.VerdictInvalid, s.Verdict == summary.VerdictIncomplete:
		return red
	case s.Verdict == summary.VerdictInterrupted:
		return yellow
	}
	return green
}

func firstOf[T any](all []T, n int) []T { return all[:min(n, len(all))] }
