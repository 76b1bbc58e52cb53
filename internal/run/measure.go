package run

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/meeting"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/sla"
)

// Measurement is what came out of a run besides its recorded seconds.
type Measurement struct {
	Outcome     engine.Outcome
	Interrupted bool
	// Aborted is the rule that ended the run early, nil where none did.
	Aborted  *sla.Breach
	Failures []engine.Failure
	Usage    health.Usage
	Totals   *metrics.Totals
	Elapsed  time.Duration
	Checks   []scenarios.Check
	// Accounts are what a shard counted, by scenario: its checks are made when all
	// shards' are put together.
	Accounts map[string]*scenarios.Account
	// AbortedBy says why another shard, or who drives them all, ended the run early.
	AbortedBy string
	// Panicked is the panic of a scenario, nil where there was none.
	Panicked error
}

// Watcher runs beside the engine until the run is over.
type Watcher func(ctx context.Context, e *engine.Engine)

// measurer measures one run.
type measurer struct {
	*Prepared
	show      Observer
	engine    *engine.Engine
	heap      *heapKeeper
	sampler   *health.Sampler
	collector *metrics.Collector
	second    *second
	// beside are the goroutines that take readings, background what ends them.
	beside     sync.WaitGroup
	background context.Context
}

// measure offers the plan's load to its scenarios. Every subscriber receives every
// snapshot.
func (x *Prepared) measure(ctx context.Context, heap *heapKeeper, watch Watcher, subscribers ...func(*metrics.Snapshot)) (*Measurement, error) {
	e, err := x.newEngine()
	if err != nil {
		return nil, err
	}
	arrivals, all, stop := x.session.twoSignals(ctx)
	defer stop()
	arrivals, abort := context.WithCancelCause(arrivals)
	defer abort(nil)

	m := &measurer{Prepared: x, show: x.session.Observer, engine: e, heap: heap, sampler: health.NewSampler(x.registry),
		second: &second{prepared: x, abort: abort}}
	m.collector = metrics.NewCollector(x.registry, e.Elapsed, x.plan.schedule.StageAt)
	m.collector.Through(e.Housekeep)
	m.collector.Subscribe(func(s *metrics.Snapshot) { m.second.look(s, m.collector) })
	for _, sub := range subscribers {
		m.collector.Subscribe(sub)
	}
	detached := context.WithoutCancel(ctx)
	var end context.CancelFunc
	m.background, end = context.WithCancel(detached)
	defer end()
	m.takeReadings()
	m.show.Idle()
	e.Begin(x.lead())
	if watch != nil {
		m.beside.Go(func() { watch(m.background, e) })
	}
	mended := m.breakThings(arrivals)
	collecting, endCollecting := context.WithCancel(detached)
	defer endCollecting()
	var last sync.WaitGroup
	last.Go(m.guarded(func() { m.collector.Run(collecting) }))

	out := &Measurement{}
	out.Outcome, err = e.Run(arrivals, all)
	mended()
	if p, ok := errors.AsType[*engine.PanicError](err); ok {
		out.Panicked = p
	} else if err != nil { // no arrival was released
		end()
		m.beside.Wait()
		endCollecting()
		last.Wait()
		return nil, cannotStart(err)
	}
	out.Interrupted = errors.Is(context.Cause(arrivals), ErrInterrupted) || errors.Is(context.Cause(all), ErrInterrupted)
	out.Aborted, out.AbortedBy = m.second.aborted, m.second.byOthers
	if out.Interrupted {
		x.session.abortAll(x.plan, ErrInterrupted)
	}
	m.reach(all, meeting.Ended)
	m.drain(all)
	m.reach(all, meeting.Drained)
	out.Checks, out.Accounts = m.check(all)
	m.reach(all, meeting.Counted)
	end()
	m.beside.Wait()
	out.Usage = m.sampler.Usage()
	endCollecting()
	last.Wait()

	out.Failures, out.Elapsed = e.Failures(), e.Elapsed()
	m.collector.Totals(func(t *metrics.Totals) { out.Totals = t }) // the collector is done with it
	return out, nil
}

// cannotStart is the error of a generator that has not what it takes to release arrivals.
func cannotStart(err error) error {
	next := "look at the limits of this process"
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		next = "allow more open files, as in ulimit -n 65536; perfctl doctor says how many it takes"
	}
	return exitcode.With(exitcode.Invalid, fmt.Errorf("the generator cannot start: %w\n  next: %s", err, next))
}

// newEngine makes the engine of the plan.
func (x *Prepared) newEngine() (*engine.Engine, error) {
	r := &x.plan.request
	lanes := make([]engine.Lane, len(x.scenarios))
	for i, s := range x.scenarios {
		lanes[i] = engine.Lane{Name: x.plan.defs[i].Name, Executor: s, Workers: x.workers[i]}
	}
	return engine.New(engine.Config{
		Schedule: x.plan.schedule, Mix: x.plan.mix, Lanes: lanes, Shard: r.Shard, Shards: r.Shards, Seed: r.Seed,
		Queue: r.Queue, MaxLateness: r.MaxLateness, GracefulStop: r.GracefulStop,
		Tolerance: r.Tolerance, Clock: x.clock, Metrics: x.registry, Processors: x.session.processors(x.plan), Keeper: x.records.engineKeeper(), Tracing: x.tracing(),
	})
}

// takeReadings starts what reads the generator, the watched processes and the
// targets until the background ends.
func (m *measurer) takeReadings() {
	inFlight := m.registry.Gauge(metrics.InFlight, metrics.Tags{})
	queued := m.registry.Gauge(metrics.Queued, metrics.Tags{})
	users := func(int) {}
	if m.plan.schedule.MaxUsers() > 0 {
		g := m.registry.Gauge(metrics.Users, metrics.Tags{})
		users = func(n int) { g.Set(float64(n)) }
	}
	m.everySecond(m.aside(m.sampler.Sample))
	m.everySecond(m.aside(func() {
		m.heap.tend()
		n := m.engine.Progress()
		inFlight.Set(float64(n.InFlight))
		queued.Set(float64(n.Queued))
		users(n.Users)
	}))
	if m.processes != nil {
		m.everySecond(m.aside(func() { m.processes.Sample(m.stage()) }))
	}
	m.probes.Through(m.engine.Housekeep)
	m.beside.Go(m.guarded(func() { m.probes.Run(m.background, m.stage) }))
	if m.records != nil {
		m.beside.Go(m.guarded(func() { m.records.run(m.background, m.engine.Elapsed, m.engine.Housekeep) }))
	}
	for _, s := range m.scenarios {
		if x, ok := s.(scenarios.Sampler); ok {
			m.everySecond(func() { sampleOnce(m.background, x) })
		}
	}
}

// aside returns f made the engine's housekeeping: work that takes no processor from
// an arrival. It must not wait for a server.
func (m *measurer) aside(f func()) func() {
	return func() { m.engine.Housekeep(f) }
}

// stage returns the stage that the run is in.
func (m *measurer) stage() int { return m.plan.schedule.StageAt(max(m.engine.Elapsed(), 0)) }

// guarded returns f such that a panic of it, which ends the program, leaves a clean
// terminal to be read on, and no server broken on purpose.
func (m *measurer) guarded(f func()) func() {
	return func() {
		defer func() {
			if fault := recover(); fault != nil {
				m.show.Broken()
				if m.breaker != nil {
					m.breaker.servers.endAll()
				}
				panic(fault)
			}
		}()
		f()
	}
}

// everySecond calls f at once and then about once a second, until the background
// ends.
func (m *measurer) everySecond(f func()) {
	m.beside.Go(m.guarded(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			f()
			select {
			case <-m.background.Done():
				return
			case <-tick.C:
			}
		}
	}))
}

// sampleTimeout bounds one reading of a target: a target that does not answer
// leaves a hole in the readings, nothing else.
const sampleTimeout = 5 * time.Second

func sampleOnce(ctx context.Context, s scenarios.Sampler) {
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	s.Sample(ctx)
}

// drain lets the scenarios finish what goes on after their arrivals.
func (m *measurer) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, m.plan.request.GracefulStop)
	defer cancel()
	var names []string
	for i, s := range m.scenarios {
		if _, ok := s.(scenarios.Drainer); ok {
			names = append(names, m.plan.defs[i].Name)
		}
	}
	if len(names) == 0 {
		return
	}
	m.show.Step(fmt.Sprintf("draining %s …", strings.Join(names, ", ")), m.howFar)
	var wg sync.WaitGroup
	for i, s := range m.scenarios {
		if d, ok := s.(scenarios.Drainer); ok {
			wg.Go(m.guarded(func() {
				if err := d.Drain(ctx); err != nil {
					m.show.Warn(fmt.Sprintf("warning: drain %s: %v", m.plan.defs[i].Name, err))
				}
			}))
		}
	}
	wg.Wait()
}

// checkTimeout bounds the consistency checks.
const checkTimeout = 60 * time.Second

// check asks the scenarios whether what was done is consistent. A check that cannot
// be made has not passed. Of a shard the accounts are returned in their place.
func (m *measurer) check(ctx context.Context) ([]scenarios.Check, map[string]*scenarios.Account) {
	// A run that was ended at once is checked all the same: the checks say what is
	// left. Only a second signal's context has ended here.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	accounts, failed := m.accounts(ctx)
	if m.plan.request.Shards > 1 {
		return failed, accounts
	}
	checks, _ := weigh(m.plan.defs, accounts)
	m.balance(checks)
	return append(checks, failed...), nil
}

// processors returns how many processors the engine is to work with; 0, which
// leaves the runtime alone, where the user set GOMAXPROCS.
func (s *Session) processors(p *Plan) int {
	if _, set := s.LookupEnv("GOMAXPROCS"); set {
		return 0
	}
	if p.schedule.MaxUsers() > 0 { // who ask for as much as they get
		return runtime.NumCPU()
	}
	return engine.Processors(p.schedule.MaxRate() / float64(p.request.Shards))
}
