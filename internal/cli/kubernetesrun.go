package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

// runOnPods is run for a run of many pods.
func (a *app) runOnPods(ctx context.Context, profile string, f *runFlags, fs *pflag.FlagSet) error {
	streams, views, err := a.splitOutputs(f.out, f.json)
	if err != nil {
		return err
	}
	p, settings, err := a.podPlan(ctx, profile, f, fs)
	if err != nil {
		return err
	}
	client, err := cluster.Connect(f.access())
	if err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	spec, err := a.spec(p, profile, f, fs, settings, client.Namespace)
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
	if err := checkViews(views); err != nil {
		return err
	}
	show := a.Progress(terminal.Options{Quiet: f.quiet, Screen: !a.OutTTY || !toStdout(streams)})
	defer show.Done()
	a.progress = show
	open, err := a.openStreams(ctx, p, p.ID(), streams)
	if err != nil {
		return err
	}
	defer func() { _, _ = open.Close() }() // closed already, unless the run did not come so far
	stops := a.stops()
	view, err := p.Elsewhere(f.pods, show, open, func(reason string) { stops <- cluster.Stop{Text: reason} })
	if err != nil {
		return err
	}
	c := &podRun{app: a, client: client, show: show, view: view, rebuild: cluster.Rebuilder{Dir: filepath.Join(dir, shardsFolder)}, id: p.ID(), dir: dir, keep: f.keep}
	show.Step(fmt.Sprintf("making %d pods in %s …", f.pods, client.Namespace), nil)
	if err := client.Create(ctx, spec); err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	o, err := c.conduct(ctx, &cluster.Conductor{
		Client: client, Run: p.ID(), Shards: f.pods, Want: cluster.Want{Version: a.version, Plan: cluster.ParcelHash(spec.Parcel)},
		Stop: stops, Planned: p.Schedule().Duration() + p.GracefulStop(), Patience: f.wait,
	})
	if err != nil {
		return err
	}
	lost, kept := open.Close()
	base, gate := p.Baseline()
	return c.conclude(o, conclusion{base: base, gate: gate, views: views, json: f.json, lost: lost, kept: kept})
}

// shardsFolder is where the run directories of the shards are, in that of the run.
const shardsFolder = "shards"

// stops returns what ends a run of pods: the first signal in order, the second at once.
func (a *app) stops() chan cluster.Stop {
	out := make(chan cluster.Stop, 8)
	go func() {
		first := true
		for range a.Interrupts {
			if first {
				a.progress.Say("interrupted: no more arrivals, finishing what is due (once more to end at once)")
			}
			select {
			case out <- cluster.Stop{Interrupted: true, Now: !first, Text: "interrupted by a signal"}:
			default: // enough of them wait
			}
			first = false
		}
	}()
	return out
}

// podRun is a run of pods as this command sees it: a cluster.Sink and a cluster.Voice.
type podRun struct {
	app     *app
	client  *cluster.Client
	show    *terminal.Progress
	view    *run.Elsewhere // nil where the plan is not known here
	rebuild cluster.Rebuilder
	id, dir string
	keep    bool
	began   bool
	// broken is why something could not be kept.
	broken error
}

// Part keeps a part and shows it.
func (c *podRun) Part(shard int, p *cluster.Part) {
	if err := c.rebuild.Write(shard, p); err != nil && c.broken == nil {
		c.broken = err
		c.show.Warn("warning: " + err.Error())
	}
	if c.view != nil {
		c.view.Take(shard, p.File, p.Data)
	}
}

// Whole checks a shard's files.
func (c *podRun) Whole(shard int, f *cluster.Final) error { return c.rebuild.Check(shard, f) }

// Gone takes a shard out of what is waited for.
func (c *podRun) Gone(shard int) {
	if c.view != nil {
		c.view.Gone(shard)
	}
}

// Step shows what goes on.
func (c *podRun) Step(text string) { c.show.Step(text, nil) }

// Say shows a line.
func (c *podRun) Say(text string) { c.show.Say(text) }

// Warn shows a line, whatever was asked to be left out.
func (c *podRun) Warn(text string) { c.show.Warn(text) }

// Started begins to show the run.
func (c *podRun) Started(at time.Time) {
	c.began = true
	c.show.Idle()
	if c.view != nil {
		c.view.Begin(at)
		return
	}
	c.show.Step("the run goes on; its seconds are collected …", nil)
}

// conduct conducts the shards. Where there was no run, or it is to end at once, nothing
// of it stays in the cluster.
func (c *podRun) conduct(ctx context.Context, k *cluster.Conductor) (*cluster.Outcome, error) {
	k.Sink, k.Voice = c, c
	o, err := k.Conduct(ctx)
	if c.view != nil {
		c.view.End()
	}
	if e := c.rebuild.Close(); e != nil && c.broken == nil {
		c.broken = e
	}
	if err == nil {
		return o, nil
	}
	c.remove()
	c.show.Idle()
	switch failed, ok := errors.AsType[*cluster.FailedError](err); {
	case errors.Is(err, cluster.ErrInterrupted):
		if c.began {
			return &cluster.Outcome{Stopped: &cluster.Stop{Interrupted: true, Now: true}}, nil
		}
		return nil, exitcode.With(exitcode.Interrupted, run.ErrInterrupted)
	case ok && failed.ExitCode != 0:
		return nil, exitcode.With(failed.ExitCode, err)
	}
	return nil, exitcode.With(exitcode.Unreachable, err)
}

// remove takes the run's objects out of the cluster.
func (c *podRun) remove() {
	if c.keep {
		return
	}
	if err := c.client.Delete(context.Background(), c.id); err != nil {
		c.show.Warn(fmt.Sprintf("warning: %v\n  next: perfctl kubernetes clean %s removes what is left", err, c.id))
	}
}

// conclusion is what a run of pods is concluded with.
type conclusion struct {
	base  []*rundir.Run
	gate  compare.Options
	views []output
	json  bool
	// lost is what streams lost, kept says that one of them is a file.
	lost []string
	kept bool
}

// conclude puts the shards together and shows what it all came to.
func (c *podRun) conclude(o *cluster.Outcome, k conclusion) error {
	a := c.app
	dirs := c.rebuild.Dirs()
	if len(dirs) == 0 {
		c.remove()
		return exitcode.With(exitcode.Invalid, errors.New("nothing was recorded by any shard: all of them are lost"))
	}
	s, err := run.Merge(dirs, c.dir, c.show)
	if err != nil {
		return err
	}
	c.remove()
	c.note(o, s)
	if len(k.base) > 0 {
		run.Against(k.base, c.dir, s, k.gate)
	}
	s.Notes = append(s.Notes, k.lost...)
	code := exitcode.Pass
	if k.kept && len(k.lost) > 0 {
		code = exitcode.Unexpected
	}
	a.secrets.Struct(s)
	if err := summary.Write(c.dir, s); err != nil {
		c.show.Warn(fmt.Sprintf("warning: %v", err))
	}
	code = exitcode.Worst(code, a.writeViews(withPage(k.views, c.dir), c.dir, s, c.show))
	c.show.Done()
	if toStdout(k.views) {
		a.YieldStdout()
	}
	return a.present(s, c.dir, k.json, code)
}

// note adds to a summary what only who conducted the shards knows.
func (c *podRun) note(o *cluster.Outcome, s *summary.Summary) {
	for _, shard := range slices.Sorted(maps.Keys(o.Lost)) {
		s.Lose(fmt.Sprintf("shard %d is lost: %s", shard, o.Lost[shard]))
	}
	for _, text := range o.Broken {
		s.Lose(text)
	}
	if c.broken != nil {
		s.Lose(c.broken.Error())
	}
	for _, text := range o.Clocks {
		s.Notes = append(s.Notes, text+": latency does not depend on it, how the shards' loads add up does")
	}
	if o.ClockWithin > 0 && len(o.Clocks) == 0 {
		c.show.Say(fmt.Sprintf("the clocks of the pods agree with this machine's, as far as can be told from here: within %s", figure.Duration(o.ClockWithin.Round(time.Millisecond))))
	}
}
