package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/live"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// terminal is what the live view needs of the process, besides its streams.
type terminal struct {
	// keys is the keyboard, nil without one; screen is the terminal itself.
	keys   io.Reader
	screen io.Writer
	// owned says whether the program may take the terminal over: one in the
	// background may not.
	owned   func() bool
	environ []string
	// interrupt does what a signal does.
	interrupt func()
}

// The least terminal that the live view is worth.
const (
	leastColumns = 24
	leastRows    = 5
)

// openScreen starts the live view where there is a terminal for it; elsewhere
// progress goes on in lines.
func (w *world) openScreen(pr *progress, p *plan, judge *sla.Judge) {
	t := w.terminal
	if t == nil || !pr.live || pr.quiet || p.streams.onTerminal || !t.owned() {
		return
	}
	if columns, rows := w.errWidth(), w.errHeight(); columns < leastColumns || rows < leastRows {
		return
	}
	c := live.Config{
		Title: p.profile.Name, Offered: func(at time.Duration) float64 { return p.schedule.RateAt(at) / float64(p.shards) },
		Quit: t.interrupt, Color: w.colour(true), In: t.keys, Out: t.screen, Environ: t.environ,
	}
	for i, s := range p.profile.Stages {
		c.Stages = append(c.Stages, live.Stage{Name: s.Name, Start: p.schedule.StageStart(i), Length: s.Duration})
	}
	pr.open(live.Start(c), func(totals *metrics.Totals) ([]sla.Result, live.Health) {
		return judge.SoFar(totals), p.healthSoFar(totals)
	})
}

// healthSoFar judges the generator in mid-run by what its metrics tell.
func (p *plan) healthSoFar(t *metrics.Totals) live.Health {
	count := func(d metrics.Desc, outcome string) int64 {
		n, _ := t.Counter(metrics.Selector{Name: d.Name, Tags: metrics.Tags{Outcome: outcome}})
		return n
	}
	mean := func(gauge string) (sum float64) {
		values := t.Gauge(metrics.Selector{Name: gauge})
		for _, v := range values {
			sum += v / float64(len(values))
		}
		return sum
	}
	due := count(metrics.Arrivals, "")
	r := health.Judge(health.Evidence{
		Lag: t.Trend(metrics.Selector{Name: metrics.DispatchLag.Name}), Planned: due,
		Released: due - count(metrics.ArrivalsDropped, engine.DroppedByGenerator), Started: count(metrics.ArrivalsStarted, ""),
		Exhausted: count(metrics.ArrivalsFailed, "exhausted"), Tolerance: p.flags.tolerance + p.burstAllowance(),
		Usage: health.Usage{
			CPUShare: mean(health.CPUPercent) / 100 / float64(runtime.GOMAXPROCS(0)), RunQueue: mean(health.RunQueue),
		},
	})
	return live.Health{Status: string(r.Status), Reasons: r.Reasons}
}

// keptLines bounds what is said while the live view is on the screen and printed
// once it is gone.
const keptLines = 1000

// open lets the live view show what the progress tells.
func (p *progress) open(v *live.View, judge func(*metrics.Totals) ([]sla.Result, live.Health)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.screen, p.judge = v, judge
}

// onScreen says whether the live view shows what is told.
func (p *progress) onScreen() bool { return p.screen != nil && p.screen.Alive() }

// keep shows a text on the screen, and keeps it for when that is gone.
func (p *progress) keep(text string) {
	p.screen.Say(text)
	if p.said = append(p.said, text); len(p.said) > keptLines {
		p.said = p.said[1:]
	}
}

// closeScreen gives the terminal back, and prints what was said meanwhile.
func (p *progress) closeScreen() {
	if p.screen == nil {
		return
	}
	p.screen.Stop()
	p.screen = nil
	for _, text := range p.said {
		fmt.Fprintln(p.out, text)
	}
	p.said = nil
}

// guarded returns f such that a panic of it, which ends the program, leaves a clean
// terminal to be read on.
func (p *progress) guarded(f func()) func() {
	return func() {
		defer func() {
			if fault := recover(); fault != nil {
				p.done()
				panic(fault)
			}
		}()
		f()
	}
}

// Write shows a line of the log.
func (p *progress) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.onScreen() {
		p.keep(strings.TrimRight(string(line), "\n"))
		return len(line), nil
	}
	p.clear()
	return p.out.Write(line)
}
