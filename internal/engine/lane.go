package engine

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
)

// lane is one scenario's queue and workers. Scenarios have lanes of their own
// so that a target that stalls does not hold up another one's arrivals.
type lane struct {
	*Engine
	name    string
	exec    work.Executor
	bound   int
	queue   chan queued
	wg      sync.WaitGroup
	workers atomic.Int64
	// pending is how many arrivals are queued or being executed. It is raised
	// before an arrival is queued and lowered after it is done, so that pending
	// above workers always means that one more worker is needed.
	pending atomic.Int64
	// busy holds, for each worker, the stage of its arrival plus one, 0 while
	// it has none. Whoever swaps it to 0 accounts for the arrival.
	busy []atomic.Int32

	arrivals, started, succeeded, unfinished *metrics.Counter
	dropped                                  [len(dropReasons)]*metrics.Counter
	response, service, lagTrend, failure     *metrics.Trend
}

// queued is an arrival on its way to a worker.
type queued struct {
	work.Arrival
	// prompt says that a worker was free for it when it was released, so that
	// any delay until it starts is the generator's own.
	prompt bool
}

// A dropReason is why an arrival was never started.
type dropReason int

const (
	dropQueueFull dropReason = iota
	dropLate
	dropStopped
	dropGenerator
)

// dropReasons are the outcome tags of arrivals_dropped.
var dropReasons = [...]string{
	dropQueueFull: "queue_full",
	dropLate:      "too_late",
	dropStopped:   "stopped",
	dropGenerator: "generator_late",
}

func newLane(e *Engine, c Lane) *lane {
	tags := metrics.Tags{Scenario: c.Name}
	m := e.cfg.Metrics
	l := &lane{
		Engine: e, name: c.Name, exec: c.Executor, bound: c.Workers,
		queue: make(chan queued, e.cfg.Queue),
		busy:  make([]atomic.Int32, c.Workers),

		arrivals:   m.Counter(metrics.Arrivals, tags),
		started:    m.Counter(metrics.ArrivalsStarted, tags),
		succeeded:  m.Counter(metrics.ArrivalsSucceeded, tags),
		unfinished: m.Counter(metrics.ArrivalsUnfinished, tags),
		response:   m.Trend(metrics.ResponseTime, tags),
		service:    m.Trend(metrics.ServiceTime, tags),
		lagTrend:   m.Trend(metrics.ScheduleLag, tags),
		failure:    m.Trend(metrics.FailureTime, tags),
	}
	for r, name := range dropReasons {
		l.dropped[r] = m.Counter(metrics.ArrivalsDropped, metrics.Tags{Scenario: c.Name, Outcome: name})
	}
	return l
}

// offer hands an arrival to a worker, or queues it, or drops it. Only the
// dispatcher calls it.
func (l *lane) offer(a work.Arrival, now time.Duration) {
	n, pending := l.workers.Load(), l.pending.Add(1)
	prompt := pending <= int64(l.bound)
	if !prompt {
		l.lag.Record(a.Stage, now-a.Due)
	}
	if pending > n && n < int64(l.bound) {
		l.workers.Store(n + 1)
		l.wg.Add(1)
		go l.work(int(n))
	}
	select {
	case l.queue <- queued{a, prompt}:
	default:
		l.pending.Add(-1)
		l.drop(a.Stage, dropQueueFull)
	}
}

func (l *lane) drop(stage int, why dropReason) {
	l.dropped[why].Add(stage, 1)
	l.response.Censor(stage, 1)
}

// work executes arrivals until the queue is closed and empty.
func (l *lane) work(id int) {
	defer l.wg.Done()
	busy := &l.busy[id]
	defer l.catch(busy)
	for q := range l.queue {
		a := q.Arrival
		a.Worker = id
		a.Started = l.cfg.Clock.Now()
		if q.prompt {
			l.lag.Record(a.Stage, a.Started-a.Due)
		}
		switch {
		case l.ctx.Err() != nil:
			l.drop(a.Stage, dropStopped)
		case a.Started-a.Due > l.cfg.MaxLateness:
			l.drop(a.Stage, dropLate)
		default:
			l.execute(&a, busy)
		}
		l.pending.Add(-1)
	}
}

// catch turns the panic of an executor into the end of the run: its arrival
// counts as unfinished, and Run returns the panic as an error.
func (l *lane) catch(busy *atomic.Int32) {
	p := recover()
	if p == nil {
		return
	}
	l.panicked.CompareAndSwap(nil, &PanicError{Scenario: l.name, Value: p, Stack: debug.Stack()})
	if stage := busy.Swap(0); stage != 0 {
		l.giveUp(int(stage) - 1)
	}
	l.pending.Add(-1)
	l.kill()
}

func (l *lane) execute(a *work.Arrival, busy *atomic.Int32) {
	l.started.Add(a.Stage, 1)
	l.lagTrend.Record(a.Stage, a.Started-a.Due)
	stage := a.Stage
	busy.Store(int32(stage) + 1)
	err := l.exec.Do(l.ctx, a)
	end := l.cfg.Clock.Now()
	if busy.Swap(0) == 0 {
		return // abandoned: already counted as unfinished
	}
	switch {
	case err == nil:
		l.succeeded.Add(stage, 1)
		l.response.Record(stage, end-a.Due)
		l.service.Record(stage, end-a.Started)
	case l.ctx.Err() != nil:
		l.giveUp(stage)
	default:
		l.failure.Record(stage, end-a.Due)
		l.fail(stage, err)
	}
}

func (l *lane) fail(stage int, err error) {
	kind := work.KindOf(err)
	l.failures.count(l, kind, err).Add(stage, 1)
	if kind == work.KindTimeout {
		l.response.Censor(stage, 1)
	}
}

func (l *lane) giveUp(stage int) {
	l.unfinished.Add(stage, 1)
	l.response.Censor(stage, 1)
}

// abandon accounts for the arrivals of workers that do not return, and for
// what still waits, and returns how many workers were abandoned.
func (l *lane) abandon() (n int64) {
	for i := range l.busy {
		if stage := l.busy[i].Swap(0); stage != 0 {
			l.giveUp(int(stage) - 1)
			n++
		}
	}
	for a := range l.queue {
		l.drop(a.Stage, dropStopped)
	}
	return n
}

// inFlight is how many workers have an arrival.
func (l *lane) inFlight() int {
	return int(max(l.pending.Load()-int64(len(l.queue)), 0))
}
