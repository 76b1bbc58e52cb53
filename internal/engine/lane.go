package engine

import (
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
)

// lane is one scenario's workers and queue. Scenarios have lanes of their own
// so that a target that stalls does not hold up another one's arrivals.
type lane struct {
	*Engine
	name     string
	exec     work.Executor
	rations  work.Rationed // nil where nothing can be used up
	workers  *slots
	inFlight atomic.Int64
	queue    chan work.Arrival
	// busy holds, for each worker, the stage of its arrival plus one, 0 while
	// it has none. Whoever swaps it to 0 accounts for the arrival.
	busy []atomic.Int32
	// notes are the workers' own, nil where no records are kept; index is the lane's.
	notes []*work.Notes
	index int

	arrivals, started, succeeded, unfinished *metrics.Counter
	dropped                                  [len(dropReasons)]*metrics.Counter
	response, service, lagTrend, failure     *metrics.Trend
	session, paused                          *metrics.Trend
}

// A dropReason is why an arrival was never started.
type dropReason int

const (
	dropQueueFull dropReason = iota
	dropLate
	dropStopped
	dropGenerator
)

// DroppedByGenerator is the outcome tag of arrivals_dropped for arrivals that
// the generator itself was too late to release.
const DroppedByGenerator = "generator_late"

// dropReasons are the outcome tags of arrivals_dropped.
var dropReasons = [...]string{
	dropQueueFull: "queue_full",
	dropLate:      "too_late",
	dropStopped:   "stopped",
	dropGenerator: DroppedByGenerator,
}

func newLane(e *Engine, c Lane) *lane {
	tags := metrics.Tags{Scenario: c.Name}
	m, users := e.cfg.Metrics, e.users
	l := &lane{
		Engine: e, name: c.Name, exec: c.Executor, workers: newSlots(users, c.Workers),
		queue: make(chan work.Arrival, e.cfg.Queue),
		busy:  make([]atomic.Int32, users+c.Workers),

		arrivals:   m.Counter(metrics.Arrivals, tags),
		started:    m.Counter(metrics.ArrivalsStarted, tags),
		succeeded:  m.Counter(metrics.ArrivalsSucceeded, tags),
		unfinished: m.Counter(metrics.ArrivalsUnfinished, tags),
		response:   m.Trend(metrics.ResponseTime, tags),
		service:    m.Trend(metrics.ServiceTime, tags),
		session:    m.Trend(metrics.SessionDuration, tags),
		paused:     m.Trend(metrics.SessionPause, tags),
		lagTrend:   m.Trend(metrics.ScheduleLag, tags),
		failure:    m.Trend(metrics.FailureTime, tags),
	}
	l.rations, _ = c.Executor.(work.Rationed)
	l.index = len(e.lanes)
	if e.cfg.Keeper != nil {
		l.notes = make([]*work.Notes, len(l.busy))
		for i := range l.notes {
			l.notes[i] = e.cfg.Keeper.Notes(l.index, i)
		}
	}
	for r, name := range dropReasons {
		l.dropped[r] = m.Counter(metrics.ArrivalsDropped, metrics.Tags{Scenario: c.Name, Outcome: name})
	}
	return l
}

// arrive takes an arrival that came due: it executes it, or queues it where
// every worker has one, or drops it. It returns when the calling dispatcher is free
// again.
func (l *lane) arrive(a *work.Arrival) {
	l.arrivals.Add(a.Stage, 1)
	now := l.cfg.Clock.Now()
	a.Released = now
	l.lag.Record(a.Stage, now-a.Due)
	if now > l.end {
		l.drop(a.Stage, dropGenerator)
		return
	}
	id, free := l.workers.take()
	if free {
		l.work(id, a, now)
	} else {
		select {
		case l.queue <- *a:
		default:
			l.drop(a.Stage, dropQueueFull)
			return
		}
	}
	// A worker may have looked into the queue just before an arrival was put
	// there, and be free now: then nobody else would come for it.
	l.help(a)
}

// help executes what waits in the queue while there is a free worker for it.
// It overwrites a.
func (l *lane) help(a *work.Arrival) {
	for len(l.queue) > 0 {
		id, free := l.workers.take()
		if !free {
			return
		}
		select {
		case *a = <-l.queue:
			l.work(id, a, l.cfg.Clock.Now())
		default:
			l.workers.put(id)
		}
	}
}

// work executes an arrival, and after it what waits in the queue.
func (l *lane) work(id int, a *work.Arrival, now time.Duration) {
	defer l.catch(&l.busy[id])
	l.inFlight.Add(1)
	for {
		l.attempt(id, a, now)
		select {
		case *a = <-l.queue:
			now = l.cfg.Clock.Now()
			continue
		default:
		}
		break
	}
	l.inFlight.Add(-1)
	l.workers.put(id)
}

// attempt executes an arrival, or drops it where it waited too long.
func (l *lane) attempt(id int, a *work.Arrival, now time.Duration) {
	a.Worker, a.Started = id, now
	switch {
	case l.ctx.Err() != nil:
		l.drop(a.Stage, dropStopped)
	case now-a.Due > l.cfg.MaxLateness:
		l.drop(a.Stage, dropLate)
	default:
		l.execute(a, &l.busy[id])
	}
}

func (l *lane) drop(stage int, why dropReason) {
	l.dropped[why].Add(stage, 1)
	l.response.Censor(stage, 1)
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
	l.inFlight.Add(-1)
	l.kill()
}

func (l *lane) execute(a *work.Arrival, busy *atomic.Int32) {
	l.started.Add(a.Stage, 1)
	l.lagTrend.Record(a.Stage, a.Started-a.Due)
	stage := a.Stage
	busy.Store(int32(stage) + 1)
	if l.notes != nil {
		if a.Notes = l.notes[a.Worker]; a.Notes != nil {
			a.Notes.Reset()
			a.Notes.Trace = a.Trace
		}
	}
	err := l.exec.Do(l.ctx, a)
	end := l.cfg.Clock.Now()
	if busy.Swap(0) == 0 {
		return // abandoned: already counted as unfinished
	}
	if l.notes != nil {
		l.cfg.Keeper.Keep(l.index, a, end, err)
	}
	switch {
	case err == nil:
		l.succeeded.Add(stage, 1)
		l.response.Record(stage, end-a.Due-a.Paused)
		l.service.Record(stage, end-a.Started-a.Paused)
		if a.Paused > 0 {
			l.session.Record(stage, end-a.Due)
			l.paused.Record(stage, a.Paused)
		}
	case l.ctx.Err() != nil:
		l.giveUp(stage)
	default:
		l.failure.Record(stage, end-a.Due-a.Paused)
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
	for {
		select {
		case a := <-l.queue:
			l.drop(a.Stage, dropStopped)
			continue
		default:
		}
		return n
	}
}
