// Package engine offers load: it waits for each arrival of a schedule, has it
// executed and records what became of it. It knows no target and no file
// format, and never decides whether a run was good.
package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
)

// Lane is one scenario's part in a run.
type Lane struct {
	// Name is the scenario's name.
	Name string
	// Executor executes its arrivals.
	Executor work.Executor
	// Workers bounds its arrivals in flight, those of users besides; see Split. It
	// may be 0 where the schedule has none but users.
	Workers int
}

// Config is everything an Engine needs. Zero values of the bounds mean their
// defaults.
type Config struct {
	// Schedule says when arrivals are due, Mix which lane each belongs to, by
	// the lane's index.
	Schedule *profiles.Schedule
	Mix      *profiles.Mix
	// Lanes are the scenarios, in the order of the mix.
	Lanes []Lane
	// Shard of Shards is the part of the schedule that this process offers:
	// arrivals k ≡ Shard (mod Shards). Shards 0 means the whole.
	Shard, Shards int
	// Seed decides the data of every arrival.
	Seed uint64
	// Queue bounds, for each lane, the arrivals that wait for a worker. Past
	// it an arrival is dropped. Default: see DefaultQueue.
	Queue int
	// MaxLateness drops an arrival that waited longer for a worker. Default
	// 30 s.
	MaxLateness time.Duration
	// GracefulStop is how long arrivals that are due may go on after the last
	// one came due. Default 30 s.
	GracefulStop time.Duration
	// Tolerance lets arrivals that are due within it be released together, about
	// that much late at most: fewer wake-ups, less CPU. 0 releases each by itself.
	Tolerance time.Duration
	// Clock is the run's clock.
	Clock work.Clock
	// Metrics receives what is recorded.
	Metrics *metrics.Registry
	// Tracing says which arrivals are traced, nil for none.
	Tracing *work.Tracing
	// Keeper, where it is not nil, keeps the records of arrivals.
	Keeper work.Keeper
	// Processors, where it is not 0, is how many processors Run makes the
	// runtime work with while it lasts; see Processors.
	Processors int
	// Timer makes the engine wait with the runtime's timers, which are late by
	// up to a millisecond, in place of the most precise means of the platform.
	Timer bool
}

// The defaults of Config.
const (
	DefaultMaxLateness  = 30 * time.Second
	DefaultGracefulStop = 30 * time.Second
	maxQueue            = 1 << 18
	minQueue            = 1 << 13
)

// DefaultQueue returns the bound on waiting arrivals where none is given: what
// comes due in 30 s at the schedule's highest rate, and any burst, within 8192
// and 262144.
func DefaultQueue(s *profiles.Schedule) int {
	n := s.MaxRate() * 30
	for _, stage := range s.Stages() {
		n = max(n, float64(stage.Burst))
	}
	return int(min(max(n, minQueue), maxQueue))
}

// Split shares a bound on arrivals in flight among lanes by weight. Every lane
// gets at least one, so that the sum may exceed a bound below the number of
// lanes.
func Split(bound int, weights []int) []int {
	total := 0
	for _, w := range weights {
		total += w
	}
	out := make([]int, len(weights))
	given, acc := 0, 0
	for i, w := range weights {
		acc += w
		upTo := bound * acc / max(total, 1)
		out[i] = max(upTo-given, 1)
		given = upTo
	}
	return out
}

// Engine executes one run.
type Engine struct {
	cfg   Config
	lanes []*lane
	lag   *metrics.Trend
	start atomic.Int64 // run start on the clock, ns
	end   time.Duration

	// mu guards the schedule's cursor, the mix and what is released together.
	mu     sync.Mutex
	cursor *profiles.Cursor
	batch  together

	// waiting counts the dispatchers that wait for an arrival or are about to.
	waiting     atomic.Int64
	dispatchers sync.WaitGroup
	spares      chan struct{}
	pacers      chan pacer
	// claimed counts the arrivals taken from the schedule, due those of them
	// that came due. last is closed when they are equal and the schedule is
	// exhausted, ended when spares are no longer needed.
	claimed, due atomic.Int64
	exhausted    atomic.Bool
	once         sync.Once
	last, ended  chan struct{}

	// users is how many users are this shard's, closed what they share of each stage.
	users int
	// guide, where it is not nil, says when users' arrivals are due.
	guide      work.Guide
	closed     []*closed
	crew       crew
	userPacers chan pacer

	failures  *failures
	abandoned int64
	panicked  atomic.Pointer[PanicError]
	keeper    atomic.Pointer[housekeeper]

	// arrivals ends when no more are to come due; ctx is what they are executed
	// under, kill ends it.
	arrivals, ctx context.Context
	kill          context.CancelFunc
}

// PanicError is the panic of a scenario.
type PanicError struct {
	Scenario string
	Value    any
	Stack    []byte
}

// Error returns the scenario, the value and the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("scenario %s panicked: %v\n%s", e.Scenario, e.Value, e.Stack)
}

// New checks the configuration and declares the engine's metrics.
func New(cfg Config) (*Engine, error) {
	if cfg.Schedule == nil || cfg.Mix == nil || len(cfg.Lanes) == 0 || cfg.Metrics == nil {
		return nil, errors.New("engine: a schedule, a mix, a lane and a registry are needed")
	}
	if cfg.Shards == 0 {
		cfg.Shards = 1
	}
	if cfg.Shard < 0 || cfg.Shard >= cfg.Shards {
		return nil, fmt.Errorf("engine: shard %d is not one of 0 to %d", cfg.Shard, cfg.Shards-1)
	}
	if cfg.Queue <= 0 {
		cfg.Queue = DefaultQueue(cfg.Schedule)
	}
	if cfg.MaxLateness <= 0 {
		cfg.MaxLateness = DefaultMaxLateness
	}
	if cfg.GracefulStop <= 0 {
		cfg.GracefulStop = DefaultGracefulStop
	}
	e := &Engine{cfg: cfg, failures: &failures{}}
	e.lag = cfg.Metrics.Trend(metrics.DispatchLag, metrics.Tags{})
	if e.users = Users(cfg.Schedule, cfg.Shard, cfg.Shards); e.users > MaxUsers {
		return nil, fmt.Errorf("engine: %d users are more than one process can be, %d", e.users, MaxUsers)
	}
	e.closed = closedStages(&cfg)
	if len(cfg.Lanes) == 1 {
		e.guide, _ = cfg.Lanes[0].Executor.(work.Guide)
	}
	for _, l := range cfg.Lanes {
		if l.Workers < 1 && cfg.Schedule.Total() > 0 {
			return nil, fmt.Errorf("engine: scenario %s has no worker", l.Name)
		}
		e.lanes = append(e.lanes, newLane(e, l))
	}
	return e, nil
}

// Elapsed returns the time since the run's start, negative before it.
func (e *Engine) Elapsed() time.Duration {
	return e.cfg.Clock.Now() - time.Duration(e.start.Load())
}

// Outcome is how a run went, as far as the engine can tell.
type Outcome struct {
	// Due is how many arrivals came due, Total how many the schedule holds for
	// this shard, with those of users that came due. They differ where the run was
	// stopped before its end.
	Due, Total int64
	// Stopped says that arrivals were stopped before the schedule's end.
	Stopped bool
	// Length is how long arrivals came due, Drain how long the rest took.
	Length, Drain time.Duration
	// Ends are the closed stages that ended before their time.
	Ends []StageEnd
	// Abandoned is how many workers did not return when they were told to.
	Abandoned int64
}

// Begin sets the instant of the run's start to now plus lead. It must be
// called before Run, and before a Collector reads Elapsed.
func (e *Engine) Begin(lead time.Duration) {
	e.start.Store(int64(e.cfg.Clock.Now() + lead))
}

// Run offers the schedule and returns when every arrival is accounted for.
//
// Two contexts bound it. When arrivals ends, nothing new comes due, and what
// is due may go on for the graceful stop. When all ends, or the graceful stop
// is over, what is still in flight is cancelled and counts as unfinished, and
// what still waits counts as dropped. arrivals must be derived from all. The
// error is a *PanicError where a scenario panicked; the outcome holds then too.
func (e *Engine) Run(arrivals, all context.Context) (Outcome, error) {
	e.arrivals = arrivals
	e.ctx, e.kill = context.WithCancel(all)
	defer e.kill()
	closePacers, err := e.openPacers()
	if err != nil {
		return Outcome{}, err
	}
	defer closePacers()

	keeper, undo := holdProcessors(e.cfg.Processors)
	defer undo()
	e.keeper.Store(keeper)

	out := Outcome{}
	d := e.cfg.Schedule.Duration()
	// A generator that cannot keep up must still end on time: what it has not
	// released by then is its own drop.
	e.end = time.Duration(e.start.Load()) + d + max(d/20, time.Second) + e.cfg.Tolerance
	e.cursor = e.cfg.Schedule.Cursor(e.cfg.Shard, e.cfg.Shards)
	e.spares, e.last, e.ended = make(chan struct{}), make(chan struct{}), make(chan struct{})
	e.sendUsers()
	if e.cfg.Tolerance > 0 {
		e.batch = together{until: -1}
		e.batch.ahead, e.batch.there = e.cursor.Next()
	}
	least, _ := e.waits()
	for range least {
		e.recruit()
	}
	select {
	case <-e.last:
	case <-arrivals.Done():
	case <-e.ctx.Done():
	}
	e.awaitUsers(arrivals)
	close(e.ended)
	out.Length = e.Elapsed()
	e.drain()
	byUsers := e.crew.due.Load()
	out.Due, out.Total = e.due.Load()+byUsers, e.total()+byUsers
	out.Stopped = out.Due < out.Total || e.crew.stopAt.Load() != 0
	out.Ends = e.ends()
	out.Drain = e.Elapsed() - out.Length
	out.Abandoned = e.abandoned
	if p := e.panicked.Load(); p != nil {
		return out, p
	}
	return out, nil
}

// openPacers makes a pacer for each dispatcher that may wait. They end their waits
// with either context of the run.
func (e *Engine) openPacers() (func(), error) {
	var all []pacer
	closeAll := func() {
		for _, p := range all {
			p.close()
		}
	}
	open := func(n int, timer bool) (chan pacer, error) {
		pool := make(chan pacer, n)
		for range n {
			p, err := newPacer(e.cfg.Clock, timer)
			if err != nil {
				closeAll()
				return nil, fmt.Errorf("start a pacer: %w", err)
			}
			all = append(all, p)
			pool <- p
		}
		return pool, nil
	}
	var err error
	if e.pacers, err = open(maxWaiting, e.cfg.Timer); err != nil {
		return nil, err
	}
	if e.userPacers, err = open(min(e.users, maxUserPacers), e.cfg.Timer); err != nil {
		return nil, err
	}
	interrupt := func() {
		for _, p := range all {
			p.interrupt()
		}
	}
	unhook, unhookAll := context.AfterFunc(e.arrivals, interrupt), context.AfterFunc(e.ctx, interrupt)
	return func() { unhook(); unhookAll(); closeAll() }, nil
}

// total is how many of the schedule's arrivals are this shard's.
func (e *Engine) total() int64 {
	return ShardTotal(e.cfg.Schedule.Total(), e.cfg.Shard, e.cfg.Shards)
}

// ShardTotal is how many of total arrivals, numbered from 0, are those of one
// shard: k ≡ shard (mod shards).
func ShardTotal(total int64, shard, shards int) int64 {
	return max(total-int64(shard)+int64(shards)-1, 0) / int64(shards)
}

// Progress is the engine's state at an instant.
type Progress struct {
	// InFlight and Queued are arrivals being executed and waiting.
	InFlight, Queued int
	// Users are the users that are there.
	Users int
}

// Progress returns the state now, over all lanes.
func (e *Engine) Progress() Progress {
	p := Progress{Users: int(e.crew.present.Load())}
	for _, l := range e.lanes {
		p.InFlight += int(l.inFlight.Load())
		p.Queued += len(l.queue)
	}
	return p
}

// Failures returns the kinds of failure that occurred, with their counts and
// one example each, most frequent first.
func (e *Engine) Failures() []Failure { return e.failures.list() }
