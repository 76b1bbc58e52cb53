package document

import (
	"fmt"
	"io"
	"strings"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/capacity/trials"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/sla"
)

// CapacityText writes what a search found for people, as it ends. paint gives a text the
// colour of a code.
func CapacityText(w io.Writer, c *trials.Report, dir string, paint func(code, text string) string) error {
	for i := range c.Results {
		r := &c.Results[i]
		if err := capacity.Text(w, &r.Result); err != nil {
			return err
		}
		for _, x := range r.SLA {
			mark := paint("32", "✓")
			if x.Status != sla.Passed {
				mark = paint("31", "✗")
			}
			if _, err := fmt.Fprintf(w, "  %s %s: %s\n", mark, x.Rule, x.Actual); err != nil {
				return err
			}
		}
	}
	colour := "31;1"
	if c.ExitCode == exitcode.Pass {
		colour = "32;1"
	}
	_, err := fmt.Fprintf(w, "\n%s: %s; trials in %s; exit code %d\n",
		paint(colour, strings.ToUpper(c.Verdict)), c.Why(), dir, c.ExitCode)
	return err
}
