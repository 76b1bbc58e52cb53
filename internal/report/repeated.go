package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/summary"
)

// JUnitRepeated writes repeated runs as one JUnit file: the rules that their mean decides
// and the comparison once, and under the number of each run what it alone answers for, as
// its checks. So a file fails where the exit code does.
func JUnitRepeated(w io.Writer, all *summary.Repeated) error {
	whole := all.Whole()
	out := junitSuites{Name: "perfctl " + figure.Line(whole.Run.Profile)}
	mean := suiteOf(whole, "mean")
	for _, r := range whole.SLA {
		mean.add(ruleCase(r))
	}
	for _, x := range []junitSuite{mean, comparisonSuite(whole)} {
		if len(x.Cases) > 0 {
			out.take(x)
		}
	}
	took := 0.0
	for i := range all.Ended {
		s := all.Rest(i)
		took += s.Run.Duration
		for _, x := range junitOf(s).Suites {
			x.Name += fmt.Sprintf(".%d", i+1)
			for k := range x.Cases {
				x.Cases[k].Class = x.Name
			}
			out.take(x)
		}
	}
	out.Time = junitSeconds(took)
	return writeJUnit(w, out)
}

// AnnotationsRepeated writes the annotations of repeated runs: of the mean and the
// comparison, and under the number of each run those of what it alone answers for.
func AnnotationsRepeated(w io.Writer, all *summary.Repeated) error {
	b := bufio.NewWriter(w)
	annotate(b, "perfctl", all.Whole())
	for i := range all.Ended {
		annotate(b, fmt.Sprintf("perfctl run %d", i+1), all.Rest(i))
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write annotations: %w", err)
	}
	return nil
}
