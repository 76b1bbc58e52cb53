package cli

import (
	"context"
	"fmt"
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
)

// podPlan makes the plan of a run of pods, as one process would have it, and returns the
// settings that it was made with.
func (a *app) podPlan(ctx context.Context, profile string, f *runFlags, fs *pflag.FlagSet) (p *run.Plan, settings *config.Layers, err error) {
	if err := f.Check(fs); err != nil {
		return nil, nil, err
	}
	a.asked = map[string]bool{}
	p, err = a.plan(ctx, profile, &f.Plan, fs, func(r *run.Request) error {
		settings = r.Settings
		return f.complete(r)
	})
	return p, settings, err
}

// podOptions are what the flags say about the pods.
func (a *app) podOptions(profile string, f *runFlags, fs *pflag.FlagSet, settings *config.Layers, namespace string) pods.Options {
	return pods.Options{
		Pods: f.Pods, Image: f.Image, Values: f.Values, Namespace: namespace, Wait: f.Wait, Version: a.version,
		Profile: profile, Arguments: flags.ShardArguments(fs), Settings: settings, Asked: slices.Collect(maps.Keys(a.asked)),
		LookupEnv: a.LookupEnv, Secrets: &a.secrets,
	}
}

// runOnPods is run for a run of many pods.
func (a *app) runOnPods(ctx context.Context, profile string, f *runFlags, fs *pflag.FlagSet) error {
	streams, views, err := outputs.Split(f.out, f.json)
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
	spec, err := pods.Spec(p, a.podOptions(profile, f, fs, settings, client.Namespace))
	if err != nil {
		return err
	}
	dir := f.runDir
	if dir == "" {
		dir = rundir.Free(p.Profile().Name, time.Now())
	}
	place, err := run.Reserve(dir)
	if err != nil {
		return err
	}
	defer place.Release()
	if err := outputs.Check(views); err != nil {
		return err
	}
	show := a.Progress(terminal.Options{Quiet: f.quiet, Screen: !a.OutTTY || !outputs.HaveStdout(streams)})
	defer show.Done()
	a.progress = show
	open, err := a.openStreams(ctx, p, streams)
	if err != nil {
		return err
	}
	defer func() { _, _ = open.Close() }() // closed already, unless the run did not come so far
	stops := pods.Stops(a.Interrupts, show)
	view, err := p.Elsewhere(f.Pods, show, open, func(reason string) { stops <- cluster.Stop{Text: reason} })
	if err != nil {
		return err
	}
	r := &pods.Run{Client: client, Show: show, View: view, ID: p.ID(), Dir: dir, Keep: f.Keep, Secrets: &a.secrets}
	show.Step(fmt.Sprintf("making %d pods in %s …", f.Pods, client.Namespace), nil)
	if err := client.Create(ctx, spec); err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	o, err := r.Conduct(ctx, &cluster.Conductor{
		Shards: f.Pods, Want: cluster.Want{Version: a.version, Plan: cluster.ParcelHash(spec.Parcel)},
		Stop: stops, Planned: pods.Planned(p), Patience: f.Wait,
	})
	if err != nil {
		return err
	}
	lost, kept := open.Close()
	code := exitcode.Pass
	if kept && len(lost) > 0 {
		code = exitcode.Unexpected
	}
	var base pods.Baseline
	base.Runs, base.Gate = p.Baseline()
	return a.concludePods(r, o, base, views, f.json, lost, code)
}

// concludePods has a run of pods concluded and shows what it came to. code is that for
// what was lost.
func (a *app) concludePods(r *pods.Run, o *cluster.Outcome, base pods.Baseline, views []outputs.Output, asJSON bool, lost []string, code int) error {
	s, err := r.Conclude(o, base, lost)
	if err != nil {
		return err
	}
	code = exitcode.Worst(code, a.writer().Views(outputs.WithPage(views, r.Dir), r.Dir, s, a.progress))
	a.progress.Done()
	if outputs.HaveStdout(views) {
		a.YieldStdout()
	}
	return a.present(s, r.Dir, asJSON, code)
}
