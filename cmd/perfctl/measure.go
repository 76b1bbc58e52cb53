package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/sla"
)

// measurement is what came out of the run besides its recorded metrics.
type measurement struct {
	outcome     engine.Outcome
	interrupted bool
	aborted     *sla.Breach // the rule that ended the run early, if one did
	failures    []engine.Failure
	usage       health.Usage
	lag         *metrics.Hist
	// exhausted arrivals failed for want of the generator's own resources,
	// generatorDrops were released too late to be executed.
	exhausted, generatorDrops, started int64
	totals                             *metrics.Totals
	elapsed                            time.Duration
	checks                             []scenarios.Check
	panicked                           error
}

// startLead is the time between starting everything and the first arrival, so
// that what is due at once is not late by what starting takes.
const startLead = 50 * time.Millisecond

// measure offers the plan to the scenarios. subscribe receives every snapshot.
func (w *world) measure(ctx context.Context, p *plan, f *fixture, pr *progress, heap *heapKeeper, subscribe ...func(*metrics.Snapshot)) (*measurement, error) {
	lanes := make([]engine.Lane, len(f.scenarios))
	for i, s := range f.scenarios {
		lanes[i] = engine.Lane{Name: p.defs[i].Name, Executor: s, Workers: f.workers[i]}
	}
	e, err := engine.New(engine.Config{
		Schedule: p.schedule, Mix: p.mix, Lanes: lanes, Shard: p.shard, Shards: p.shards, Seed: p.flags.seed,
		Queue: p.flags.queue, MaxLateness: p.flags.maxLateness, GracefulStop: p.flags.graceful,
		Tolerance: p.flags.tolerance, Clock: f.clock, Metrics: f.registry, Processors: w.processors(p),
	})
	if err != nil {
		return nil, err
	}
	m := &measurement{}
	arrivals, all, stop := w.twoSignals(ctx,
		func() { pr.say("interrupted: no more arrivals, finishing what is due (once more to end at once)") },
		func() { pr.say("interrupted again: ending at once") })
	defer stop()
	arrivals, abort := context.WithCancelCause(arrivals)
	defer abort(nil)

	watch := newWatch(p, e, pr, abort)
	sampler := health.NewSampler(f.registry)
	inFlight := f.registry.Gauge(metrics.InFlight, metrics.Tags{})
	queued := f.registry.Gauge(metrics.Queued, metrics.Tags{})
	collector := metrics.NewCollector(f.registry, e.Elapsed, p.schedule.StageAt)
	collector.Subscribe(func(s *metrics.Snapshot) { watch.snapshot(s, collector) })
	for _, sub := range append(subscribe, p.streams.subscribers()...) {
		collector.Subscribe(sub)
	}

	background, end := context.WithCancel(context.WithoutCancel(ctx))
	var side, last sync.WaitGroup
	side.Go(pr.guarded(func() { sampler.Run(background) }))
	side.Go(pr.guarded(func() {
		every(background, func() {
			heap.tend()
			n := e.Progress()
			inFlight.Set(float64(n.InFlight))
			queued.Set(float64(n.Queued))
		})
	}))
	if f.processes != nil {
		side.Go(pr.guarded(func() {
			every(background, func() { f.processes.Sample(p.schedule.StageAt(max(e.Elapsed(), 0))) })
		}))
	}
	side.Go(pr.guarded(func() {
		f.probes.Run(background, func() int { return p.schedule.StageAt(max(e.Elapsed(), 0)) })
	}))
	for _, s := range f.scenarios {
		if x, ok := s.(scenarios.Sampler); ok {
			side.Go(pr.guarded(func() { every(background, func() { sampleOnce(background, x) }) }))
		}
	}
	pr.idle()
	e.Begin(p.lead(pr))
	if p.observe != nil {
		side.Go(func() { p.observe(background, e) })
	}
	collecting, endCollecting := context.WithCancel(context.WithoutCancel(ctx))
	last.Go(pr.guarded(func() { collector.Run(collecting) }))

	m.outcome, m.panicked = e.Run(arrivals, all)
	if errors.Is(context.Cause(arrivals), errInterrupted) || errors.Is(context.Cause(all), errInterrupted) {
		m.interrupted = true
	}
	m.aborted = watch.aborted
	drainAll(all, p, f, pr)
	m.checks = checkAll(all, p, f, pr)
	end()
	side.Wait()
	m.usage = sampler.Usage()
	endCollecting()
	last.Wait()

	m.failures = e.Failures()
	m.elapsed = e.Elapsed()
	collector.Totals(func(t *metrics.Totals) {
		m.totals = t // the collector is done with it
		m.generatorDrops, _ = t.Counter(metrics.Selector{Name: metrics.ArrivalsDropped.Name, Tags: metrics.Tags{Outcome: engine.DroppedByGenerator}})
		m.started, _ = t.Counter(metrics.Selector{Name: metrics.ArrivalsStarted.Name})
		m.lag = new(metrics.Hist)
		if h := t.Trend(metrics.Selector{Name: metrics.DispatchLag.Name}); h != nil {
			m.lag.Merge(h)
		}
		m.exhausted, _ = t.Counter(metrics.Selector{Name: metrics.ArrivalsFailed.Name, Tags: metrics.Tags{Outcome: "exhausted"}})
	})
	return m, nil
}

// every calls f at once and then about once a second, until ctx ends.
func every(ctx context.Context, f func()) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		f()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sampleTimeout bounds one reading of a target: a target that does not answer
// leaves a hole in the readings, nothing else.
const sampleTimeout = 5 * time.Second

func sampleOnce(ctx context.Context, s scenarios.Sampler) {
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	s.Sample(ctx)
}

// drainAll lets the scenarios finish what goes on after their arrivals.
func drainAll(ctx context.Context, p *plan, f *fixture, pr *progress) {
	ctx, cancel := context.WithTimeout(ctx, p.flags.graceful)
	defer cancel()
	var names []string
	for i, s := range f.scenarios {
		if _, ok := s.(scenarios.Drainer); ok {
			names = append(names, p.defs[i].Name)
		}
	}
	if len(names) == 0 {
		return
	}
	pr.stepOf(f.scenarios, "draining %s …", strings.Join(names, ", "))
	var wg sync.WaitGroup
	for i, s := range f.scenarios {
		if d, ok := s.(scenarios.Drainer); ok {
			wg.Go(pr.guarded(func() {
				if err := d.Drain(ctx); err != nil {
					pr.say("warning: drain %s: %v", p.defs[i].Name, err)
				}
			}))
		}
	}
	wg.Wait()
}

// checkTimeout bounds the consistency checks.
const checkTimeout = 60 * time.Second

// checkAll asks the scenarios whether what was done is consistent. A check
// that cannot be made has not passed.
func checkAll(ctx context.Context, p *plan, f *fixture, pr *progress) (out []scenarios.Check) {
	// A run that was ended at once is checked all the same: the checks tell
	// what is left. Only a second signal's context has ended here.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	for i, s := range f.scenarios {
		c, ok := s.(scenarios.Checker)
		if !ok {
			continue
		}
		pr.stepOf(f.scenarios[i:i+1], "checking %s …", p.defs[i].Name)
		checks, err := c.Check(ctx)
		for _, x := range checks {
			x.Name = p.defs[i].Name + ": " + x.Name
			out = append(out, x)
		}
		if err != nil {
			out = append(out, scenarios.Check{Name: p.defs[i].Name + ": consistency",
				Detail: fmt.Sprintf("could not be checked: %v", err)})
		}
	}
	return out
}
