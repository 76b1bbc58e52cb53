package run

import (
	"context"
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
)

// startLead is the time between starting everything and the first arrival, so that
// what is due at once is not late by what starting takes.
const startLead = 50 * time.Millisecond

// ahead is how long before StartAt everything is begun but the arrivals.
const ahead = 500 * time.Millisecond

// await waits until shortly before StartAt, where there is one, and returns by how
// much all was ready too late for it: the set-up took too long, or the machine slept
// or the process was stopped while it waited.
func (x *Prepared) await(ctx context.Context) (late time.Duration, err error) {
	at := x.startAt
	if at.IsZero() {
		return 0, nil
	}
	left := time.Until(at)
	if left < 0 {
		return -left, nil
	}
	x.session.Observer.Step(fmt.Sprintf("waiting until %s …", at.Format(time.RFC3339)), nil)
	if err := x.session.Pause(ctx, left-ahead); err != nil {
		return 0, err
	}
	return max(-time.Until(at), 0), nil
}

// lead returns how long it is to the start of the schedule, which is at StartAt where
// there is one. Below 0, what was due meanwhile is released late, and that is measured:
// the schedule does not move.
func (x *Prepared) lead() time.Duration {
	if x.startAt.IsZero() {
		return startLead
	}
	return time.Until(x.startAt)
}

// begins is when the first arrival can be due.
func (x *Prepared) begins() time.Time {
	if x.startAt.IsZero() {
		return time.Now().Add(startLead)
	}
	return x.startAt
}

// tooLate leaves the run directory of a run that could not start at its instant. It
// sent nothing: its arrivals would come on top of those of the shards that are not
// late.
func (x *Prepared) tooLate(ctx context.Context, dir string, info rundir.RunInfo, late time.Duration) (*Result, error) {
	info.Late = late.Seconds()
	out, err := rundir.Create(dir, info, x.registry.Descs())
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	run := rundir.NewRun(info, metrics.NewTotals(), 0)
	run.Lose(rundir.LateNote(info.Late))
	x.judge.Incomplete()
	accounts := x.attend(ctx)
	s := summary.Summarise(run, summary.Inputs{Accounts: accountsOf(accounts), SLA: x.results(&Measurement{Totals: run.Totals}), Failures: []summary.Failure{},
		Generator: &summary.GeneratorHealth{Status: states.GeneratorValid}})
	x.plan.request.Secrets.Struct(s)
	return &Result{Summary: s, Measurement: &Measurement{Totals: run.Totals}}, summary.Finish(out, s)
}
