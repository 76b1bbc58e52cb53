package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// setupTimeout bounds how long a set-up may make no headway: a target that does not
// answer for so long is unreachable, however long loading the fixtures takes.
const setupTimeout = 14 * time.Second

// closeTimeout bounds how long giving everything back may take.
const closeTimeout = 20 * time.Second

// fixture is what a run needs besides its plan: the metrics, the clock and the
// scenarios, set up.
type fixture struct {
	id        string
	clock     work.Clock
	registry  *metrics.Registry
	scenarios []scenarios.Scenario
	workers   []int
	// processes reads the watched processes; nil where none is watched.
	processes *process.Sampler
	// probes reads the targets and the programs of --scrape.
	probes *probe.Set
}

// newRunID returns an identity for a run: random, fit for names of queues,
// tables and keys.
func newRunID() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return hex.EncodeToString(b[:])
}

// newFixture makes the scenarios; nothing is reached yet.
func (w *world) newFixture(p *plan, addresses *targets.Settings) (*fixture, error) {
	stages := make([]string, len(p.profile.Stages))
	for i, s := range p.profile.Stages {
		stages[i] = s.Name
	}
	f := &fixture{id: cmp.Or(p.runID, newRunID()), clock: work.NewClock(), registry: metrics.NewRegistry(stages)}
	if len(p.watches) > 0 {
		f.processes = process.New(f.registry, p.watches, w.logger())
	}
	var err error
	if f.probes, err = w.newProbes(f, p, addresses); err != nil {
		return nil, err
	}
	f.workers = engine.Split(p.flags.vus, p.shares())
	for i, d := range p.defs {
		s, err := d.New(scenarios.Env{
			RunID: f.id, Seed: p.flags.seed, Clock: f.clock, Metrics: f.registry, Targets: addresses,
			Values: p.values[i], Plan: p.part(i, f.workers[i], stages), Log: w.logger().With("scenario", d.Name), Scenario: d.Name, Pace: scenarios.NewPace(p.flags.setupRate),
		})
		if err != nil {
			return nil, invalidConfig(fmt.Errorf("scenario %s: %w", d.Name, err))
		}
		f.scenarios = append(f.scenarios, s)
	}
	return f, nil
}

// part says what the plan will ask of scenario i in this process.
func (p *plan) part(i, workers int, stages []string) scenarios.Plan {
	total := 0
	for _, w := range p.weights {
		total += w.Weight
	}
	out := scenarios.Plan{
		MaxRate: p.schedule.MaxRate() * float64(p.weights[i].Weight) / float64(total) / float64(p.shards),
		Workers: engine.Workers(p.schedule, p.shard, p.shards, workers), Users: p.schedule.MaxUsers(),
		Stages: stages, Shard: p.shard, Shards: p.shards,
	}
	open, users := int64(0), p.schedule.Total()
	for s := range p.profile.Stages {
		upTo := &open
		n, closed := p.schedule.StageTotal(s), p.schedule.Closed(s)
		if closed {
			upTo = &users
			var known bool
			if n, known = p.schedule.UserArrivals(s); !known {
				n, out.OpenEnded = guess(&p.profile.Stages[s]), true
			}
		}
		part := p.mix.Count(i, *upTo+n) - p.mix.Count(i, *upTo)
		*upTo += n
		out.Closed = append(out.Closed, closed)
		out.StageArrivals = append(out.StageArrivals, part)
		out.Arrivals += part
	}
	return out
}

// guess is how many arrivals are reckoned with in a stage of users that only the
// time they take bounds: one of each user in 2 ms, and no more than fixtures for
// them can be made in a few seconds.
func guess(s *profiles.Stage) int64 {
	seconds := float64(s.Users.From+s.Users.To) / 2 * s.Duration.Seconds()
	return int64(min(seconds*500, 5_000_000))
}

// setUp sets the scenarios up side by side. The errors of all are returned:
// who fixes one target should not find the next one only then.
func (f *fixture) setUp(ctx context.Context, p *plan) error {
	if f.processes != nil {
		if err := f.processes.Find(); err != nil {
			return withCode(exitcode.Unreachable, fmt.Errorf("--watch: %w", err))
		}
	}
	ctx, cancel := untilStalled(ctx, setupTimeout, func() string { return tell(f.scenarios) })
	defer cancel()
	errs := make([]error, len(f.scenarios))
	var wg sync.WaitGroup
	for i, s := range f.scenarios {
		wg.Go(func() {
			if err := s.Setup(ctx); err != nil {
				errs[i] = fmt.Errorf("set up %s: %w", p.defs[i].Name, err)
			}
		})
	}
	wg.Wait()
	if err := joinDistinct(errs); err != nil {
		return withCode(exitcode.Unreachable, err)
	}
	f.probes.First(ctx)
	return nil
}

// joinDistinct joins errors and leaves out those of targets that another one
// already tells of.
func joinDistinct(errs []error) error {
	var out []error
	seen := map[string]bool{}
	for _, err := range errs {
		if err == nil {
			continue
		}
		if u, ok := errors.AsType[*targets.UnreachableError](err); ok {
			if seen[u.Target] {
				continue
			}
			seen[u.Target] = true
		}
		out = append(out, err)
	}
	return errors.Join(out...)
}

// close gives everything back.
func (f *fixture) close(p *progress) {
	p.quietStep("cleaning up …")
	defer p.idle()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { f.probes.Close(ctx) })
	for _, s := range f.scenarios {
		wg.Go(func() {
			if err := s.Close(ctx); err != nil {
				p.say("warning: clean up: %v\n  next: perfctl reset removes what is left", err)
			}
		})
	}
	wg.Wait()
}

// targetKinds returns the kinds of target that the scenarios need.
func (p *plan) targetKinds() []targets.Kind {
	var out []targets.Kind
	seen := map[targets.Kind]bool{}
	for i, d := range p.defs {
		kinds := d.Targets
		if d.Also != nil {
			kinds = slices.Concat(kinds, d.Also(p.values[i]))
		}
		for _, k := range kinds {
			if !seen[k] {
				seen[k] = true
				out = append(out, k)
			}
		}
	}
	return out
}
