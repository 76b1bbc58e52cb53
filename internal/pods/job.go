package pods

import (
	"context"
	"fmt"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// Job makes runs of pods, one after the other.
type Job struct {
	Options
	Client *cluster.Client
	Show   run.Observer
	// Stops end a run before its time.
	Stops chan cluster.Stop
	// Keep leaves the Jobs behind.
	Keep bool
}

// Ended is a run of pods that is over.
type Ended struct {
	Summary *summary.Summary
	// Own are texts that a scenario made of the summary, by the name of the file that
	// each is for, stdout and stderr among them.
	Own map[string]string
	// Breach is the rule that ended the run early, nil where none did.
	Breach *sla.Breach
	// Lost says that a file lost something that its user has to be able to rely on.
	Lost bool
}

// Execute has a plan executed by pods, follows them to the end of the run and puts it
// together in a folder that was reserved for it. sinks may be nil. The error carries its
// exit code; then nothing stays in the cluster.
func (j *Job) Execute(ctx context.Context, p *run.Plan, dir string, sinks run.Sinks) (*Ended, error) {
	spec, err := Spec(p, j.Options)
	if err != nil {
		return nil, err
	}
	view, err := p.Elsewhere(j.Pods, j.Show, sinks, func(reason string) { j.Stops <- cluster.Stop{Text: reason} })
	if err != nil {
		return nil, err
	}
	r := &Run{Client: j.Client, Show: j.Show, View: view, ID: p.ID(), Dir: dir, Keep: j.Keep, Secrets: j.Secrets}
	j.Show.Step(fmt.Sprintf("making %d pods in %s …", j.Pods, j.Client.Namespace), nil)
	if err := j.Client.Create(ctx, spec); err != nil {
		return nil, exitcode.With(exitcode.Unreachable, err)
	}
	o, err := r.Conduct(ctx, &cluster.Conductor{
		Shards: j.Pods, Want: cluster.Want{Version: j.Version, Plan: cluster.ParcelHash(spec.Parcel)},
		Stop: j.Stops, Planned: Planned(p), Patience: j.Wait,
	})
	if err != nil {
		return nil, err
	}
	var base Baseline
	base.Runs, base.Gate = p.Baseline()
	return r.End(ctx, o, base, sinks)
}

// End concludes a run whose shards are done, and closes what its seconds were sent to.
func (c *Run) End(ctx context.Context, o *cluster.Outcome, base Baseline, sinks run.Sinks) (*Ended, error) {
	var lost []string
	kept := false
	if sinks != nil {
		lost, kept = sinks.Close()
	}
	s, err := c.Conclude(o, base, lost)
	if err != nil {
		return nil, err
	}
	return &Ended{Summary: s, Own: c.View.OwnSummary(ctx, s, c.Dir), Breach: c.View.Breach, Lost: kept && len(lost) > 0}, nil
}
