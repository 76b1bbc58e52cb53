package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/summary"
)

// JUnitSuite writes the runs of a suite as one JUnit file: what JUnit has of each run,
// under the run's name. A run without a summary is an error, one that was not made is
// skipped.
func JUnitSuite(w io.Writer, all *summary.Suite) error {
	out := junitSuites{Name: "perfctl " + figure.Line(all.Name), Time: junitSeconds(all.Duration)}
	for i := range all.Runs {
		r := &all.Runs[i]
		if r.Summary == nil {
			x := junitSuite{Name: "perfctl." + r.Name, Time: junitSeconds(0), Timestamp: all.Started.UTC().Format("2006-01-02T15:04:05")}
			c := junitCase{Name: "the run was made"}
			if r.NotRun != "" {
				c.Skipped = &junitMessage{Message: r.NotRun}
			} else {
				c.Error = &junitMessage{Message: figure.Line(r.Error), Type: fmt.Sprintf("exit code %d", r.ExitCode)}
			}
			x.add(c)
			out.take(x)
			continue
		}
		for _, x := range junitOf(r.Summary).Suites {
			x.Name = "perfctl." + r.Name + "/" + x.Name
			for k := range x.Cases {
				x.Cases[k].Class = x.Name
			}
			out.take(x)
		}
	}
	return writeJUnit(w, out)
}

// take adds a suite with its counts.
func (s *junitSuites) take(x junitSuite) {
	s.Suites = append(s.Suites, x)
	s.Tests, s.Failures, s.Errors = s.Tests+x.Tests, s.Failures+x.Failures, s.Errors+x.Errors
}

// AnnotationsSuite writes the annotations of every run of a suite, under the run's name.
func AnnotationsSuite(w io.Writer, all *summary.Suite) error {
	b := bufio.NewWriter(w)
	for i := range all.Runs {
		r := &all.Runs[i]
		switch {
		case r.Summary != nil:
			annotate(b, "perfctl "+r.Name, r.Summary)
		case r.NotRun != "":
			fmt.Fprintf(b, "::warning title=%s::%s\n", escapeProperty("perfctl "+r.Name), escapeData("not run: "+r.NotRun))
		default:
			fmt.Fprintf(b, "::error title=%s::%s\n", escapeProperty("perfctl "+r.Name), escapeData(r.Error))
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write annotations: %w", err)
	}
	return nil
}
