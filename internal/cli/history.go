package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/rundir"
)

func (a *app) historyCommand() *cobra.Command {
	var asJSON bool
	least := 100 * compare.DefaultMinEffect
	c := &cobra.Command{
		Use:   "history <runs>",
		Short: "Show past runs side by side, and from which one on a figure changed",
		Long: `History lists the runs in a folder, or several with commas between, in the order in
which they began, those of each load together. From 10 runs of a load on it says
from which run on a response time, a step's or operation's time or the rate of
errors was another one: by E-divisive means with Student's t-test, such that a
figure that does not change is said to in one history of a thousand.`,
		Example: `  perfctl history runs
  perfctl history runs --json`,
		Args: oneArg("a folder of run directories"),
		RunE: func(_ *cobra.Command, args []string) error {
			if least <= 0 || least >= 1000 {
				return exitcode.UsageError("--min-effect %g: want a percentage above 0 and below 1000", least)
			}
			return a.history(args[0], least/100, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the history as JSON")
	c.Flags().Float64Var(&least, "min-effect", least, "smallest change that counts, in `PERCENT`")
	return c
}

func (a *app) history(dir string, effect float64, asJSON bool) error {
	runs, err := rundir.OpenAll(dir)
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	all, err := compare.Histories(runs, compare.Options{MinEffect: effect})
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	if asJSON {
		return writeJSON(a.Stdout, all)
	}
	for i, h := range all {
		if i > 0 {
			fmt.Fprintln(a.Stdout)
		}
		if err := compare.HistoryText(a.Stdout, h, a.verbose); err != nil {
			return err
		}
	}
	return nil
}
