package compare

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// Text writes the comparison for a terminal: why it may mislead, what differs
// besides the figures, the figures of the gate, every other figure that is not
// OK, and the word of the whole. all writes every figure.
func Text(w io.Writer, c *Comparison, all bool) error {
	var b strings.Builder
	for _, x := range c.Cautions {
		fmt.Fprintf(&b, "CAUTION: %s\n", clean(x))
	}
	fmt.Fprintf(&b, "base: %s\nnew:  %s\n", clean(strings.Join(c.Base, ", ")), clean(strings.Join(c.New, ", ")))
	if len(c.Differences) > 0 {
		b.WriteString("\nnot the same:\n")
		for _, d := range c.Differences {
			fmt.Fprintf(&b, "  %s\n", clean(d))
		}
	}
	b.WriteString("\n")
	rows, quiet := c.Rows(all)
	if err := writeRows(&b, rows); err != nil {
		return err
	}
	if n := quiet[OK] + quiet[Inconclusive]; n > 0 {
		fmt.Fprintf(&b, "  and %d notes: %d OK, %d INCONCLUSIVE (-v lists them)\n", n, quiet[OK], quiet[Inconclusive])
	}
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "  %s\n", clean(n))
	}
	fmt.Fprintf(&b, "\n%s\nA difference below %s, or %s for a share, does not matter.\n\n%s\n", c.Method, c.Least.text(false), c.Least.text(true), clean(c.Says))
	_, err := io.WriteString(w, b.String())
	return err
}

// writeRows writes the figures, those that are notes below the gate's.
func writeRows(b *strings.Builder, rows []Row) error {
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  figure\tstage\t\tbase\tnew\tdifference\tinterval\t")
	for _, r := range rows {
		word := string(r.Word)
		if !r.Gated {
			word = "note: " + word
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Metric, r.Stage, r.Stat, r.Base, r.New, r.Difference, r.Interval, word)
	}
	return tw.Flush()
}

// sentence says what came of the comparison in one line.
func (c *Comparison) sentence() string {
	count, gated := 0, 0
	for i := range c.Figures {
		if f := &c.Figures[i]; f.Gated {
			gated++
			if f.Word == c.Word {
				count++
			}
		}
	}
	of := fmt.Sprintf("%d of %d gated figures", count, gated)
	f := c.telling()
	switch {
	case f == nil:
		return fmt.Sprintf("%s: it would take %s", c.Word, c.Settle)
	case c.Word == Inconclusive:
		return fmt.Sprintf("%s: %s cannot be told; %s; it would take %s", c.Word, of, f.plain(), c.Settle)
	case c.Word == OK:
		return fmt.Sprintf("%s: no difference that matters in %d gated figures", c.Word, gated)
	case c.Word == Improved:
		return fmt.Sprintf("%s: nothing regressed, and %s improved; %s", c.Word, of, f.plain())
	}
	return fmt.Sprintf("%s: %s; %s", c.Word, of, f.plain())
}

// Sentence says what came of the comparison in one line.
func (c *Comparison) Sentence() string {
	if c.Says == "" { // one of an older run
		return string(c.Word)
	}
	return c.Says
}

// plain says a figure without its word.
func (f *Figure) plain() string {
	in := ""
	if f.Stage != "" {
		in = " in " + f.Stage
	}
	by := ""
	if f.Ratio != nil { // a difference that cannot be told is not said
		by = fmt.Sprintf(" %s (%s)", f.change(f.Ratio), f.between())
	}
	return fmt.Sprintf("%s %s%s%s, from %s to %s", clean(f.Metric), f.Stat, clean(in), by, f.show(f.Base), f.show(f.New))
}

// sentence says a figure, its word, and what would settle it.
func (f *Figure) sentence() string {
	text := fmt.Sprintf("%s: %s", f.plain(), f.Word)
	if f.Settle != "" {
		text += "; it would take " + f.Settle
	}
	return text
}

// isShare says whether the figure is a share and not a time.
func (f *Figure) isShare() bool { return f.Stat == "rate" }

func (f *Figure) show(v *float64) string {
	switch {
	case v == nil:
		return "–"
	case f.isShare():
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
	case f.isShare():
		return figure.SignedPoints(*v)
	}
	return figure.SignedShare(*v - 1)
}

func (f *Figure) between() string {
	if f.Low == nil || f.High == nil {
		return "–"
	}
	return f.change(f.Low) + " to " + f.change(f.High)
}

// clean keeps what is read from files from reaching a terminal as a command.
func clean(s string) string { return figure.Line(s) }
