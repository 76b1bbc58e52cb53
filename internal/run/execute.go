package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

// Sinks receive the seconds of a run while it goes on.
type Sinks interface {
	// Subscribers returns what takes each second.
	Subscribers() []func(*metrics.Snapshot)
	// Close delivers what is left and says, for each sink that lost something, what.
	// kept says that one of them is a file, which its user has to be able to rely on.
	Close() (notes []string, kept bool)
}

// Result is what came of a run.
type Result struct {
	Summary     *summary.Summary
	Measurement *Measurement
	// Own are texts that a scenario made of the summary, by the name of the file that
	// each is for, stdout and stderr among them.
	Own map[string]string
}

// Execute does a whole run in a new run directory: it prepares, measures, concludes,
// and gives everything back. sinks may be nil.
func (s *Session) Execute(ctx context.Context, p *Plan, dir string, sinks Sinks) (*Result, error) {
	place, err := Reserve(dir)
	if err != nil {
		return nil, err
	}
	defer place.Release()
	x, err := s.Prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	return x.Record(ctx, dir, sinks, nil)
}

// Record offers the load, records it in a new run directory and concludes. sinks and
// watch may be nil.
func (x *Prepared) Record(ctx context.Context, dir string, sinks Sinks, watch Watcher) (*Result, error) {
	settings := x.plan.settings
	if x.session.overrides != nil {
		a, err := x.session.addresses(ctx, x.plan)
		if err != nil {
			return nil, err
		}
		settings = x.plan.listSettings(a)
	}
	info := x.info(settings)
	x.plan.request.Secrets.Struct(&info)
	if err := x.agreeOnStart(ctx); err != nil {
		x.session.callOff(x.plan, err)
		return nil, err
	}
	late, err := x.await(ctx)
	if err != nil {
		x.session.abortAll(x.plan, err)
		return nil, err
	}
	if late > 0 {
		return x.tooLate(ctx, dir, info, late)
	}
	info.Started = x.begins()
	out, err := rundir.Create(dir, info, x.registry.Descs())
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	show, r := x.session.Observer, &x.plan.request
	if err := x.keepRecords(dir); err != nil {
		return nil, errors.Join(exitcode.ConfigError(err), out.Close())
	}
	show.Begin(View{
		Profile: r.Profile.Name, Schedule: x.plan.schedule, Stages: r.Profile.Stages, Share: 1 / float64(r.Shards), Faults: x.plan.Faults(), SoFar: x.soFar,
	})
	subscribers := []func(*metrics.Snapshot){out.Snapshot, x.judge.Second}
	if sinks != nil {
		subscribers = append(subscribers, sinks.Subscribers()...)
	}
	heap := newHeapKeeper(x.session.LookupEnv)
	heap.set(collectSmall)
	m, err := x.measure(ctx, heap, watch, subscribers...)
	heap.set(collectAfterwards)
	if err != nil {
		x.records.close()
		return nil, errors.Join(err, out.Close())
	}
	var lost []string
	kept := false
	if sinks != nil {
		lost, kept = sinks.Close()
	}
	x.records.close()
	s := x.conclude(m, rundir.NewRun(info, m.Totals, m.Elapsed), dir, out.Err())
	noteLost(lost, kept, s, show)
	if m.Panicked != nil {
		s.Lose(m.Panicked.Error())
		s.ExitCode = exitcode.Worst(s.ExitCode, exitcode.Panic)
		show.Warn(m.Panicked.Error())
	}
	if len(r.Baseline) > 0 {
		show.Step("comparing with the baseline …", nil)
		Against(r.Baseline, dir, s, r.Gate)
	}
	r.Secrets.Struct(s)
	if err := summary.Finish(out, s); err != nil {
		s.Lose(err.Error())
		show.Warn(fmt.Sprintf("warning: %v\n  next: free space or choose another --run-dir; the summary that is printed is complete", err))
	}
	return &Result{s, m, x.ownSummary(ctx, s, m.Totals)}, nil
}

// noteLost notes what sinks lost. A file that is not whole is no success.
func noteLost(lost []string, kept bool, s *summary.Summary, show Observer) {
	s.Notes = append(s.Notes, lost...)
	if !kept {
		return
	}
	s.ExitCode = exitcode.Worst(s.ExitCode, exitcode.Unexpected)
	for _, n := range lost {
		show.Warn("warning: " + n)
	}
}

// Reserve makes a run directory and tries whether it can be written, before
// anything is started for the run. Release takes it back where it stayed empty.
func Reserve(dir string) (*rundir.Reservation, error) {
	r, err := rundir.Reserve(dir)
	return r, exitcode.ConfigError(err)
}
