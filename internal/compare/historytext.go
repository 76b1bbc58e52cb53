package compare

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// shownRuns is how many runs the text lists, the newest ones.
const shownRuns = 30

// HistoryText writes a history for a terminal: the runs, P95 response time as a
// line, and what changed from which run on. all lists every run.
func HistoryText(w io.Writer, h *History, all bool) error {
	var b strings.Builder
	tag := ""
	if h.Tag != "" {
		tag = " with " + h.Tag
	}
	fmt.Fprintf(&b, "%s of %s%s, %s\n\n", clean(h.Profile), clean(strings.Join(h.Scenarios, ", ")), clean(tag), countRuns(len(h.Runs)))
	changed := map[int]bool{}
	for _, c := range h.Changes {
		changed[c.Run] = true
	}
	from := 0
	if !all {
		from = max(len(h.Runs)-shownRuns, 0)
	}
	if from > 0 {
		fmt.Fprintf(&b, "  %d older runs (-v lists them)\n", from)
	}
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  \t#\trun\tstarted\tversion\tverdict\terrors\tp(50)\tp(95)\tp(99)")
	for i, r := range h.Runs[from:] {
		mark := ""
		if changed[from+i] {
			mark = "◆"
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", "  "+mark, from+i+1, clean(r.Dir), r.Started.UTC().Format("2006-01-02 15:04"), clean(r.Version), verdictOf(r),
			figure.Value(r.Errors, metrics.UnitRatio), shown(r.P50), shown(r.P95), shown(r.P99))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n  p(95)  %s\n", line(h.Runs[from:]))
	h.writeChanges(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (h *History) writeChanges(b *strings.Builder) {
	switch {
	case len(h.Runs) < FewestPast:
		fmt.Fprintf(b, "\nchanges are looked for from %d runs on\n", FewestPast)
		return
	case len(h.Changes) == 0:
		fmt.Fprintf(b, "\nno figure changed by %s or more\n", figure.Value(h.MinEffect, metrics.UnitRatio))
		return
	}
	last := -1
	for _, c := range h.Changes {
		if c.Run != last {
			last = c.Run
			r := h.Runs[c.Run]
			fmt.Fprintf(b, "\n◆ from run %d on (%s, %s)\n", c.Run+1, clean(r.Dir), r.Started.UTC().Format("2006-01-02 15:04"))
			for _, d := range c.Differences {
				fmt.Fprintf(b, "    not the same as before: %s\n", clean(d))
			}
		}
		fmt.Fprintf(b, "  %-9s %s\n", c.Word, c.sentence())
	}
}

// Sentence says what changed.
func (c *Change) Sentence() string { return c.sentence() }

// sentence says what changed.
func (c *Change) sentence() string {
	f := Figure{Metric: c.Metric, Stat: c.Stat}
	by := ""
	if c.Metric != errorRate {
		by = " by " + figure.Share(math.Abs(c.After/c.Before-1))
	}
	verb := "fell"
	if c.After > c.Before {
		verb = "rose"
	}
	return fmt.Sprintf("%s %s %s%s, from %s to %s", clean(c.Metric), c.Stat, verb, by, f.show(&c.Before), f.show(&c.After))
}

func verdictOf(p Past) string {
	if p.Verdict == "" {
		return "no summary"
	}
	return strings.ToUpper(clean(p.Verdict))
}

func shown(ms *float64) string {
	if ms == nil {
		return "–"
	}
	return figure.Value(*ms*1e6, metrics.UnitTime)
}

// line draws P95 of the runs, from 0 to the highest.
func line(runs []Past) string {
	values := make([]float64, len(runs))
	for i, r := range runs {
		if values[i] = math.NaN(); r.P95 != nil {
			values[i] = *r.P95
		}
	}
	return figure.Spark(values, 0)
}

func countRuns(n int) string {
	if n == 1 {
		return "1 run"
	}
	return fmt.Sprintf("%d runs", n)
}
