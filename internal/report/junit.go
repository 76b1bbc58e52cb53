package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
)

// The elements of JUnit's XML, as Ant's schema and Jenkins' have them in common.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string      `xml:"name,attr"`
		Tests      int         `xml:"tests,attr"`
		Failures   int         `xml:"failures,attr"`
		Errors     int         `xml:"errors,attr"`
		Skipped    int         `xml:"skipped,attr"`
		Time       string      `xml:"time,attr"`
		Timestamp  string      `xml:"timestamp,attr"`
		Properties *junitProps `xml:"properties"`
		Cases      []junitCase `xml:"testcase"`
	}
	junitProps struct {
		All []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		Class     string        `xml:"classname,attr"`
		Time      string        `xml:"time,attr"`
		Skipped   *junitMessage `xml:"skipped"`
		Error     *junitMessage `xml:"error"`
		Failure   *junitMessage `xml:"failure"`
		SystemOut string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes the run as JUnit XML, which CI servers show as tests: each SLA
// rule, each consistency check and each gated figure of the comparison with the
// baseline is a case, and so is the generator. What
// breaches the SLA is a failure, what makes the run worthless an error, a rule
// that was not exercised is skipped, and one that only warns passes and says so.
func JUnit(w io.Writer, s *summary.Summary) error { return writeJUnit(w, junitOf(s)) }

func junitOf(s *summary.Summary) junitSuites {
	out := junitSuites{Name: "perfctl " + figure.Line(s.Run.Profile), Time: junitSeconds(s.Run.Duration)}
	rules := suiteOf(s, "SLA")
	for _, r := range s.SLA {
		rules.add(ruleCase(r))
	}
	checks := suiteOf(s, "consistency")
	for _, c := range s.Checks {
		x := junitCase{Name: figure.Line(c.Name), SystemOut: figure.Line(c.Detail)}
		if !c.Passed {
			x.Failure, x.SystemOut = &junitMessage{Message: figure.Line(c.Detail), Type: "check"}, ""
		}
		checks.add(x)
	}
	compared := comparisonSuite(s)
	run := suiteOf(s, "run")
	run.Time = out.Time // in one suite only, so that the sum over suites is the run's
	run.Properties = &junitProps{[]junitProperty{
		{"run", figure.Line(s.Run.ID)}, {"seed", fmt.Sprint(s.Run.Seed)}, {"version", figure.Line(s.Run.Version)},
		{"verdict", string(s.Verdict)}, {"exit code", fmt.Sprint(s.ExitCode)},
	}}
	run.add(generatorCase(s))
	run.add(completeCase(s))
	for _, x := range []junitSuite{rules, checks, compared, run} {
		if len(x.Cases) == 0 {
			continue
		}
		out.Suites = append(out.Suites, x)
		out.Tests, out.Failures, out.Errors = out.Tests+x.Tests, out.Failures+x.Failures, out.Errors+x.Errors
	}
	return out
}

func writeJUnit(w io.Writer, out junitSuites) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func suiteOf(s *summary.Summary, name string) junitSuite {
	return junitSuite{
		Name:      "perfctl." + figure.Line(s.Run.Profile) + "." + name,
		Time:      junitSeconds(0),
		Timestamp: s.Run.Started.UTC().Format("2006-01-02T15:04:05"),
	}
}

func (x *junitSuite) add(c junitCase) {
	c.Class, c.Time = x.Name, junitSeconds(0)
	x.Tests++
	switch {
	case c.Failure != nil:
		x.Failures++
	case c.Error != nil:
		x.Errors++
	case c.Skipped != nil:
		x.Skipped++
	}
	x.Cases = append(x.Cases, c)
}

func junitSeconds(s float64) string { return fmt.Sprintf("%.3f", s) }

func ruleCase(r sla.Result) junitCase {
	c := junitCase{Name: figure.Line(ruleName(r))}
	text := figure.Line(ruleText(r))
	switch {
	case r.Breaches():
		c.Failure = &junitMessage{Message: figure.Line(breachText(r)), Type: string(r.Status), Text: figure.Line(r.Action)}
	case r.Status == sla.NotExercised:
		c.Skipped = &junitMessage{Message: "not exercised: " + text}
	case r.Status == sla.Undecided:
		c.Skipped = &junitMessage{Message: "undecided: " + text}
	case r.Status == sla.Passed && r.Near:
		c.SystemOut = "near the limit: " + text
	case r.Status == sla.Passed:
		c.SystemOut = text
	default:
		c.SystemOut = "warning: " + text + "\n" + figure.Line(r.Action)
	}
	return c
}

// ruleText tells a rule's metric, target and figure.
func ruleText(r sla.Result) string {
	return fmt.Sprintf("%s: %s, target %s", r.Metric, orNone(r.Actual), r.Target)
}

func generatorCase(s *summary.Summary) junitCase {
	c := junitCase{Name: "the generator kept up"}
	reasons := figure.Line(strings.Join(s.Generator.Reasons, "; "))
	switch s.Generator.Status {
	case states.GeneratorInvalid:
		c.Error = &junitMessage{Message: reasons, Type: states.Invalid, Text: "What the run offered is not what was asked for: its figures say nothing about the target."}
	case states.GeneratorSuspect:
		c.SystemOut = "warning: " + reasons
	}
	return c
}

func completeCase(s *summary.Summary) junitCase {
	c := junitCase{Name: "the run is complete"}
	switch {
	case s.Verdict == summary.VerdictInterrupted:
		c.Error = &junitMessage{Message: interrupted(s), Type: states.Interrupted}
	case s.Verdict == summary.VerdictIncomplete, s.Run.Incomplete:
		c.Error = &junitMessage{Message: figure.Line(incomplete(s)), Type: states.Incomplete, Text: figure.Line(strings.Join(s.Notes, "; "))}
	case Spoiled(s):
		c.Error = &junitMessage{Message: figure.Line(spoiling(s)), Type: "not whole"}
	case s.Stopped != nil:
		c.Failure = &junitMessage{Message: figure.Line(strings.TrimSuffix(stopped(s), "; ")), Type: "stopped"}
	}
	return c
}
