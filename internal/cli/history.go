package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/report/document"
	"github.com/perfctl/perfctl/internal/rundir"
)

func (a *app) historyCommand() *cobra.Command {
	var asJSON bool
	var out, tags []string
	var by string
	least := 100 * compare.DefaultMinEffect
	c := &cobra.Command{
		Use:   "history <runs>",
		Short: "Show past runs side by side, and from which one on a figure changed",
		Long: `History lists the runs in a folder, or several with commas between, in the order in
which they began, those of each load together. From 10 runs of a load on it says
from which run on a response time, a step's or operation's time or the rate of
errors was another one: by E-divisive means with Student's t-test, such that a
figure that does not change is said to in one history of a thousand.

A folder of 50 runs or more has an index, .perfctl-history, which is made of the
runs and may be removed at any time.`,
		Example: `  perfctl history runs
  perfctl history runs --tag env=staging
  perfctl history runs --by branch  # a history for each value of the label
  # A page with links to the runs' pages
  perfctl history runs --out html=runs/index.html
  perfctl history runs --json`,
		Args: oneArg("a folder of run directories"),
		RunE: func(_ *cobra.Command, args []string) error {
			if least <= 0 || least >= 1000 {
				return exitcode.UsageError("--min-effect %g: want a percentage above 0 and below 1000", least)
			}
			outs, err := outputs.Of(out, asJSON, outputs.DocumentFormats)
			if err != nil {
				return err
			}
			return a.history(args[0], least/100, tags, by, asJSON, outs)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the history as JSON")
	c.Flags().StringArrayVar(&tags, "tag", nil, "show the runs with this label alone, as in `NAME=VALUE` (repeatable)")
	c.Flags().StringVar(&by, "by", "", "also tell apart the runs with another value of the label `NAME`, as in --by branch")
	c.Flags().StringArrayVar(&out, "out", nil, "also write `FORMAT=WHERE`: text, json, markdown or html, as in html=index.html (repeatable)")
	c.Flags().Float64Var(&least, "min-effect", least, "smallest change that counts, in `PERCENT`")
	return c
}

func (a *app) history(dir string, effect float64, tags []string, by string, asJSON bool, outs []outputs.Output) error {
	dirs, err := rundir.Dirs(dir)
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	runs, err := compare.ReadKept(dirs)
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	for _, tag := range tags {
		name, value, ok := strings.Cut(tag, "=")
		if !ok || name == "" {
			return exitcode.UsageError("--tag %q: want NAME=VALUE, as in env=staging", tag)
		}
		if runs = compare.Tagged(runs, name, value); len(runs) == 0 {
			return exitcode.UsageError("--tag %s: no run has this label\n  next: perfctl history without --tag lists the labels of each with --out html=index.html", tag)
		}
	}
	all, err := compare.HistoriesOf(runs, by, compare.Options{MinEffect: effect})
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	err = a.writer().Documents(outs, all, func(where string) *document.Document {
		if where == "-" {
			return document.Histories(all, "")
		}
		return document.Histories(all, filepath.Dir(where))
	})
	if err != nil || outputs.HaveStdout(outs) {
		return err
	}
	if asJSON {
		return outputs.WriteJSON(a.Stdout, all)
	}
	if a.OutWidth() > 0 { // it fits a terminal
		return a.writer().Document(a.Stdout, "text", document.Histories(a.newest(all), ""))
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

// newest leaves of each history what a terminal has room for, unless -v asks for all.
func (a *app) newest(all []*compare.History) []*compare.History {
	if a.verbose {
		return all
	}
	out := make([]*compare.History, len(all))
	for i, h := range all {
		out[i] = h.Newest()
	}
	return out
}
