package run

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// Plan is a run that was decided and checked, and of which nothing was opened,
// started or reached yet. It does not change.
type Plan struct {
	request Request
	// id is the run's identity.
	id       string
	schedule *profiles.Schedule
	mix      *profiles.Mix
	weights  []profiles.Weight
	defs     []*scenarios.Definition
	values   []*scenarios.Values
	watches  []process.Watch
	scrapes  []probe.Scrape
	replicas []probe.Replicas
	// addresses are the targets', those of a lab excepted, which are not known yet.
	addresses *targets.Settings
	// settings lists everything that was set, with its origin; secrets are redacted.
	settings []rundir.Setting
	// faults are what is broken on purpose, in the order of their beginnings.
	faults []faults.Timed
	// rules are those that the run will be judged by.
	rules []sla.Rule
	// shares says what the shards of the run share, in words; "" for nothing.
	shares string
}

// NewPlan decides and checks everything about a run: the profile's schedule, the
// scenarios and their settings, the addresses of the targets and whether they may
// be loaded, the rules against the metrics that there will be. Errors about the
// command line and about files carry their exit codes.
func NewPlan(ctx context.Context, r Request) (*Plan, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	p := &Plan{request: r, id: cmp.Or(r.ID, NewID())}
	for _, step := range []func() error{p.parse, p.shape, p.chooseScenarios, p.readValues, p.chooseFaults, p.resolve} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := p.checkRules(); err != nil {
		return nil, err
	}
	if err := p.CheckBaseline(r.Baseline, r.Gate); err != nil {
		return nil, err
	}
	return p, p.guard(ctx, p.addresses)
}

// With returns the plan of a request that differs from this one's by change.
func (p *Plan) With(ctx context.Context, change func(*Request)) (*Plan, error) {
	r := p.request
	change(&r)
	return NewPlan(ctx, r)
}

// parse reads what names processes and programs.
func (p *Plan) parse() (err error) {
	if p.watches, err = parseWatches(p.request.Watch); err != nil {
		return err
	}
	if p.scrapes, err = parseScrapes(p.request.Scrape); err != nil {
		return err
	}
	p.replicas, err = parseReplicas(p.request.Replicas)
	return err
}

// shape makes the schedule.
func (p *Plan) shape() (err error) {
	r := &p.request
	p.schedule, err = profiles.Compile(r.Profile.Stages, profiles.Options{Process: r.Process, Seed: r.Seed})
	if err != nil {
		return exitcode.ConfigError(fmt.Errorf("profile %s: %w", r.Profile.Name, err))
	}
	return p.checkUsers()
}

// checkUsers refuses users who cannot be there.
func (p *Plan) checkUsers() error {
	r := &p.request
	n := engine.Users(p.schedule, r.Shard, r.Shards)
	switch {
	case n > engine.MaxUsers:
		return exitcode.ConfigError(fmt.Errorf("%d users are more than one process can be, which is %d: share them among processes with --shard I/N, or give them a pause or a pace and ask for fewer",
			n, engine.MaxUsers))
	case p.schedule.MaxUsers() > r.MaxInFlight && r.MaxInFlightGiven:
		return exitcode.UsageError("-u %d bounds the arrivals in flight, and each of the %d users may have one: leave -u out, or ask for at most %d users", r.MaxInFlight, p.schedule.MaxUsers(), r.MaxInFlight)
	}
	return nil
}

// resolve reads the addresses of the targets. Those of a lab are not known yet:
// until it is there, others on this machine stand for them.
func (p *Plan) resolve() (err error) {
	layers := p.request.Settings
	if p.request.Lab {
		layers = layers.Above("lab", labStandIns)
	}
	if p.addresses, err = targets.Resolve(layers.Lookup, p.targetKinds()...); err != nil {
		return exitcode.ConfigError(err)
	}
	p.addresses.Allowed, p.addresses.Names = p.guarding().AllowTargets, layers.Names
	p.remember(p.addresses)
	p.settings = p.listSettings(p.addresses)
	return nil
}

// remember makes the secrets of addresses known.
func (p *Plan) remember(s *targets.Settings) {
	for _, k := range []targets.Kind{targets.RabbitMQ, targets.Postgres, targets.Redis, targets.API} {
		p.request.Secrets.Add(s.Address(k).Secrets()...)
	}
}

// Profile returns the profile, bent as it was asked for.
func (p *Plan) Profile() *profiles.Profile { return p.request.Profile }

// Schedule returns the arrivals that the run will offer, over all shards.
func (p *Plan) Schedule() *profiles.Schedule { return p.schedule }

// ID returns the run's identity.
func (p *Plan) ID() string { return p.id }

// Shard returns which part of the schedule the run offers.
func (p *Plan) Shard() (shard, shards int) { return p.request.Shard, p.request.Shards }

// Settings lists everything that was set with its origin, secrets redacted.
func (p *Plan) Settings() []rundir.Setting { return p.settings }

// Rules lists the rules that the run will be judged by.
func (p *Plan) Rules() []sla.Rule { return p.rules }

// MaxInFlight is the bound on arrivals in flight, over all shards.
func (p *Plan) MaxInFlight() int { return p.request.MaxInFlight }

// bound is this shard's part of a bound that the whole run has: all parts together are
// it, but that each is 1 at least.
func (p *Plan) bound(whole int) int {
	part := scenarios.Plan{Shard: p.request.Shard, Shards: p.request.Shards}
	return part.Part(whole)
}

// GracefulStop is how long what is due may go on after the last arrival.
func (p *Plan) GracefulStop() time.Duration { return p.request.GracefulStop }

// Share is a scenario's part of a run.
type Share struct {
	Name   string
	Weight int
	// Arrivals is how many the whole run offers it, over all shards; where OpenEnded
	// is true, users have as many as they come to besides.
	Arrivals  int64
	OpenEnded bool
	// MaxInFlight bounds its arrivals in flight.
	MaxInFlight int
	// Metrics are the names of the metrics that it alone emits.
	Metrics []string
}

// Shares returns the scenarios' parts of the run.
func (p *Plan) Shares() []Share {
	bounds := engine.Split(p.bound(p.request.MaxInFlight), p.weightsOnly())
	out := make([]Share, len(p.defs))
	for i, d := range p.defs {
		out[i] = Share{Name: d.Name, Weight: p.weights[i].Weight, Arrivals: p.mix.Count(i, p.schedule.Total())}
		part := p.part(i, bounds[i])
		if out[i].MaxInFlight, out[i].OpenEnded = part.Workers, part.OpenEnded; !part.OpenEnded {
			out[i].Arrivals = part.Arrivals
		}
		for _, m := range d.Metrics {
			out[i].Metrics = append(out[i].Metrics, m.Name)
		}
	}
	return out
}

// Scenarios returns the scenarios' names.
func (p *Plan) Scenarios() []string {
	var out []string
	for _, d := range p.defs {
		out = append(out, d.Name)
	}
	return out
}

// weightsOnly returns the scenarios' weights, in the order of the mix.
func (p *Plan) weightsOnly() []int {
	out := make([]int, len(p.weights))
	for i, w := range p.weights {
		out[i] = w.Weight
	}
	return out
}

// stageNames returns the names of the stages.
func (p *Plan) stageNames() []string {
	out := make([]string, len(p.request.Profile.Stages))
	for i, s := range p.request.Profile.Stages {
		out[i] = s.Name
	}
	return out
}

// part says what the run will ask of scenario i in this process.
func (p *Plan) part(i, workers int) scenarios.Plan {
	total := 0
	for _, w := range p.weights {
		total += w.Weight
	}
	r := &p.request
	out := scenarios.Plan{
		MaxRate: p.schedule.MaxRate() * float64(p.weights[i].Weight) / float64(total) / float64(r.Shards),
		Workers: engine.Workers(p.schedule, r.Shard, r.Shards, workers), Users: p.schedule.MaxUsers(),
		Stages: p.stageNames(), Shard: r.Shard, Shards: r.Shards, Owner: p.ownerOf(i),
	}
	open, users := int64(0), p.schedule.Total()
	for s := range r.Profile.Stages {
		upTo := &open
		n, closed := p.schedule.StageTotal(s), p.schedule.Closed(s)
		if closed {
			upTo = &users
			var known bool
			if n, known = p.schedule.UserArrivals(s); !known {
				n, out.OpenEnded = guess(&r.Profile.Stages[s]), true
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

// ownerOf returns which shard offers an arrival of scenario i, by its number among the
// scenario's; nil where there is one.
func (p *Plan) ownerOf(i int) func(n int64) int {
	if p.request.Shards < 2 {
		return nil
	}
	mix, err := profiles.NewMix(p.weights, p.request.Seed) // one of its own, for it is for one goroutine
	if err != nil {
		return nil // as the plan's own mix would have said
	}
	var lock sync.Mutex
	shards := int64(p.request.Shards)
	return func(n int64) int {
		lock.Lock()
		defer lock.Unlock()
		return int(mix.Number(i, n) % shards)
	}
}

// guess is how many arrivals are reckoned with in a stage of users that only the time
// they take bounds: one of each user in 2 ms, and no more than rows for them can be
// made in a few seconds.
func guess(s *profiles.Stage) int64 {
	seconds := float64(s.Users.From+s.Users.To) / 2 * s.Duration.Seconds()
	return int64(min(seconds*500, 5_000_000))
}

// shardOf returns this shard's part of a number of arrivals, rounded up.
func (p *Plan) shardOf(n int64) int64 {
	return (n + int64(p.request.Shards) - 1) / int64(p.request.Shards)
}
