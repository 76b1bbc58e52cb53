package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/retention"
	"github.com/perfctl/perfctl/internal/rundir"
)

func (a *app) pruneCommand() *cobra.Command {
	f := flags.Prune{}
	c := &cobra.Command{
		Use:   "prune <runs>",
		Short: "Remove old run directories; it says which ones first",
		Long: `Prune says which run directories in a folder would be removed, and removes them with
--yes. What stays whatever is asked for: the runs that one that stays was compared
with, runs labelled baseline (perfctl run --tag baseline=yes), runs that may be
going on, and folders that hold anything that no run wrote. With --keep and
--older-than a run goes that both say.`,
		Example: `  perfctl prune runs --keep 20                       # which would go?
  perfctl prune runs --keep 20 --older-than 30d --yes
  perfctl prune runs --keep 0 --tag branch=feature --yes`,
		Args: oneArg("a folder of run directories"),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := f.Policy(c.Flags())
			if err != nil {
				return err
			}
			return a.prune(args[0], p, f.Yes, f.JSON)
		},
	}
	f.Register(c.Flags())
	return c
}

func (a *app) prune(dir string, p retention.Policy, yes, asJSON bool) error {
	dirs, err := rundir.Dirs(dir)
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	all, err := retention.Choose(dirs, p, time.Now())
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	var bytes int64
	n := 0
	for i := range all {
		c := &all[i]
		if !c.Remove {
			continue
		}
		if yes {
			if err := c.Delete(); err != nil {
				return err
			}
		}
		n, bytes = n+1, bytes+c.Bytes
	}
	if asJSON {
		return outputs.WriteJSON(a.Stdout, map[string]any{"removed": yes, "runs": all})
	}
	for _, c := range all {
		if c.Remove || a.verbose {
			fmt.Fprintf(a.Stdout, "%s %s  %s  %s\n", map[bool]string{true: "−", false: " "}[c.Remove], figure.Line(c.Dir), c.Started.UTC().Format("2006-01-02 15:04"), figure.Line(c.Because))
		}
	}
	size := figure.Value(float64(bytes), metrics.UnitBytes)
	switch {
	case n == 0:
		fmt.Fprintf(a.Stdout, "nothing to remove: %d of %d runs stay (-v says why)\n", len(all), len(all))
	case yes:
		fmt.Fprintf(a.Stdout, "removed %d of %d runs, %s\n", n, len(all), size)
	default:
		fmt.Fprintf(a.Stdout, "%d of %d runs would go, %s; --yes removes them\n", n, len(all), size)
	}
	return nil
}
