package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
)

// Annotations writes workflow commands of GitHub Actions, which show up beside
// the job: an error for each breach of the SLA, each failed check, each figure that
// regressed against the baseline and whatever
// makes the run worthless, a warning for each rule that only warns. A run
// without any of them writes nothing.
func Annotations(w io.Writer, s *summary.Summary) error {
	b := bufio.NewWriter(w)
	annotate(b, "perfctl", s)
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write annotations: %w", err)
	}
	return nil
}

// annotate writes the annotations of a run, whose titles begin with prefix.
func annotate(b *bufio.Writer, prefix string, s *summary.Summary) {
	tell(s, func(command, title, text string) {
		fmt.Fprintf(b, "::%s title=%s::%s\n", command, escapeProperty(prefix+": "+strings.TrimPrefix(title, "perfctl: ")), escapeData(text))
	})
}

// tell says what somebody has to know of a run: as an error, a warning or a notice, with a
// title.
func tell(s *summary.Summary, say func(command, title, text string)) {
	switch s.Verdict {
	case summary.VerdictInvalid:
		say("error", "perfctl: the run is invalid", unusable(s))
	case summary.VerdictIncomplete:
		say("error", "perfctl: the run is incomplete", incomplete(s))
	case summary.VerdictInterrupted:
		say("error", "perfctl: interrupted", interrupted(s))
	}
	if Spoiled(s) {
		say("error", "perfctl: not whole", spoiling(s))
	}
	if s.Stopped != nil {
		say("error", "perfctl: stopped early", strings.TrimSuffix(stopped(s), "; "))
	}
	for _, r := range s.SLA {
		text := breachText(r)
		if r.Action != "" {
			text += "; " + r.Action
		}
		switch {
		case r.Breaches():
			say("error", "perfctl: "+ruleName(r), text)
		case r.Status == sla.Warned, r.Status == sla.NoData:
			say("warning", "perfctl: "+ruleName(r), text)
		case r.Near:
			say("notice", "perfctl: "+ruleName(r)+" is near its limit", text)
		}
	}
	for _, c := range s.Checks {
		if !c.Passed {
			say("error", "perfctl: "+c.Name, c.Detail)
		}
	}
	annotateComparison(s, say)
	if s.Generator.Status == states.GeneratorSuspect {
		say("warning", "perfctl: the generator is suspect", strings.Join(s.Generator.Reasons, "; "))
	}
}

// escapeData escapes what the runner reads as structure in a command's text.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(figure.Line(s))
}

// escapeProperty escapes what it reads as structure in a command's properties.
func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(figure.Line(s))
}
