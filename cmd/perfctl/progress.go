package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/live"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/sla"
)

// progress tells on stderr how a run goes: the live view or a line that is
// rewritten on a terminal, and elsewhere a line for each stage and every ten
// seconds. It reads snapshots and never holds the run up.
type progress struct {
	mu    sync.Mutex
	out   io.Writer
	live  bool
	quiet bool
	// calm leaves out, off a terminal, the steps and seconds of a run: it is one
	// of many, and each of them has a line of its own.
	calm     bool
	width    func() int
	schedule *profiles.Schedule
	stages   []profiles.Stage

	// screen is the live view while it is open, judge what it shows beside the
	// snapshots, said what was said meanwhile.
	screen *live.View
	judge  func(*metrics.Totals) ([]sla.Result, live.Health)
	said   []string

	doing   *doing // besides the run itself
	running bool   // the first second is over
	shown   bool   // a live line stands on the screen
	stage   int
	lastOut time.Duration
	recent  []tick
}

// tick is one second's figures.
type tick struct {
	done, failed, dropped int64
	span                  time.Duration
	hist                  *metrics.Hist
	inFlight              float64
}

// recentSeconds is the window that the live figures describe.
const recentSeconds = 10

// say prints a line of its own.
func (p *progress) say(format string, args ...any) {
	if p.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	text := figure.Lines(fmt.Sprintf(format, args...))
	if p.onScreen() {
		p.keep(text)
		return
	}
	p.clear()
	fmt.Fprintln(p.out, text)
}

// note prints a line of its own, unless this is one of many runs.
func (p *progress) note(format string, args ...any) {
	if !p.calm {
		p.say(format, args...)
	}
}

// done removes the live view or the live line.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget()
	p.closeScreen()
	p.clear()
}

func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.shown = false
	}
}

func (p *progress) rewrite(line string) {
	line = figure.Line(line)
	if w := p.width(); w > 1 {
		line = truncate(line, w-1)
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
	p.shown = true
}

// snapshot shows a second of the run.
func (p *progress) snapshot(s *metrics.Snapshot, c *metrics.Collector) {
	if p.quiet || p.calm && !p.live {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running && s.End > 0 {
		p.running = true
		p.forget() // what was waited for
	}
	if p.onScreen() {
		p.screen.Snapshot(s)
		c.Totals(func(t *metrics.Totals) { p.screen.Judge(p.judge(t)) })
		return
	}
	p.recent = append(p.recent, tickOf(s))
	if len(p.recent) > recentSeconds {
		p.recent = p.recent[1:]
	}
	if p.doing != nil || s.End > p.schedule.Duration()+time.Second {
		return // draining: the run says so itself
	}
	entered := s.Stage != p.stage || s.Number == 0
	if p.live {
		p.rewrite(p.line(s))
		return
	}
	if entered || s.End-p.lastOut >= recentSeconds*time.Second-time.Second/2 {
		fmt.Fprintln(p.out, figure.Line(p.line(s)))
		p.lastOut = s.End
	}
	p.stage = s.Stage
}

func tickOf(s *metrics.Snapshot) tick {
	t := tick{span: s.End - s.Start, hist: new(metrics.Hist)}
	for _, c := range s.Counters {
		switch c.Series.Name {
		case metrics.ArrivalsSucceeded.Name:
			t.done += c.Delta
		case metrics.ArrivalsFailed.Name:
			t.failed += c.Delta
		case metrics.ArrivalsDropped.Name:
			t.dropped += c.Delta
		}
	}
	for _, v := range s.Trends {
		if v.Series.Name == metrics.ResponseTime.Name {
			t.hist.Merge(v.Hist)
		}
	}
	for _, g := range s.Gauges {
		if g.Series.Name == metrics.InFlight.Name {
			t.inFlight = g.Value
		}
	}
	return t
}

// line describes the last seconds: stage, time left, offered and achieved
// rate, percentiles, errors.
func (p *progress) line(s *metrics.Snapshot) string {
	var sum tick
	sum.hist = new(metrics.Hist)
	for _, t := range p.recent {
		sum.done += t.done
		sum.failed += t.failed
		sum.dropped += t.dropped
		sum.span += t.span
		sum.hist.Merge(t.hist)
	}
	left := max(p.schedule.Duration()-s.End, 0).Round(time.Second)
	now := p.recent[len(p.recent)-1]
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s %5s left  offered %s/s  done %s/s  in flight %.0f", p.stages[s.Stage].Name, shortDuration(left),
		compact(p.schedule.RateAt(s.End-time.Millisecond)), compact(float64(now.done)/max(now.span.Seconds(), 1e-9)), now.inFlight)
	if !sum.hist.Empty() {
		fmt.Fprintf(&b, "  p50 %s p95 %s p99 %s", quantile(sum.hist, 0.5), quantile(sum.hist, 0.95), quantile(sum.hist, 0.99))
	}
	if sum.failed > 0 {
		fmt.Fprintf(&b, "  failed %d", sum.failed)
	}
	if sum.dropped > 0 {
		fmt.Fprintf(&b, "  dropped %d", sum.dropped)
	}
	return b.String()
}

func quantile(h *metrics.Hist, q float64) string {
	v, atLeast, ok := h.Quantile(q)
	switch {
	case !ok:
		return "–"
	case atLeast:
		return "≥" + compactTime(time.Duration(v))
	}
	return compactTime(time.Duration(v))
}

// compact prints a number with three digits.
func compact(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func compactTime(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.3gms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.0fµs", float64(d)/1e3)
}

// shortDuration prints 4m05s as people say it, without the zero parts.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// truncate cuts a line to a terminal's width, in runes.
func truncate(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return string(r[:width-1]) + "…"
}
