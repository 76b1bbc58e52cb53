package compare

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// Text writes the comparison for a terminal: what differs besides the figures,
// the response times of all stages and of each, every other figure that is not
// OK, and the word of the whole. all writes every figure.
func Text(w io.Writer, c *Comparison, all bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "base: %s\nnew:  %s\n", strings.Join(c.Base, ", "), strings.Join(c.New, ", "))
	if len(c.Differences) > 0 {
		b.WriteString("\nnot the same:\n")
		for _, d := range c.Differences {
			fmt.Fprintf(&b, "  %s\n", clean(d))
		}
	}
	b.WriteString("\n")
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  figure\tstage\t\tbase\tnew\tdifference\tinterval\t")
	rows, quiet := c.Rows(all)
	for _, r := range rows {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Metric, r.Stage, r.Stat, r.Base, r.New, r.Difference, r.Interval, r.Word)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if n := quiet[OK] + quiet[Inconclusive]; n > 0 {
		fmt.Fprintf(&b, "  and %d figures of operations: %d OK, %d INCONCLUSIVE (-v lists them)\n", n, quiet[OK], quiet[Inconclusive])
	}
	fmt.Fprintf(&b, "\n%s\nA difference below %s does not count.\n\n%s\n", c.Method, figure.Value(c.MinEffect, metrics.UnitRatio), c.Sentence())
	_, err := io.WriteString(w, b.String())
	return err
}

// Sentence says what came of the comparison in one line.
func (c *Comparison) Sentence() string {
	var worst *Figure
	regressed, improved := 0, 0
	for i := range c.Figures {
		f := &c.Figures[i]
		switch f.Word {
		case Regressed:
			if regressed++; worst == nil {
				worst = f
			}
		case Improved:
			improved++
		}
	}
	switch {
	case worst != nil:
		in := ""
		if worst.Stage != "" {
			in = " in " + worst.Stage
		}
		return fmt.Sprintf("%s: %d of %d figures; %s %s%s %s, from %s to %s", c.Word, regressed, len(c.Figures), clean(worst.Metric), worst.Stat, clean(in),
			worst.change(worst.Ratio), worst.show(worst.Base), worst.show(worst.New))
	case c.Word == Inconclusive:
		return fmt.Sprintf("%s: the runs are too short, or too unsteady, to tell; repeat them, or let them last longer", c.Word)
	case improved > 0:
		return fmt.Sprintf("%s: nothing regressed, %d of %d figures improved", c.Word, improved, len(c.Figures))
	}
	return fmt.Sprintf("%s: nothing regressed", c.Word)
}

func (f *Figure) show(v *float64) string {
	switch {
	case v == nil:
		return "–"
	case f.Metric == errorRate:
		return figure.Value(*v, metrics.UnitRatio)
	}
	return figure.Value(*v*1e6, metrics.UnitTime)
}

// change shows a ratio as a difference in percent, and a difference of shares in
// percentage points.
func (f *Figure) change(v *float64) string {
	switch {
	case v == nil:
		return "–"
	case f.Metric == errorRate:
		return fmt.Sprintf("%+.2f pp", *v*100)
	}
	return fmt.Sprintf("%+.1f %%", (*v-1)*100)
}

func (f *Figure) between() string {
	if f.Low == nil || f.High == nil {
		return "–"
	}
	return f.change(f.Low) + " to " + f.change(f.High)
}

// clean keeps what is read from files from reaching a terminal as a command.
func clean(s string) string { return figure.Line(s) }
