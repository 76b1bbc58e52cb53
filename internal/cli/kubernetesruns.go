package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
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
	out               []string
	json, quiet, keep bool
}

func (a *app) kubernetesAttachCommand() *cobra.Command {
	f := &attachFlags{}
	c := &cobra.Command{
		Use:   "attach <run>",
		Short: "Go on with a run whose command ended, to the same verdict",
		Long: `Attach collects what the shards of a run have recorded so far and record from now
on, and judges the run as the command would have that made it. Shards whose run is
over wait a quarter of an hour for it. A run that was applied from what render
prints is begun by it.`,
		Example: "  perfctl kubernetes list\n  perfctl kubernetes attach 4b2d8688a9",
		Args:    oneArg("a run's id"),
		RunE:    func(c *cobra.Command, args []string) error { return a.kubernetesAttach(c.Context(), args[0], f) },
	}
	fs := c.Flags()
	f.ClusterAccess.Register(fs)
	f.Gate.Register(fs)
	fs.StringVar(&f.runDir, "run-dir", "", "write the run to this new `DIR` (default: runs/PROFILE-TIME)")
	fs.StringVar(&f.baseline, "baseline", "", "compare the run with the one in `DIR`, or with those in it")
	fs.StringArrayVar(&f.out, "out", nil, "also write `FORMAT=WHERE`, as in html=report.html (repeatable; the formats of perfctl report)")
	fs.BoolVar(&f.json, "json", false, "print the summary as JSON on stdout")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress")
	fs.BoolVar(&f.keep, "kubernetes-keep", false, "leave the Job behind, for its logs")
	return c
}

func (a *app) kubernetesAttach(ctx context.Context, id string, f *attachFlags) error {
	views, err := outputs.Views(f.out, f.json, "only the command that made a run can stream it")
	if err != nil {
		return err
	}
	if _, err := flags.ParseRunID(id); err != nil {
		return err
	}
	var base pods.Baseline
	if base.Gate, err = f.Options(); err != nil {
		return err
	}
	if f.baseline != "" {
		if base.Runs, err = openBaseline(f.baseline); err != nil {
			return err
		}
	}
	client, err := cluster.Connect(f.Access())
	if err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	found, err := client.Find(ctx, id)
	if err != nil {
		return exitcode.With(exitcode.Unreachable, err)
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
	show := a.Progress(terminal.Options{Quiet: f.quiet})
	defer show.Done()
	a.progress = show
	r := &pods.Run{Client: client, Show: show, ID: id, Dir: dir, Keep: f.keep, Secrets: &a.secrets}
	o, err := r.Conduct(ctx, &cluster.Conductor{
		Shards: found.Shards, Want: cluster.Want{Version: a.version, Plan: found.Plan}, Stop: pods.Stops(a.Interrupts, show), Planned: found.Planned,
	})
	if err != nil {
		return err
	}
	return a.concludePods(r, o, base, views, f.json, nil, exitcode.Pass)
}

func (a *app) kubernetesListCommand() *cobra.Command {
	f := &flags.ClusterAccess{}
	c := &cobra.Command{
		Use:   "list",
		Short: "List the runs in a namespace",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := cluster.Connect(f.Access())
			if err != nil {
				return exitcode.With(exitcode.Unreachable, err)
			}
			all, err := client.Runs(c.Context())
			if err != nil {
				return exitcode.With(exitcode.Unreachable, err)
			}
			if len(all) == 0 {
				fmt.Fprintf(a.Stderr, "no run in the namespace %s\n", client.Namespace)
				return nil
			}
			tw := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(tw, "run\tprofile\tpods\trunning\tended\tfailed\tage")
			for _, r := range all {
				fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%d\t%d\t%s\n", figure.Line(r.Run), figure.Line(r.Profile), r.Shards, r.Active, r.Succeeded, r.Failed,
					figure.Duration(time.Since(r.Made).Round(time.Second)))
			}
			return tw.Flush()
		},
	}
	f.Register(c.Flags())
	return c
}

func (a *app) kubernetesCleanCommand() *cobra.Command {
	f := &flags.ClusterAccess{}
	all := false
	c := &cobra.Command{
		Use:   "clean [run]...",
		Short: "Remove runs from a namespace: those named, or all that are over",
		Long: `Clean removes the Jobs of runs, and with them their pods, plans and secrets. Without
a name it removes those whose pods have all ended; with --all the others, too, which
ends them. What a run left in its targets is removed by perfctl reset.`,
		Example: "  perfctl kubernetes clean\n  perfctl kubernetes clean 4b2d8688a9",
		RunE: func(c *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return exitcode.UsageError("--all and the names of runs: want one of them")
			}
			return exitcode.With(exitcode.Unreachable, a.kubernetesClean(c.Context(), args, f, all))
		},
	}
	f.Register(c.Flags())
	c.Flags().BoolVar(&all, "all", false, "remove those that go on, too")
	return c
}

func (a *app) kubernetesClean(ctx context.Context, runs []string, f *flags.ClusterAccess, all bool) error {
	client, err := cluster.Connect(f.Access())
	if err != nil {
		return err
	}
	for _, id := range runs {
		if _, err := client.Find(ctx, id); err != nil {
			return err
		}
	}
	if len(runs) == 0 {
		found, err := client.Runs(ctx)
		if err != nil {
			return err
		}
		for _, r := range found {
			if r.Over || all {
				runs = append(runs, r.Run)
			}
		}
	}
	for _, id := range runs {
		if err := client.Delete(ctx, id); err != nil {
			return err
		}
		fmt.Fprintf(a.Stdout, "removed %s\n", figure.Line(id))
	}
	return nil
}
