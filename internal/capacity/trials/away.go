package trials

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// Trial is one trial that is executed elsewhere than in this process.
type Trial struct {
	Plan *run.Plan
	// Number counts the trials of a search from 1: the seed is the search's and that.
	Number int
	// Load is the plan's profile as a profile file.
	Load string
	// Only is the scenario that is searched by itself, empty for the mix.
	Only string
	// Dir is the trial's new run directory.
	Dir string
	// Second takes each second of it.
	Second func(*metrics.Snapshot)
}

// Away executes a trial elsewhere, and returns what it came to and the rule that ended it
// early, nil where none did.
type Away func(ctx context.Context, t Trial) (*summary.Summary, *sla.Breach, error)

// load is a trial's profile as a profile file.
func load(p *profiles.Profile) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s\nstages:\n", p.Name)
	for _, s := range p.Stages {
		of := "rate: " + strconv.FormatFloat(s.From, 'f', -1, 64)
		if u := s.Users; u != nil {
			of = fmt.Sprintf("users: %d", u.From)
			if u.Pause > 0 {
				of += ", pause: " + u.Pause.String()
			}
		}
		fmt.Fprintf(&b, "  - {name: %s, duration: %s, %s, class: %s, judge: %v}\n", s.Name, s.Duration, of, s.Class, s.Judged)
	}
	return b.String()
}

// goAway makes one trial elsewhere.
func (s *part) goAway(ctx context.Context, p *run.Plan, number int, dir string, watch *backlogWatch) (*summary.Summary, *run.Measurement, error) {
	place, err := run.Reserve(filepath.Join(s.dir, dir))
	if err != nil {
		return nil, nil, err
	}
	defer place.Release()
	t := Trial{Plan: p, Number: number, Load: load(p.Profile()), Only: s.only, Dir: filepath.Join(s.dir, dir), Second: watch.second}
	sum, ended, err := s.options.Away(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	if sum.Verdict == summary.VerdictIncomplete {
		return nil, nil, exitcode.With(exitcode.Invalid, fmt.Errorf("a trial lost data, and tells nothing: %s", strings.Join(sum.Notes, "; ")))
	}
	recorded, err := rundir.Open(t.Dir)
	if err != nil {
		return nil, nil, err
	}
	m := &run.Measurement{Aborted: ended, Totals: recorded.Totals, Elapsed: recorded.Elapsed, Interrupted: sum.Verdict == summary.VerdictInterrupted}
	m.Outcome.Length = recorded.Elapsed
	return sum, m, nil
}

// second reads the backlog of a trial that goes on elsewhere from what is recorded of it:
// once a second.
func (o *backlogWatch) second(s *metrics.Snapshot) {
	for _, c := range s.Counters {
		switch c.Series.Name {
		case metrics.Arrivals.Name:
			o.due += c.Delta
		case metrics.ArrivalsStarted.Name:
			o.started += c.Delta
		case metrics.ArrivalsDropped.Name:
			o.dropped += c.Delta
		case metrics.ArrivalsSucceeded.Name, metrics.ArrivalsFailed.Name, metrics.ArrivalsUnfinished.Name:
			o.done += c.Delta
		}
	}
	at := s.End.Seconds()
	if at < o.from || at > o.to {
		return
	}
	flying := max(o.started-o.done, 0)
	queued := max(o.due-o.dropped-o.started, 0)
	o.samples = append(o.samples, capacity.Sample{At: at, Backlog: float64(flying + queued)})
	o.flying = append(o.flying, capacity.Sample{At: at, Backlog: float64(flying)})
	o.waited = max(o.waited, int(queued))
}
