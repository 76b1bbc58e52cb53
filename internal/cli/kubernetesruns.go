package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
)

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
