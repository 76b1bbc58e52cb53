package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/targets"
)

// capacitySearch makes the trials of a search.
type capacitySearch struct {
	*world
	flags     *capacityFlags
	cfg       capacity.Config
	plan      *plan
	addresses *targets.Settings
	settings  []setting
	progress  *progress
	// table and own are the rules that trials are judged by, demands those about
	// what is found.
	table, own []sla.Rule
	demands    *sla.Judge
	// dir is where everything is written, prefix the folder of this search in
	// it, and scenario what --scenario would say for it.
	dir, prefix, scenario string
}

// The stages of a trial.
const (
	warmUpStage = "warm-up"
	trialStage  = "trial"
)

// trialOverhead is about what a trial takes besides its length: setting up,
// warming up, draining, checking.
const trialOverhead = 2 * time.Second

// warmUp is how long a trial's rate is offered before it is judged: connections
// are opened, caches and queues come to what they are at that rate.
func warmUp(trial time.Duration) time.Duration {
	return min(max(trial/5, 500*time.Millisecond), 5*time.Second)
}

// forTrial returns the plan of a trial with the given scenarios. Each trial has
// a seed of its own, so that chance does not repeat itself at one rate.
func (p *plan) forTrial(a capacity.Ask, scenario string) (*plan, error) {
	flags := *p.flags
	flags.scenario = scenario
	flags.seed += uint64(a.Number - 1)
	out := &plan{watches: p.watches, flags: &flags, config: p.config, origins: p.origins, shards: 1}
	return out, out.shape(&profiles.Profile{Name: "capacity", Stages: []profiles.Stage{
		{Name: warmUpStage, Duration: warmUp(a.Length), From: a.Rate, To: a.Rate, Class: profiles.Normal},
		{Name: trialStage, Duration: a.Length, From: a.Rate, To: a.Rate, Class: profiles.Normal, Judged: true},
	}})
}

// readRules reads the rules that trials are judged by, and those about the
// capacity that is found. Targets of throughput say nothing about a rate that
// was chosen, and no trial has a spike or is long enough to drift.
func (s *capacitySearch) readRules() error {
	table, own, err := s.plan.readRules()
	if err != nil {
		return err
	}
	if s.flags.require > 0 {
		r, err := sla.ParseThreshold(fmt.Sprintf("%s: >= %v", sla.Capacity, s.flags.require))
		if err != nil {
			return err
		}
		own = append(own, r)
	}
	about := func(r sla.Rule) bool { return r.Metric == sla.Capacity }
	foreign := func(r sla.Rule) bool {
		return r.Metric == sla.Throughput || r.Metric == sla.RecoveryTime || strings.HasPrefix(r.Metric, sla.Drift+"(")
	}
	for _, r := range own {
		if foreign(r) {
			return usageError("--threshold %q: %s does not apply to a search for the capacity\n  next: --require RATE demands a capacity", r.Name, r.Metric)
		}
	}
	all := append(slices.Clone(table), own...)
	demands := slices.DeleteFunc(all, func(r sla.Rule) bool { return !about(r) })
	if s.demands, err = sla.NewJudge(sla.Plan{Stages: []sla.Stage{{Name: trialStage, Judged: true}}}, nil, demands); err != nil {
		return invalidConfig(err)
	}
	s.table = slices.DeleteFunc(table, func(r sla.Rule) bool { return about(r) || foreign(r) })
	s.own = slices.DeleteFunc(own, about)
	return nil
}

// trial makes one trial: scenarios set up afresh, so that no trial works on what
// another one left, a run, and a rest.
func (s *capacitySearch) trial(ctx context.Context, a capacity.Ask) (t capacity.Trial, err error) {
	began := time.Now()
	p, err := s.plan.forTrial(a, s.scenario)
	if err != nil {
		return t, err
	}
	fix, judge, err := s.prepare(ctx, p, a.Number > 1)
	if err != nil {
		return t, err
	}
	closed := false
	done := func() {
		if !closed {
			fix.close(s.progress)
			closed = true
		}
	}
	defer done()
	obs := newTrialObserver(a, p)
	p.judge, p.observe = judge, obs.run
	pr := s.newProgress(s.flags.quiet)
	pr.calm, pr.schedule, pr.stages = true, p.schedule, p.profile.Stages
	defer pr.done()

	t.Dir = s.prefix + fmt.Sprintf("trial-%02d-%srps", a.Number, strconv.FormatFloat(roundRate(a.Rate), 'f', -1, 64))
	sum, m, err := s.record(ctx, p, filepath.Join(s.dir, t.Dir), fix, judge, pr, p.runInfo(s.world, fix, s.settings))
	if err != nil {
		return t, err
	}
	if m.panicked != nil {
		return t, withCode(exitcode.Panic, m.panicked)
	}
	if m.interrupted {
		return t, withCode(exitcode.Interrupted, errInterrupted)
	}
	obs.judge(&t, sum, m)
	done()
	pr.done()
	s.progress.say("%s", trialLine(a, t))
	if t.Outcome != capacity.Held {
		if err := s.rest(ctx, m); err != nil {
			return t, err
		}
	}
	t.Took = time.Since(began).Seconds()
	return t, nil
}

// A target that was overloaded may refuse connections for a moment.
const (
	setUpTries = 3
	setUpPause = 3 * time.Second
)

// prepare makes and sets up the scenarios of a trial; where again, in more than
// one try.
func (s *capacitySearch) prepare(ctx context.Context, p *plan, again bool) (fix *fixture, judge *sla.Judge, err error) {
	before, stop := s.interruptible(ctx)
	defer stop()
	for try := 1; ; try++ {
		if fix, err = s.newFixture(p, s.addresses); err != nil {
			return nil, nil, err
		}
		if judge, err = p.judgeBy(fix, s.table, s.own); err != nil {
			return nil, nil, err
		}
		if err = fix.setUp(before, p); err == nil {
			return fix, judge, nil
		}
		fix.close(s.progress)
		if before.Err() != nil || !again || try == setUpTries {
			return nil, nil, interruptedOr(before, err)
		}
		s.progress.step("not ready for the next trial: %v", err)
		if err := pause(before, setUpPause); err != nil {
			return nil, nil, interruptedOr(before, err)
		}
	}
}

// The rest after a trial that the target did not hold. What was in flight and
// what the scenarios know of is done by then; a target that took long for it,
// or was not done in time, may be busy with what nobody waits for any more.
const (
	leastRest = time.Second
	mostRest  = 10 * time.Second
)

func (s *capacitySearch) rest(ctx context.Context, m *measurement) error {
	before, stop := s.interruptible(ctx)
	defer stop()
	d := max(leastRest, m.outcome.Drain)
	if m.outcome.Abandoned > 0 || m.outcome.Drain >= s.flags.graceful {
		d = mostRest
	}
	s.progress.step("letting the target rest …")
	return interruptedOr(before, pause(before, min(d, mostRest)))
}

// pause waits, or returns why it must not.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
