package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/evidence"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/meeting"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// SetupTimeout bounds how long a set-up may make no headway: a target that does not
// answer for so long is unreachable, however long loading the seed data takes.
const SetupTimeout = 14 * time.Second

// closeTimeout bounds how long giving everything back may take.
const closeTimeout = 20 * time.Second

// Prepared is a plan whose scenarios are made: its metrics are declared, its clock
// runs. Close gives everything back.
type Prepared struct {
	plan      *Plan
	session   *Session
	id        string
	clock     work.Clock
	registry  *metrics.Registry
	scenarios []scenarios.Scenario
	workers   []int
	// processes reads the watched processes; nil where none is watched.
	processes *process.Sampler
	// probes reads the targets and the programs of --scrape.
	probes *probe.Set
	// evidence watches what servers do at the time; nil where it is not wanted.
	evidence *evidence.Set
	// records keeps the records of single arrivals; nil where none are kept.
	records *records
	judge   *sla.Judge
	// addresses are the targets'; claims hold the run's identity at them.
	addresses *targets.Settings
	claims    []targets.Claim
	// inherited is what the first shard made, nil in it and in a run of one process;
	// startAt is the instant of the first arrival, zero for as soon as may be; gone are
	// the shards that ended before their time.
	inherited Handover
	startAt   time.Time
	gone      map[int]bool
	// breaker does the faults of the plan; nil where there are none.
	breaker *breaker
}

// Prepare makes the scenarios of a plan and sets them up: every target that it
// needs is reached, every connection opened.
func (s *Session) Prepare(ctx context.Context, p *Plan) (*Prepared, error) {
	ctx, stop := s.interruptible(ctx)
	defer stop()
	x, err := s.assemble(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := s.mayRun(p); err != nil {
		return nil, err
	}
	if err := x.prepare(ctx); err != nil {
		err = InterruptedOr(ctx, err)
		s.callOff(p, err)
		x.Close()
		return nil, err
	}
	return x, nil
}

// prepare sets everything up, with the other shards where there are some.
func (x *Prepared) prepare(ctx context.Context) error {
	s, p := x.session, x.plan
	if s.shared(p) {
		if err := x.greet(ctx); err != nil {
			return err
		}
	}
	s.Observer.Step(fmt.Sprintf("setting up %s …", strings.Join(p.Scenarios(), ", ")), x.howFar)
	if err := x.setUp(ctx); err != nil {
		return err
	}
	if s.shared(p) && p.request.Shard == 0 {
		return x.handOver(ctx)
	}
	return nil
}

// shares says what the shards of the run share, in words; "" for nothing.
func (x *Prepared) shares() string {
	var all []string
	for i, s := range x.scenarios {
		if sh, ok := s.(scenarios.Sharer); ok {
			if what := sh.Shares(); what != "" {
				all = append(all, what+" of "+x.plan.defs[i].Name)
			}
		}
	}
	return strings.Join(all, ", ")
}

// assemble makes everything that a run needs besides its plan. It reaches programs
// of --scrape, whose metrics must be known, and no target.
func (s *Session) assemble(ctx context.Context, p *Plan) (*Prepared, error) {
	addresses, err := s.addresses(ctx, p)
	if err != nil {
		return nil, err
	}
	x := &Prepared{plan: p, session: s, id: p.id, addresses: addresses, clock: work.NewClock(), registry: metrics.NewRegistry(p.stageNames())}
	if watches := p.watching(s.watches); len(watches) > 0 {
		x.processes = process.New(x.registry, watches, s.Log)
	}
	if x.probes, err = s.newProbes(ctx, x, addresses); err != nil {
		return nil, err
	}
	x.evidence = s.newEvidence(x, addresses)
	if x.breaker, addresses = x.newBreaker(addresses); x.breaker != nil {
		x.breaker.declare(x.registry)
	}
	if err := x.makeScenarios(addresses); err != nil {
		return nil, err
	}
	table, own := p.request.Rules.Table, p.request.Rules.Own
	if p.request.Shard > 0 { // what other programs say is the first shard's to read
		table, own = p.ownRules(table), p.ownRules(own)
	}
	x.judge, err = p.judge(x.registry, table, own)
	return x, err
}

// makeScenarios makes the scenarios, which reach nothing.
func (x *Prepared) makeScenarios(addresses *targets.Settings) error {
	p := x.plan
	x.workers = engine.Split(p.bound(p.request.MaxInFlight), p.weightsOnly())
	for i, d := range p.defs {
		s, err := d.New(scenarios.Env{
			RunID: x.id, Seed: p.request.Seed, Clock: x.clock, Metrics: x.registry, Targets: addresses,
			Values: p.values[i], Plan: p.part(i, x.workers[i]), Log: x.session.Log.With("scenario", d.Name),
			Scenario: d.Name, Pace: scenarios.NewPace(p.request.SetupRate),
		})
		if err != nil {
			return exitcode.ConfigError(fmt.Errorf("scenario %s: %w", d.Name, err))
		}
		x.scenarios = append(x.scenarios, s)
	}
	return nil
}

// setUp sets the scenarios up side by side. The errors of all are returned: who
// mends one target should not find the next one only then.
func (x *Prepared) setUp(ctx context.Context) error {
	if x.processes != nil {
		if err := x.processes.Find(); err != nil {
			return exitcode.With(exitcode.Unreachable, fmt.Errorf("--watch: %w", err))
		}
	}
	if err := x.claim(ctx); err != nil {
		return err
	}
	ctx, cancel := untilStalled(ctx, SetupTimeout, x.howFar)
	defer cancel()
	errs := make([]error, len(x.scenarios))
	var wg sync.WaitGroup
	for i := range x.scenarios {
		wg.Go(func() {
			if err := x.joinOrSetUp(ctx, i); err != nil {
				errs[i] = fmt.Errorf("set up %s: %w", x.plan.defs[i].Name, err)
			}
		})
	}
	wg.Wait()
	if err := joinDistinct(errs); err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	if !x.session.shared(x.plan) { // else when all shards are set up
		x.probes.First(ctx)
	}
	return x.breaker.measureCost(ctx)
}

// joinDistinct joins errors and leaves out those about targets that another error
// is about already.
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

// Close gives everything back. What all shards use is removed by the first one when none
// of the others uses it any more.
func (x *Prepared) Close() {
	show := x.session.Observer
	show.Minor("cleaning up …")
	defer show.Idle()
	first := x.plan.request.Shard == 0
	if first {
		x.reach(context.Background(), meeting.Left)
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	x.giveBack(ctx)
	if !first {
		x.reach(context.Background(), meeting.Left)
	}
}

func (x *Prepared) giveBack(ctx context.Context) {
	show := x.session.Observer
	var wg sync.WaitGroup
	wg.Go(func() { x.probes.Close(ctx) })
	for i, s := range x.scenarios {
		wg.Go(func() {
			ctx, stop := x.answering(ctx, i)
			defer stop()
			if err := s.Close(ctx); err != nil {
				show.Warn(fmt.Sprintf("warning: clean up: %v\n  next: perfctl reset removes what is left", err))
			}
		})
	}
	wg.Wait()
	x.release(ctx)
	x.breaker.close()
}

// howFar says how far the scenarios have come with what they do besides arrivals.
func (x *Prepared) howFar() string { return howFar(x.scenarios) }

func howFar(all []scenarios.Scenario) string {
	var parts []string
	for _, s := range all {
		if t, ok := s.(scenarios.ProgressReporter); ok {
			if text := t.Progress(); text != "" {
				parts = append(parts, text)
			}
		}
	}
	return strings.Join(parts, ", ")
}

// watching returns the processes to watch: the plan's, and those of the lab's
// servers whose names are free.
func (p *Plan) watching(servers []process.Watch) []process.Watch {
	out := slices.Clone(p.watches)
	for _, w := range servers {
		if !slices.ContainsFunc(out, func(o process.Watch) bool { return o.Name == w.Name }) {
			out = append(out, w)
		}
	}
	return out
}

// programsOf says which target each watched program is; nil for none.
func programsOf(all []process.Watch) map[string]string {
	if len(all) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, w := range all {
		out[w.Name] = w.System()
	}
	return out
}

// parseWatches reads the processes that --watch names.
func parseWatches(list []string) (out []process.Watch, err error) {
	var errs []error
	for _, s := range list {
		watch, err := process.Parse(s)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("--watch %w", err))
		case slices.ContainsFunc(out, func(o process.Watch) bool { return o.Name == watch.Name }):
			errs = append(errs, fmt.Errorf("--watch %q: %s is watched twice; call one of them otherwise, as in NAME=PID", s, watch.Name))
		default:
			out = append(out, watch)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return out, nil
}
