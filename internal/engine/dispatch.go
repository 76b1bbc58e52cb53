package engine

import (
	"context"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/profiles"
)

// dispatcher releases the arrivals of the schedule, one after the other.
type dispatcher struct {
	*Engine
	pacer  pacer
	cursor *profiles.Cursor
	due    int64
}

// run returns when every arrival was released or accounted for, or arrivals
// ended. An arrival is never released early; one that is late keeps its due
// time, and the ones after it keep theirs.
func (d *dispatcher) run(arrivals, all context.Context) {
	start := time.Duration(d.start.Load())
	// A generator that cannot keep up must still end on time: what it has not
	// released by then is its own drop.
	end := start + d.cfg.Schedule.Duration() + max(d.cfg.Schedule.Duration()/20, time.Second)
	now := d.cfg.Clock.Now()
	for n := 0; ; n++ {
		a, ok := d.cursor.Next()
		if !ok {
			return
		}
		due := start + a.Due
		if due > now {
			if now = d.cfg.Clock.Now(); due > now {
				if !d.pacer.wait(d.release(due)) {
					return
				}
				now = d.cfg.Clock.Now()
			}
		}
		if n&63 == 0 {
			// The wait above notices the end at once; this is for a generator
			// that is behind and therefore never waits.
			if arrivals.Err() != nil || all.Err() != nil {
				return
			}
			now = d.cfg.Clock.Now()
		}
		d.offer(&a, due, now, now > end)
	}
}

// release returns the instant to wake up for an arrival due then: the instant
// itself, or with a tolerance the next point of a grid of that width, so that
// arrivals that share a cell share a wake-up.
func (d *dispatcher) release(due time.Duration) time.Duration {
	tol := d.cfg.Tolerance
	if tol <= 0 {
		return due
	}
	if past := due % tol; past != 0 {
		return due + tol - past
	}
	return due
}

func (d *dispatcher) offer(a *profiles.Arrival, due, now time.Duration, tooLate bool) {
	d.due++
	i, n := d.cfg.Mix.At(a.K)
	l := d.lanes[i]
	l.arrivals.Add(a.Stage, 1)
	if tooLate {
		d.lag.Record(a.Stage, now-due)
		l.drop(a.Stage, dropGenerator)
		return
	}
	l.offer(work.Arrival{K: a.K, N: n, Seed: d.cfg.Seed, Due: due, Stage: a.Stage}, now)
}

// drain waits for what is due: to the end of the graceful stop, or of ctx.
// Then it cancels what is in flight and waits a moment for the workers.
func (e *Engine) drain(ctx context.Context) {
	for _, l := range e.lanes {
		close(l.queue)
	}
	idle := make(chan struct{})
	go func() {
		for _, l := range e.lanes {
			l.wg.Wait()
		}
		close(idle)
	}()
	grace := time.NewTimer(e.cfg.GracefulStop)
	defer grace.Stop()
	select {
	case <-idle:
		return
	case <-grace.C:
	case <-ctx.Done():
	}
	e.kill()
	patience := time.NewTimer(abandonAfter)
	defer patience.Stop()
	select {
	case <-idle:
	case <-patience.C:
	}
	for _, l := range e.lanes {
		e.abandoned.Add(l.abandon())
	}
}

// abandonAfter is how long workers have to return once their context ended.
const abandonAfter = 3 * time.Second
