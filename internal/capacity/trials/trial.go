package trials

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/summary"
)

// The stages of a trial.
const (
	warmUpStage = "warm-up"
	trialStage  = "trial"
)

// overhead is about what a trial takes besides its length: setting up, warming up,
// draining, checking.
const overhead = 2 * time.Second

// warmUp is how long a trial's rate is offered before it is judged: connections are
// opened, caches and queues come to what they are at that rate.
func warmUp(trial time.Duration) time.Duration {
	return min(max(trial/5, 500*time.Millisecond), 5*time.Second)
}

// profile is the load of a trial: a constant rate, or users.
func profile(a capacity.Ask, o *Options) *profiles.Profile {
	if o.Users {
		n := int(a.Rate)
		stage := func(name string, d time.Duration) profiles.Stage {
			return profiles.Stage{Name: name, Duration: d, Class: profiles.Normal, Users: &profiles.Users{From: n, To: n, Pause: o.Pause}}
		}
		warm, trial := stage(warmUpStage, warmUp(a.Length)), stage(trialStage, a.Length)
		trial.Judged = true
		return &profiles.Profile{Name: "capacity", Stages: []profiles.Stage{warm, trial}}
	}
	return &profiles.Profile{Name: "capacity", Stages: []profiles.Stage{
		{Name: warmUpStage, Duration: warmUp(a.Length), From: a.Rate, To: a.Rate, Class: profiles.Normal},
		{Name: trialStage, Duration: a.Length, From: a.Rate, To: a.Rate, Class: profiles.Normal, Judged: true},
	}}
}

// plan returns the plan of a trial. Each trial has a seed of its own, so that chance
// does not repeat itself at one rate.
func (s *Search) plan(ctx context.Context, a capacity.Ask, only string) (*run.Plan, error) {
	return s.first.With(ctx, func(r *run.Request) {
		r.Profile = profile(a, &s.options)
		r.Seed += uint64(a.Number - 1)
		if only != "" {
			r.Scenarios = []profiles.Weight{{Scenario: only, Weight: 1}}
			r.Values = valuesOf(r.Values, only)
			if only != "flow" {
				r.Flow = ""
			}
		}
	})
}

// valuesOf leaves the settings of one scenario.
func valuesOf(all []run.Value, scenario string) (out []run.Value) {
	for _, v := range all {
		if v.Scenario == scenario {
			out = append(out, v)
		}
	}
	return out
}

// part is one search: of the mix, or of one scenario.
type part struct {
	*Search
	session *run.Session
	// only is the scenario that is searched by itself, empty for the mix; prefix the
	// folder of its trials.
	only, prefix string
}

// trial makes one trial: scenarios set up afresh, so that no trial works on what
// another one left, a run, and a rest.
func (s *part) trial(ctx context.Context, a capacity.Ask) (t capacity.Trial, err error) {
	began := time.Now()
	p, err := s.plan(ctx, a, s.only)
	if err != nil {
		return t, err
	}
	watch := newBacklogWatch(a, s.options.Users, p.MaxInFlight(), p.Shares())
	per := "rps"
	if s.options.Users {
		per = "users"
	}
	t.Dir = s.prefix + fmt.Sprintf("trial-%02d-%s%s", a.Number, strconv.FormatFloat(roundRate(a.Rate), 'f', -1, 64), per)
	sum, m, err := s.execute(ctx, p, t.Dir, watch, a.Number)
	if err != nil {
		return t, err
	}
	if m.Panicked != nil {
		return t, exitcode.With(exitcode.Panic, m.Panicked)
	}
	if m.Interrupted {
		return t, exitcode.With(exitcode.Interrupted, run.ErrInterrupted)
	}
	watch.judge(&t, sum, m)
	s.session.Observer.Say(line(a, t, s.options.Users))
	if t.Outcome != capacity.Held {
		if err := s.rest(ctx, m, p.GracefulStop()); err != nil {
			return t, err
		}
	}
	t.Took = time.Since(began).Seconds()
	return t, nil
}

// execute makes the run of a trial.
func (s *part) execute(ctx context.Context, p *run.Plan, dir string, watch *backlogWatch, number int) (*summary.Summary, *run.Measurement, error) {
	if s.options.Away != nil {
		return s.goAway(ctx, p, number, dir, watch)
	}
	x, err := s.prepare(ctx, p, number > 1)
	if err != nil {
		return nil, nil, err
	}
	defer x.Close()
	r, err := x.Record(ctx, filepath.Join(s.dir, dir), nil, watch.run)
	if err != nil {
		return nil, nil, err
	}
	return r.Summary, r.Measurement, nil
}

// A target that was overloaded may refuse connections for a short time.
const (
	setUpTries = 3
	setUpPause = 3 * time.Second
)

// prepare sets a trial up; where again, in more than one try.
func (s *part) prepare(ctx context.Context, p *run.Plan, again bool) (*run.Prepared, error) {
	for try := 1; ; try++ {
		x, err := s.session.Prepare(ctx, p)
		if err == nil {
			return x, nil
		}
		if exitcode.Of(err) != exitcode.Unreachable || !again || try == setUpTries {
			return nil, err
		}
		s.session.Observer.Step(fmt.Sprintf("not ready for the next trial: %v", err), nil)
		if err := s.session.Pause(ctx, setUpPause); err != nil {
			return nil, err
		}
	}
}

// The rest after a trial that the target did not hold. What was in flight and what
// the scenarios know of is done by then; a target that took long for it, or was not
// done in time, may be busy with what nobody waits for any more.
const (
	leastRest = time.Second
	mostRest  = 10 * time.Second
)

func (s *part) rest(ctx context.Context, m *run.Measurement, graceful time.Duration) error {
	d := max(leastRest, m.Outcome.Drain)
	if m.Outcome.Abandoned > 0 || m.Outcome.Drain >= graceful {
		d = mostRest
	}
	s.session.Observer.Step("letting the target rest …", nil)
	return s.session.Pause(ctx, min(d, mostRest))
}

// roundRate rounds a rate for a directory's name.
func roundRate(r float64) float64 {
	if r >= 100 {
		return math.Round(r)
	}
	return math.Round(r*100) / 100
}
