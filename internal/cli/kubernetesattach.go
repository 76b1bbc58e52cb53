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

// attachFlags are the flags of attach.
type attachFlags struct {
	flags.ClusterAccess
	runDir, baseline string
	flags.Gate
	abortOnFail       bool
	abortAfter        time.Duration
	allowTargets      []string
	export            string
	out               []string
	json, quiet, keep bool
}

func (f *attachFlags) register(fs *pflag.FlagSet) {
	f.ClusterAccess.Register(fs)
	f.Gate.Register(fs)
	fs.StringVar(&f.runDir, "run-dir", "", "write the run to this new `DIR` (default: runs/PROFILE-TIME)")
	fs.StringVar(&f.baseline, "baseline", "", "compare the run with the one in `DIR`, or with those in it; exits with 112 where something regressed")
	fs.BoolVar(&f.abortOnFail, "abort-on-fail", false, "stop as soon as a rule of severity fail is missed whatever the rest brings (default: as the command had it that made the run)")
	fs.DurationVar(&f.abortAfter, "abort-after", 0, "let --abort-on-fail stop nothing before this time of the run")
	fs.StringArrayVar(&f.allowTargets, "allow-target", nil, "allow to send figures to this `HOST` (repeatable)")
	fs.StringVar(&f.export, "summary-export", "", "write the summary to `FILE` in the form of k6's: short for --out k6-summary=FILE")
	fs.StringArrayVarP(&f.out, "out", "o", nil, "also write `FORMAT=WHERE`, as in json=results.json (repeatable; see Outputs in perfctl run --help)")
	fs.BoolVar(&f.json, "json", false, "print the summary as JSON on stdout")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress")
	fs.BoolVar(&f.keep, "kubernetes-keep", false, "leave the Job behind, for its logs")
}

func (a *app) kubernetesAttachCommand() *cobra.Command {
	f := &attachFlags{}
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
	f.register(c.Flags())
	_ = c.RegisterFlagCompletionFunc("out", completeOutputs)
	return c
}

// base reads what the run is to be compared with.
func (f *attachFlags) base() (base pods.Baseline, err error) {
	if base.Gate, err = f.Options(); err == nil && f.baseline != "" {
		base.Runs, err = openBaseline(f.baseline)
	}
	return base, err
}

func (a *app) kubernetesAttach(ctx context.Context, id string, f *attachFlags, fs *pflag.FlagSet) error {
	if f.export != "" {
		f.out = append(f.out, "k6-summary="+f.export)
	}
	streams, views, err := outputs.Split(f.out, f.json)
	if err != nil {
		return err
	}
	if _, err := flags.ParseRunID(id); err != nil {
		return err
	}
	base, err := f.base()
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
	known := run.Named{ID: id, Profile: found.Profile, AllowTargets: f.allowTargets, AbortOnFail: found.AbortOnFail, AbortAfter: found.AbortAfter}
	if fs.Changed("abort-on-fail") || fs.Changed("abort-after") {
		known.AbortOnFail, known.AbortAfter = f.abortOnFail, f.abortAfter
	}
	dir := f.runDir
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
	show := a.Progress(terminal.Options{Quiet: f.quiet, Screen: !a.OutTTY || !outputs.HaveStdout(streams)})
	defer show.Done()
	a.progress = show
	p := known.Plan()
	open, err := a.openStreams(ctx, p, streams)
	if err != nil {
		return err
	}
	defer func() { _, _ = open.Close() }() // closed already, unless the run did not come so far
	stops := pods.Stops(a.Interrupts, show)
	view := p.Attach(found.Shards, show, open, func(reason string) { stops <- cluster.Stop{Text: reason} })
	r := &pods.Run{Client: client, Show: show, View: view, ID: id, Dir: dir, Keep: f.keep, Secrets: &a.secrets}
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
	return a.presentPods(ended, dir, views, f.json)
}
