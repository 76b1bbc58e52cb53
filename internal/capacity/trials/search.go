// Package trials searches for a capacity with real runs: it turns what the search
// asks for into plans, executes them, judges what each came to, and reports what was
// found. The search itself is in capacity; nothing here knows a flag or a terminal.
package trials

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
)

// Options say what to search for.
type Options struct {
	capacity.Config
	// Require is the rate that must be held, 0 for none.
	Require float64
	// Pause is how long each user waits between two arrivals, where users are searched.
	Pause time.Duration
	// Each searches each scenario by itself, in place of the mix.
	Each bool
	// Dir is where capacity.json and the trials' run directories go.
	Dir string
	// Away, where it is not nil, executes the trials elsewhere.
	Away Away
}

// Search is a search that was decided and checked. Nothing was reached yet.
type Search struct {
	options Options
	// first is the plan of the first trial.
	first *run.Plan
	// demands are the rules about what is found.
	demands *sla.Judge
	dir     string
}

// NewSearch decides and checks a search. The request's profile is the search's own.
func NewSearch(ctx context.Context, r run.Request, o Options) (*Search, error) {
	if err := o.Check(); err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	if !(o.Require >= 0 && o.Require <= capacity.MaxRate) {
		return nil, exitcode.UsageError("--require %v: want a rate from 0 to %g/s", o.Require, capacity.MaxRate)
	}
	s := &Search{options: o, dir: o.Dir}
	if s.dir == "" {
		s.dir = rundir.Free("capacity", time.Now())
	}
	if taken, _ := Holds(s.dir); taken { // a folder that cannot be looked at cannot be reserved
		return nil, exitcode.ConfigError(fmt.Errorf("the directory %s already holds a capacity: choose another --run-dir", s.dir))
	}
	var err error
	if r.Rules, err = s.divideRules(r.Rules); err != nil {
		return nil, err
	}
	r.AbortOnFail = true // a trial that has failed need not go on
	r.Profile = profile(capacity.Ask{Rate: o.Start, Length: o.Trial, Number: 1}, &s.options)
	s.first, err = run.NewPlan(ctx, r)
	return s, err
}

// First returns the plan of the first trial: what the session is opened for.
func (s *Search) First() *run.Plan { return s.first }

// Dir returns where capacity.json and the trials' run directories go.
func (s *Search) Dir() string { return s.dir }

// divideRules keeps the rules that trials are judged by, and sets those about the
// capacity aside. Targets of throughput say nothing about a rate that was chosen, and
// no trial has a spike or is long enough to drift.
func (s *Search) divideRules(given *config.Rules) (*config.Rules, error) {
	about := func(r sla.Rule) bool { return r.Metric == sla.Capacity }
	foreign := func(r sla.Rule) bool {
		return r.Metric == sla.Throughput || r.Metric == sla.RecoveryTime || sla.IsDrift(r.Metric)
	}
	own := slices.Clone(given.Own)
	if s.options.Require > 0 {
		r, err := sla.ParseThreshold(fmt.Sprintf("%s: >= %v", sla.Capacity, s.options.Require))
		if err != nil {
			return nil, err
		}
		own = append(own, r)
	}
	for _, r := range own {
		if foreign(r) {
			return nil, exitcode.UsageError("--threshold %q: %s does not apply to a search for the capacity\n  next: --require RATE demands a capacity", r.Name, r.Metric)
		}
	}
	demands := slices.DeleteFunc(slices.Concat(given.Table, own), func(r sla.Rule) bool { return !about(r) })
	var err error
	if s.demands, err = sla.NewJudge(sla.Plan{Stages: []sla.Stage{{Name: trialStage, Judged: true}}}, nil, demands); err != nil {
		return nil, exitcode.ConfigError(err)
	}
	rules := *given
	rules.Table = slices.DeleteFunc(slices.Clone(given.Table), func(r sla.Rule) bool { return about(r) || foreign(r) })
	rules.Own = slices.DeleteFunc(own, about)
	return &rules, nil
}

// Run makes every search that was asked for: of the mix, or of each scenario. What is
// known when an error ends it is in the report all the same.
func (s *Search) Run(ctx context.Context, session *run.Session, found *Report) error {
	err := s.all(ctx, session, found)
	found.conclude(err)
	return err
}

func (s *Search) all(ctx context.Context, session *run.Session, found *Report) error {
	names := []string{""}
	if s.options.Each {
		names = s.first.Scenarios()
	}
	for _, name := range names {
		label := name
		if label == "" {
			label = strings.Join(s.first.Scenarios(), ", ")
		}
		least, most := capacity.Estimate(s.options.Config, overhead)
		session.Observer.Say(fmt.Sprintf("searching the capacity of %s: %s to %s expected, %s at most; Ctrl-C ends the search and says what is known by then",
			label, figure.Duration(least), figure.Duration(most), figure.Duration(s.options.MaxTime)))
		p := &part{Search: s, session: session, only: name}
		if name != "" {
			p.prefix = name + "/"
		}
		r, err := capacity.Search(s.options.Config, func(a capacity.Ask) (capacity.Trial, error) { return p.trial(ctx, a) })
		if name != "" {
			r.Rename(name)
		}
		found.Results = append(found.Results, Part{r, s.demands.Answer([]sla.Answer{answer(&r)})})
		if err != nil {
			return err
		}
	}
	return nil
}

// Interrupted says whether a signal ended a search.
func Interrupted(err error) bool { return errors.Is(err, run.ErrInterrupted) }
