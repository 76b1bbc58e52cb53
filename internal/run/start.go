package run

import (
	"context"
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

// startLead is the time between starting everything and the first arrival, so that
// what is due at once is not late by what starting takes.
const startLead = 50 * time.Millisecond

// ahead is how long before StartAt everything is begun but the arrivals.
const ahead = 500 * time.Millisecond

// await waits until shortly before StartAt, where there is one, and returns by how
// much all was set up too late for it.
func (x *Prepared) await(ctx context.Context) (late time.Duration, err error) {
	at := x.plan.request.StartAt
	if at.IsZero() {
		return 0, nil
	}
	left := time.Until(at)
	if left < 0 {
		return -left, nil
	}
	x.session.Observer.Step(fmt.Sprintf("waiting until %s …", at.Format(time.RFC3339)), nil)
	return 0, x.session.Pause(ctx, left-ahead)
}

// lead returns how long it is to the first arrival, which is at StartAt where there
// is one.
func (p *Plan) lead() time.Duration {
	if p.request.StartAt.IsZero() {
		return startLead
	}
	return max(time.Until(p.request.StartAt), 0)
}

// begins is when the first arrival can be due.
func (p *Plan) begins() time.Time {
	if p.request.StartAt.IsZero() {
		return time.Now().Add(startLead)
	}
	return p.request.StartAt
}

// tooLate leaves the run directory of a run that could not start at its instant. It
// sent nothing: its arrivals would come on top of those of the shards that are not
// late.
func (x *Prepared) tooLate(dir string, info rundir.RunInfo, late time.Duration) (*Result, error) {
	info.Late = late.Seconds()
	out, err := rundir.Create(dir, info, x.registry.Descs())
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	run := rundir.NewRun(info, metrics.NewTotals(), 0)
	run.Lose(rundir.LateNote(info.Late))
	x.judge.Incomplete()
	s := summary.Summarise(run, summary.Inputs{SLA: x.judge.Evaluate(run.Totals), Failures: []summary.Failure{},
		Generator: &summary.GeneratorHealth{Status: "valid"}})
	x.plan.request.Secrets.Struct(s)
	return &Result{Summary: s, Measurement: &Measurement{Totals: run.Totals}}, summary.Finish(out, s)
}
