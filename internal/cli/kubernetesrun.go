package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/pods"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/series"
	"github.com/perfctl/perfctl/internal/summary"
)

// podPlan makes the plan of a run of pods, as one process would have it, and returns the
// settings that it was made with.
func (a *app) podPlan(ctx context.Context, profile string, f *flags.Run, fs *pflag.FlagSet) (p *run.Plan, settings *config.Layers, err error) {
	if err := f.Check(fs); err != nil {
		return nil, nil, err
	}
	a.asked = map[string]bool{}
	p, err = a.plan(ctx, profile, &f.Plan, fs, func(r *run.Request) error {
		settings = r.Settings
		return f.Complete(r)
	})
	return p, settings, err
}

// podOptions are what the flags say about the pods.
func (a *app) podOptions(profile string, f *flags.Run, fs *pflag.FlagSet, settings *config.Layers, namespace string) pods.Options {
	return pods.Options{
		Pods: f.Pods, Image: f.Image, Values: f.Values, Namespace: namespace, Wait: f.Wait, Version: a.version,
		Profile: profile, Arguments: flags.ShardArguments(fs), Settings: settings, Asked: slices.Collect(maps.Keys(a.asked)),
		LookupEnv: a.LookupEnv, Secrets: &a.secrets,
	}
}

// runOnPods is run for a run of many pods.
func (a *app) runOnPods(ctx context.Context, profile string, f *flags.Run, fs *pflag.FlagSet) error {
	streams, views, err := f.Outputs()
	if err != nil {
		return err
	}
	p, settings, err := a.podPlan(ctx, profile, f, fs)
	if err != nil {
		return err
	}
	client, err := cluster.Connect(f.Access())
	if err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	j := &pods.Job{Options: a.podOptions(profile, f, fs, settings, client.Namespace), Client: client, Keep: f.Keep}
	if _, err := pods.Spec(p, j.Options); err != nil { // before anything is made
		return err
	}
	dir := f.RunDir
	if dir == "" {
		dir = rundir.Free(p.Profile().Name, time.Now())
	}
	show := a.Progress(terminal.Options{Quiet: f.Quiet, Screen: f.Repeat == 1 && (!a.OutTTY || !outputs.HaveStdout(streams))})
	defer show.Done()
	a.progress = show
	j.Show, j.Stops = show, pods.Stops(a.Interrupts, show)
	if f.Repeat > 1 {
		return a.repeatOnPods(ctx, j, p, dir, f, views)
	}
	place, err := run.Reserve(dir)
	if err != nil {
		return err
	}
	defer place.Release()
	if err := outputs.Check(views); err != nil {
		return err
	}
	open, err := a.openStreams(ctx, p, streams)
	if err != nil {
		return err
	}
	defer func() { _, _ = open.Close() }() // closed already, unless the run did not come so far
	for _, address := range open.Listening() {
		show.Say("metrics for Prometheus: http://" + address + "/metrics")
	}
	ended, err := j.Execute(ctx, p, dir, open)
	if err != nil {
		return err
	}
	return a.presentPods(ended, dir, views, f.JSON)
}

// repeatOnPods is repeat for runs of many pods.
func (a *app) repeatOnPods(ctx context.Context, j *pods.Job, p *run.Plan, base string, f *flags.Run, views []outputs.Output) error {
	return a.repeat(ctx, p, base, f, views, func() (series.Execute, func(), error) {
		return func(ctx context.Context, p *run.Plan, dir string) (*summary.Summary, error) {
			place, err := run.Reserve(dir)
			if err != nil {
				return nil, err
			}
			defer place.Release()
			ended, err := j.Execute(ctx, p, dir, nil)
			if err != nil {
				return nil, err
			}
			return ended.Summary, nil
		}, func() {}, nil
	})
}

// presentPods shows what a run of pods came to.
func (a *app) presentPods(e *pods.Ended, dir string, views []outputs.Output, asJSON bool) error {
	code := exitcode.Pass
	if e.Lost {
		code = exitcode.Unexpected
	}
	code = exitcode.Worst(code, a.writer().Views(outputs.WithPage(views, dir), dir, e.Summary, a.progress))
	a.progress.Done()
	if outputs.HaveStdout(views) {
		a.YieldStdout()
	}
	if a.writer().WriteOwn(e.Own, a.Stderr, asJSON) {
		return verdict(exitcode.Worst(e.Summary.ExitCode, code))
	}
	return a.present(e.Summary, dir, asJSON, code)
}
