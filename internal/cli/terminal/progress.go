package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/live"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/run"
)

// Progress shows on stderr how a run goes: the live view or a line that is rewritten
// on a terminal, and elsewhere a line for each stage and every ten seconds. It is a
// run's observer: it reads snapshots and never holds the run up.
type Progress struct {
	mu    sync.Mutex
	out   io.Writer
	live  bool
	quiet bool
	// calm leaves out, off a terminal, the steps and seconds of a run: it is one of
	// many, and each of them has a line of its own.
	calm  bool
	width func() int
	// view is what can be shown of the run that goes on, openScreen starts the live
	// view for it where there is a terminal for one.
	view       run.View
	openScreen func(run.View) *live.View
	// screen is the live view while it is open, said what was said meanwhile.
	screen *live.View
	said   []string

	step    *step // besides the run itself
	running bool  // the first second is over
	shown   bool  // a live line stands on the screen
	stage   int
	lastOut time.Duration
	recent  []tick
}

// Options say how much a Progress shows.
type Options struct {
	// Quiet shows nothing but warnings.
	Quiet bool
	// Calm is for one run of many: each has a line of its own.
	Calm bool
	// Screen opens the live view where the terminal is fit for it.
	Screen bool
}

// Progress returns the progress view of this terminal.
func (t *Terminal) Progress(o Options) *Progress {
	kind, _ := t.LookupEnv("TERM")
	p := &Progress{out: t.Stderr, live: t.ErrTTY && kind != "dumb", quiet: o.Quiet, calm: o.Calm, width: t.ErrWidth}
	if o.Screen && p.live && !p.quiet {
		p.openScreen = t.openScreen
	}
	return p
}

// tick is one second's figures.
type tick struct {
	done, failed, dropped int64
	span                  time.Duration
	hist                  *metrics.Hist
	inFlight, users       float64
}

// recentSeconds is the window that the live figures describe.
const recentSeconds = 10

// Say prints a line of its own.
func (p *Progress) Say(text string) {
	if !p.quiet {
		p.Warn(text)
	}
}

// Note prints a line of its own, unless this is one of many runs.
func (p *Progress) Note(text string) {
	if !p.calm {
		p.Say(text)
	}
}

// Warn prints a line of its own, whatever was asked to be left out.
func (p *Progress) Warn(text string) {
	text = figure.Lines(text)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.onScreen() {
		p.keep(text)
		return
	}
	p.clear()
	fmt.Fprintln(p.out, text)
}

// Done removes the live view or the live line.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget()
	p.closeScreen()
	p.clear()
}

func (p *Progress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.shown = false
	}
}

func (p *Progress) rewrite(line string) {
	line = figure.Line(line)
	if w := p.width(); w > 1 {
		line = truncate(line, w-1)
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
	p.shown = true
}

// Begin says that load is about to be offered. The run before, if there was one, is
// over.
func (p *Progress) Begin(v run.View) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.view, p.running, p.stage, p.lastOut, p.recent = v, false, 0, 0, nil
	if p.openScreen == nil || p.screen != nil {
		return
	}
	if screen := p.openScreen(v); screen != nil {
		p.clear()
		p.screen = screen
	}
}

// Second shows a second of the run.
func (p *Progress) Second(s *metrics.Snapshot, c *metrics.Collector) {
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
		c.Totals(func(t *metrics.Totals) {
			results, health := p.view.SoFar(t)
			p.screen.Judge(results, live.Health(health))
		})
		return
	}
	p.recent = append(p.recent, tickOf(s))
	if len(p.recent) > recentSeconds {
		p.recent = p.recent[1:]
	}
	if p.step != nil || s.End > p.view.Schedule.Duration()+time.Second {
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
		switch g.Series.Name {
		case metrics.InFlight.Name:
			t.inFlight += g.Value // of each shard
		case metrics.Users.Name:
			t.users += g.Value
		}
	}
	return t
}

// line describes the last seconds: stage, time left, offered and achieved
// rate, percentiles, errors.
func (p *Progress) line(s *metrics.Snapshot) string {
	var sum tick
	sum.hist = new(metrics.Hist)
	for _, t := range p.recent {
		sum.done += t.done
		sum.failed += t.failed
		sum.dropped += t.dropped
		sum.span += t.span
		sum.hist.Merge(t.hist)
	}
	left := max(p.view.Schedule.Duration()-s.End, 0).Round(time.Second)
	now := p.recent[len(p.recent)-1]
	var b strings.Builder
	offered := "offered " + rate(p.view.Offered(s.End-time.Millisecond))
	if p.view.Schedule.Closed(s.Stage) {
		offered = "users " + figure.Whole(now.users)
	}
	fmt.Fprintf(&b, "%-10s %5s left  %s  achieved %s  in flight %s", p.view.Stages[s.Stage].Name, figure.Duration(left),
		offered, rate(float64(now.done)/max(now.span.Seconds(), 1e-9)), figure.Whole(now.inFlight))
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

func rate(v float64) string { return figure.Value(v, metrics.UnitPerSec) }

func quantile(h *metrics.Hist, q float64) string {
	v, atLeast, ok := h.Quantile(q)
	switch {
	case !ok:
		return "–"
	case atLeast:
		return "≥" + figure.Value(float64(v), metrics.UnitTime)
	}
	return figure.Value(float64(v), metrics.UnitTime)
}

// truncate cuts a line to a terminal's width, in runes.
func truncate(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return string(r[:width-1]) + "…"
}
