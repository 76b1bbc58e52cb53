package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/pods"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
)

func (a *app) kubernetesAttachCommand() *cobra.Command {
	f := &flags.Attach{}
	c := &cobra.Command{
		Use:   "attach <run>",
		Short: "Go on with a run whose command ended, to the same verdict",
		Long: `Attach collects what the shards of a run have recorded so far and record from now
on, shows and streams it, and judges the run as the command would have that made it.
Shards whose run is over wait a quarter of an hour for it. A run that was applied from
what render prints is begun by it. A script's handleSummary is not run: the script is
where the run was made.`,
		Example: "  perfctl kubernetes list\n  perfctl kubernetes attach 4b2d8688a9",
		Args:    oneArg("a run's id"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.kubernetesAttach(c.Context(), args[0], f, c.Flags())
		},
	}
	f.Register(c.Flags())
	_ = c.RegisterFlagCompletionFunc("out", completeOutputs)
	return c
}

func (a *app) kubernetesAttach(ctx context.Context, id string, f *flags.Attach, fs *pflag.FlagSet) error {
	streams, views, err := f.Outputs()
	if err != nil {
		return err
	}
	if _, err := flags.ParseRunID(id); err != nil {
		return err
	}
	base, err := f.Base()
	if err != nil {
		return err
	}
	client, err := cluster.Connect(f.Access())
	if err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	found, err := client.Find(ctx, id)
	if err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	dir := f.RunDir
	if dir == "" {
		dir = rundir.Free(found.Profile, time.Now())
	}
	place, err := run.Reserve(dir)
	if err != nil {
		return err
	}
	defer place.Release()
	if err := outputs.Check(views); err != nil {
		return err
	}
	show := a.Progress(terminal.Options{Quiet: f.Quiet, Screen: !a.OutTTY || !outputs.HaveStdout(streams)})
	defer show.Done()
	a.progress = show
	p := f.Named(id, found, fs).Plan()
	open, err := a.openStreams(ctx, p, streams)
	if err != nil {
		return err
	}
	defer func() { _, _ = open.Close() }() // closed already, unless the run did not come so far
	stops := pods.Stops(a.Interrupts, show)
	view := p.Attach(found.Shards, show, open, func(reason string) { stops <- cluster.Stop{Text: reason} })
	r := &pods.Run{Client: client, Show: show, View: view, ID: id, Dir: dir, Keep: f.Keep, Secrets: &a.secrets}
	o, err := r.Conduct(ctx, &cluster.Conductor{
		Shards: found.Shards, Want: cluster.Want{Version: a.version, Plan: found.Plan}, Stop: stops, Planned: found.Planned,
	})
	if err != nil {
		return err
	}
	ended, err := r.End(ctx, o, base, open)
	if err != nil {
		return err
	}
	return a.presentPods(ended, dir, views, f.JSON)
}
