package engine

import (
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// A dispatcher is a goroutine that claims the next arrival of the schedule, waits
// for it and executes it itself. Nothing is handed from one goroutine to
// another between the due time and the target: a hand-over costs a second
// wake-up, which doubles the CPU of an idle generator's arrival and its
// lateness.
//
// A few dispatchers always wait, so that an arrival is already claimed when the one
// before it comes due. A dispatcher that leaves to execute its arrival sees to it
// that enough remain; one that comes back stays only if it is needed, and is a
// spare otherwise. So the number of dispatchers follows the arrivals in flight.

const (
	// minWaiting is how many dispatchers must wait when one leaves, maxWaiting how
	// many may. The gap keeps dispatchers from being called and sent away in turn.
	minWaiting = 2
	maxWaiting = 4
)

// claim is the next arrival and the lane that it belongs to.
type claim struct {
	work.Arrival
	lane *lane
}

// claim takes the next arrival of the schedule into c; ok is false after the
// last. It is the only point where dispatchers meet: the schedule is a sequence.
func (e *Engine) claim(c *claim) (ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, ok := e.cursor.Next()
	if !ok {
		e.exhausted.Store(true)
		return false
	}
	e.claimed.Add(1)
	i, n := e.cfg.Mix.At(a.K)
	c.lane = e.lanes[i]
	c.Arrival = work.Arrival{K: a.K, N: n, Seed: e.cfg.Seed, Due: time.Duration(e.start.Load()) + a.Due, Stage: a.Stage}
	c.Trace = e.cfg.Tracing.Of(&c.Arrival)
	return true
}

// recruit adds a waiting dispatcher: a spare where there is one.
func (e *Engine) recruit() {
	e.waiting.Add(1)
	select {
	case e.spares <- struct{}{}:
	default:
		e.dispatchers.Add(1)
		go e.dispatch()
	}
}

// dispatch claims, waits and executes until the schedule or the run ends.
func (e *Engine) dispatch() {
	defer e.dispatchers.Done()
	c := new(claim) // one for the dispatcher's life: executors may take its address
	for {
		ok := e.claim(c)
		if ok && e.await(c.Due) {
			e.due.Add(1)
		} else {
			ok = false
		}
		waiting := e.waiting.Add(-1)
		e.noteLast()
		if !ok {
			return
		}
		if waiting < minWaiting && !e.exhausted.Load() {
			e.recruit()
		}
		c.lane.arrive(&c.Arrival)
		if e.panicked.Load() != nil {
			return
		}
		if e.waiting.Add(1) > maxWaiting {
			e.waiting.Add(-1)
			select {
			case <-e.spares:
			case <-e.ended:
				return
			}
		}
	}
}

// noteLast tells Run when the last arrival came due.
func (e *Engine) noteLast() {
	if e.exhausted.Load() && e.due.Load() == e.claimed.Load() {
		e.once.Do(func() { close(e.last) })
	}
}

// await returns true once an arrival is due, and false when no more are to
// come. An arrival is never early; one that is late keeps its due time.
func (e *Engine) await(due time.Duration) bool {
	if e.stopped() {
		return false
	}
	if e.cfg.Clock.Now() >= due {
		return true
	}
	p := <-e.pacers
	ok := p.wait(e.release(due))
	e.pacers <- p
	return ok && !e.stopped()
}

func (e *Engine) stopped() bool { return e.arrivals.Err() != nil || e.ctx.Err() != nil }

// release returns the instant to wake up for an arrival due then: the instant
// itself, or with a tolerance the next point of a grid, so that arrivals that
// share a cell share a wake-up. Runtime timers are late by up to a millisecond
// anyway and release together what came due in it: that much of the tolerance
// is left to them.
func (e *Engine) release(due time.Duration) time.Duration {
	grid := e.cfg.Tolerance
	if e.coarse() {
		grid -= timerLateness
	}
	if grid <= 0 {
		return due
	}
	if past := due % grid; past != 0 {
		return due + grid - past
	}
	return due
}

// timerLateness is how late the runtime's timers are at worst on an idle
// machine: the poller's time-out is in whole milliseconds.
const timerLateness = time.Millisecond

// batch is from how many arrivals within the tolerance on the runtime's timers
// cost less than a precise wake-up for each of them.
const batch = 2

// coarse says whether the runtime's timers are precise enough for the
// tolerance, and cheaper.
func (e *Engine) coarse() bool {
	rate := e.cfg.Schedule.MaxRate() / float64(e.cfg.Shards)
	return e.cfg.Tolerance >= timerLateness && rate*e.cfg.Tolerance.Seconds() >= batch
}

// drain waits for what is due: to the end of the graceful stop, or of the run.
// Then it cancels what is in flight and waits a moment for the dispatchers.
func (e *Engine) drain() {
	idle := make(chan struct{})
	go func() {
		e.dispatchers.Wait()
		close(idle)
	}()
	grace := time.NewTimer(e.cfg.GracefulStop)
	defer grace.Stop()
	select {
	case <-idle:
		return
	case <-grace.C:
	case <-e.ctx.Done():
	}
	e.kill()
	patience := time.NewTimer(abandonAfter)
	defer patience.Stop()
	select {
	case <-idle:
	case <-patience.C:
	}
	for _, l := range e.lanes {
		e.abandoned += l.abandon()
	}
}

// abandonAfter is how long dispatchers have to return once their context ended.
const abandonAfter = 3 * time.Second
