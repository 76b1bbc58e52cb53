package capacity

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// Text writes a result for people: the sentence, the curve as a table with a bar
// for P95, its knee, the law, and what could not be told.
func Text(w io.Writer, r *Result) error {
	var b bytes.Buffer
	if r.Name != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(r.Name))
	}
	fmt.Fprintf(&b, "\n%s\n", r.Sentence)
	if len(r.Curve) > 0 {
		b.WriteString("\n")
		table(&b, r)
	}
	b.WriteString("\n")
	r.boundsText(&b)
	if r.Knee != nil {
		fmt.Fprintf(&b, "  knee: P95 turns up at %s, where it is %s\n", r.Said(r.Knee.Rate), millis(&r.Knee.P95, false))
	}
	if r.Law != nil {
		r.Law.text(&b)
	}
	for _, u := range r.CannotSay {
		fmt.Fprintf(&b, "  cannot say (%s): %s\n", u.Question, u.Because)
	}
	fmt.Fprintf(&b, "  %d trials in %s\n", len(r.Trials), figure.Length(r.Took))
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Result) boundsText(b *bytes.Buffer) {
	if r.Lower == nil {
		return
	}
	fmt.Fprintf(b, "  lower bound: %s", r.Said(*r.Lower))
	if r.Confirmed {
		b.WriteString(", held for a confirming trial")
	} else {
		b.WriteString(", not confirmed")
	}
	b.WriteString("\n")
	if r.Upper == nil {
		b.WriteString("  upper bound: not known\n")
		return
	}
	fmt.Fprintf(b, "  upper bound: %s, %s above\n", r.Said(*r.Upper), figure.Rough(*r.Width, metrics.UnitRatio))
	for i, x := range r.Broke {
		word := "broke there"
		switch {
		case x.Warning:
			word = "at the same time"
		case i > 0:
			word = "broke as well"
		}
		fmt.Fprintf(b, "    %s: %s\n", word, x.String())
	}
}

// barWidth is how many characters the longest bar has.
const barWidth = 20

func table(b *bytes.Buffer, r *Result) {
	var text bytes.Buffer
	tw := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	low, high := math.Inf(1), 0.0
	task := ""
	for _, p := range r.Curve {
		if v := p.slow(); v != nil && *v > 0 {
			low, high = min(low, *v), max(high, *v)
		}
		if p.Task != nil {
			task = "task p95\t"
		}
	}
	offered := "offered/s"
	if r.Users {
		offered = "users"
	}
	fmt.Fprintln(tw, "  "+offered+"\tdone/s\tin flight\tp50\tp95\tp99\t"+task+"errors\theld\t")
	for _, p := range r.Curve {
		if task != "" {
			task = millis(p.Task, false) + "\t"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s%s\t%d of %d\t\n", num(p.Rate), num(p.Achieved), num(p.Concurrency),
			millis(p.P50, p.AtLeast), millis(p.P95, p.AtLeast), millis(p.P99, p.AtLeast), task, figure.Share(p.ErrorRate), p.Held, p.Trials)
	}
	_ = tw.Flush() // a buffer takes everything
	for i, line := range strings.Split(strings.TrimRight(text.String(), "\n"), "\n") {
		if i == 0 {
			what := "p95"
			if task != "" {
				what = "the slower p95"
			}
			fmt.Fprintf(b, "%s  %s, log scale\n", line, what)
			continue
		}
		fmt.Fprintf(b, "%s  %s\n", line, bar(r.Curve[i-1].slow(), low, high))
	}
}

// bar draws a value on a log scale.
func bar(v *float64, low, high float64) string {
	if v == nil || *v <= 0 {
		return ""
	}
	n := 1
	if high > low {
		n += int(math.Round((barWidth - 1) * math.Log(*v/low) / math.Log(high/low)))
	}
	return strings.Repeat("▇", n)
}

// millis prints a time that is given in milliseconds.
func millis(v *float64, atLeast bool) string {
	if v == nil {
		return "–"
	}
	sign := ""
	if atLeast {
		sign = "≥"
	}
	return sign + figure.Millis(*v)
}

func (l *Law) text(b *bytes.Buffer) {
	fmt.Fprintf(b, "  scalability: λ %s, σ %s, κ %s (R² %s)", num(l.Lambda), num(l.Sigma), num(l.Kappa), num(l.R2))
	switch {
	case l.Peak == nil:
		b.WriteString(": throughput rises with concurrency, no peak\n")
		return
	case l.Concurrency == nil:
		fmt.Fprintf(b, ": throughput nears %s/s, without a peak", num(*l.Peak))
	default:
		fmt.Fprintf(b, ": throughput peaks at %s/s, with %s in flight", num(*l.Peak), num(*l.Concurrency))
	}
	if l.Low != nil && l.High != nil {
		fmt.Fprintf(b, " (%s to %s without one point)", num(*l.Low), num(*l.High))
	}
	b.WriteString("\n")
}
