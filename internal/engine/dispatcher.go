package engine

import (
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/profiles"
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

// waits returns minWaiting and maxWaiting. Where arrivals are released together one
// dispatcher waits, for all of them: each further one would be a wake-up of its own.
func (e *Engine) waits() (least, most int64) {
	if e.cfg.Tolerance > 0 {
		return 1, 1
	}
	return minWaiting, maxWaiting
}

// claim is the next arrival, the lane that it belongs to and when it is released.
type claim struct {
	work.Arrival
	lane    *lane
	release time.Duration
}

// claim takes the next arrival of the schedule into c; ok is false after the
// last. It is the only point where dispatchers meet: the schedule is a sequence.
func (e *Engine) claim(c *claim) (ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, ok := e.next()
	if !ok {
		e.exhausted.Store(true)
		return false
	}
	e.claimed.Add(1)
	i, n := e.cfg.Mix.At(a.K)
	c.lane = e.lanes[i]
	c.Arrival = work.Arrival{K: a.K, N: n, Seed: e.cfg.Seed, Due: time.Duration(e.start.Load()) + a.Due, Stage: a.Stage}
	c.release, c.Shared = e.release(a.Due)
	c.Trace = e.cfg.Tracing.Of(&c.Arrival)
	return true
}

// together is how arrivals are released together; Engine.mu guards it.
type together struct {
	// ahead is the arrival after the one that was claimed last, there says whether
	// there is one.
	ahead profiles.Arrival
	there bool
	// until is the instant that the arrivals due by then are released at, several
	// says that there is more than one.
	until   time.Duration
	several bool
}

// next returns the next arrival of the schedule, and with a tolerance looks at the
// one after it.
func (e *Engine) next() (profiles.Arrival, bool) {
	if e.cfg.Tolerance <= 0 {
		return e.cursor.Next()
	}
	a, ok := e.batch.ahead, e.batch.there
	e.batch.ahead, e.batch.there = e.cursor.Next()
	return a, ok
}

// release returns the instant at which an arrival that is due so long after the run's
// start is released: the instant itself, or with a tolerance when the first of those
// that go together was due that long ago. An arrival with which no other could go is
// not kept waiting, so that a tolerance never costs lateness where it saves nothing.
// shared says whether others go with it.
func (e *Engine) release(due time.Duration) (at time.Duration, shared bool) {
	start, b := time.Duration(e.start.Load()), &e.batch
	if e.cfg.Tolerance <= 0 {
		return start + due, false
	}
	if due > b.until {
		b.until = due
		if b.several = b.there && b.ahead.Due <= due+e.cfg.Tolerance; b.several {
			b.until += e.cfg.Tolerance
		}
	}
	return start + b.until, b.several
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
	least, most := e.waits()
	for {
		ok := e.claim(c)
		if ok && e.await(c.release) {
			e.due.Add(1)
		} else {
			ok = false
		}
		waiting := e.waiting.Add(-1)
		e.noteLast()
		if !ok {
			return
		}
		if waiting < least && !e.exhausted.Load() {
			e.recruit()
		}
		c.lane.arrive(&c.Arrival)
		if e.panicked.Load() != nil {
			return
		}
		if !e.stay(most) {
			select {
			case <-e.spares:
			case <-e.ended:
				return
			}
		}
	}
}

// stay counts the calling dispatcher among those that wait, unless there are enough. It
// never counts one too many, not even for an instant: a dispatcher that leaves in that
// instant would take it for the one that remains.
func (e *Engine) stay(most int64) bool {
	for {
		n := e.waiting.Load()
		if n >= most {
			return false
		}
		if e.waiting.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// noteLast tells Run when the last arrival came due.
func (e *Engine) noteLast() {
	if e.exhausted.Load() && e.due.Load() == e.claimed.Load() {
		e.once.Do(func() { close(e.last) })
	}
}

// await returns true once an arrival is to be released, and false when no more are
// to come. An arrival is never early; one that is late keeps its due time.
func (e *Engine) await(release time.Duration) bool {
	if e.stopped() {
		return false
	}
	if e.cfg.Clock.Now() >= release {
		return true
	}
	p := <-e.pacers
	ok := p.wait(release)
	e.pacers <- p
	return ok && !e.stopped()
}

func (e *Engine) stopped() bool { return e.arrivals.Err() != nil || e.ctx.Err() != nil }

// drain waits for what is due: to the end of the graceful stop, or of the run.
// Then it cancels what is in flight and waits a short time for the dispatchers.
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
