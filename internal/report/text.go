package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
)

// Text writes the summary for a terminal. By default it is about forty lines:
// verdict, stages, response time by scenario, what was missed, failures and
// answers. With Options.Full it is all there is: what was run, the stages, every
// metric in dotted lines, checks, failures, the SLA rules, the answers of the
// analysis, the generator, and the verdict. It depends on nothing but the summary,
// so that it can be repeated at any time.
func Text(w io.Writer, s *summary.Summary, o Options) error {
	p := newPage(w, o)
	if o.Full {
		p.full(s, o.Dir)
	} else {
		p.brief(s, o)
	}
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

func (p *page) full(s *summary.Summary, dir string) {
	p.header(s)
	p.stages(s)
	p.faults(s, len(faultsOf(s)))
	p.metrics(s)
	p.checks(s.Checks)
	p.failures(s.Failures)
	p.rules(s.SLA)
	p.answers(s.Analysis)
	p.generator(&s.Generator)
	p.notes(s)
	p.verdict(s, dir)
}

func (p *page) header(s *summary.Summary) {
	r := &s.Run
	total := 0
	for _, sc := range r.Scenarios {
		total += sc.Weight
	}
	var parts []string
	for _, sc := range r.Scenarios {
		part := sc.Name
		if len(r.Scenarios) > 1 && total > 0 {
			part += " " + showShare(float64(sc.Weight)/float64(total))
		}
		parts = append(parts, part)
	}
	what := fmt.Sprintf("(100.00%%) %d %s", len(parts), plural(len(parts), "scenario"))
	if r.Shards > 1 {
		what = fmt.Sprintf("(shard %d of %d) %d %s", r.Shard, r.Shards, len(parts), plural(len(parts), "scenario"))
	}
	p.wrapped(span{bold, "scenarios: "}, plain, fmt.Sprintf("%s, %s max in flight, %s max duration (includes %s graceful stop)",
		what, showCount(int64(r.MaxInFlight)), showSeconds(r.Planned+r.GracefulStop), showSeconds(r.GracefulStop)))
	p.wrapped(span{bold, "           "}, plain, strings.Join(parts, ", "))
	p.wrapped(span{bold, "profile:   "}, plain, fmt.Sprintf("%s, %s planned %s, %s, seed %d; started %s, took %s", r.Profile,
		showCount(s.Arrivals.Scheduled), plural(int(s.Arrivals.Scheduled), "arrival"), r.Process, r.Seed,
		r.Started.UTC().Format(time.RFC3339), showSeconds(r.Duration)))
	if labels := Labels(r); labels != "" {
		p.wrapped(span{bold, "labels:    "}, plain, labels)
	}
	if m := r.Merged; m != nil {
		p.wrapped(span{bold, "shards:    "}, plain, shards(m))
	}
}

// shards says of what a merged run was made.
func shards(m *rundir.MergeInfo) string {
	text := fmt.Sprintf("%d of %d started", len(m.Starts), m.Shards)
	var last rundir.ShardStart
	for _, s := range m.Starts {
		if s.Offset >= last.Offset {
			last = s
		}
	}
	switch {
	case len(m.Starts) > 1 && last.Offset == 0:
		text += " at one instant by their clocks"
	case len(m.Starts) > 1:
		text += fmt.Sprintf(" within %s by their clocks, shard %d last", showMillis(last.Offset), last.Shard)
	}
	return text
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

func (p *page) checks(checks []summary.Check) {
	if len(checks) == 0 {
		return
	}
	p.head("consistency checks")
	var held []string
	for _, c := range checks {
		text := c.Name
		if c.Detail != "" {
			text += ": " + c.Detail
		}
		if c.Passed {
			held = append(held, text)
			continue
		}
		p.wrapped(span{red, "  ✗ "}, plain, text)
	}
	for _, text := range held {
		p.wrapped(span{green, "  ✓ "}, plain, text)
	}
}

func (p *page) failures(all []summary.Failure) {
	if len(all) == 0 {
		return
	}
	p.head("failures")
	var widths [3]int
	columns := func(f *summary.Failure) [3]string {
		return [3]string{shorten(figure.Line(f.Scenario), widestName), shorten(figure.Line(f.Kind), widestName), showCount(f.Count)}
	}
	for i := range all {
		for c, text := range columns(&all[i]) {
			widths[c] = max(widths[c], utf8.RuneCountInString(text))
		}
	}
	for i := range all {
		c := columns(&all[i])
		first := fmt.Sprintf("  %-*s  %-*s  %*s", widths[0], c[0], widths[1], c[1], widths[2], c[2])
		if all[i].Example == "" {
			p.line(span{plain, first})
			continue
		}
		p.wrapped(span{plain, first + "  e.g. "}, plain, shorten(all[i].Example, shownExample))
	}
}

const (
	// widestName bounds a column of names.
	widestName = 24
	// shownExample is how much of an example is shown; all of it is in the summary.
	shownExample = 320
)

func (p *page) generator(g *summary.GeneratorHealth) {
	style := green
	switch g.Status {
	case states.GeneratorInvalid:
		style = red
	case states.GeneratorSuspect:
		style = yellow
	}
	parts := []string{fmt.Sprintf("released late by p(50)=%s p(99)=%s p(99.9)=%s max=%s",
		optional(g.Lag.P50, showMillis), optional(g.Lag.P99, showMillis), optional(g.Lag.P999, showMillis), optional(g.Lag.Max, showMillis))}
	if g.CPU != nil {
		parts = append(parts, "CPU "+show(*g.CPU, metrics.UnitPercent)+" of a core")
	}
	if g.MaxRSS != nil {
		parts = append(parts, "memory "+showBytes(float64(*g.MaxRSS)))
	}
	if g.GCPauseMax != nil {
		parts = append(parts, "GC pause "+showMillis(*g.GCPauseMax))
	}
	p.line()
	p.line(span{bold, "generator: "}, span{style, strings.ToUpper(g.Status)})
	p.wrapped(span{plain, "  "}, plain, strings.Join(parts, ", "))
	for _, r := range g.Reasons {
		p.wrapped(span{style, "  ! "}, plain, r)
	}
}

func (p *page) notes(s *summary.Summary) {
	if len(s.Notes) == 0 {
		return
	}
	p.head("notes on the data")
	for _, n := range s.Notes {
		p.wrapped(span{yellow, "  ! "}, plain, n)
	}
}
