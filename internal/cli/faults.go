package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/run"
)

// parseFaults reads what --fault breaks.
func parseFaults(list []string) (out []faults.Fault, err error) {
	var errs []error
	for _, text := range list {
		f, err := faults.Parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--%w", err))
			continue
		}
		f.Place = "--fault " + text
		out = append(out, f)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return out, nil
}

// scaleFaults scales the times of faults as those of stages are.
func scaleFaults(list []faults.Fault, scale float64) {
	for i := range list {
		list[i] = profiles.ScaleFault(list[i], scale)
	}
}

// timetable shows what will be broken, and when.
func timetable(p *run.Plan) string {
	list := p.Faults()
	if len(list) == 0 {
		return ""
	}
	b := &strings.Builder{}
	fmt.Fprintln(b, "\nfaults:")
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  name\tbegins\tlasts\twhat")
	for _, f := range list {
		what := f.String()
		if f.Undo != "" {
			what += ", undone by: " + f.Undo
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", figure.Line(f.Name), figure.Duration(f.Start.Round(time.Millisecond)),
			figure.Duration((f.End - f.Start).Round(time.Millisecond)), figure.Line(what))
	}
	_ = tw.Flush() // a strings.Builder takes everything
	return b.String()
}
