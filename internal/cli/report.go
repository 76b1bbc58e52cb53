package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/capacity/trials"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

func (a *app) reportCommand() *cobra.Command {
	var asJSON bool
	out := outputs.Output{Format: "text", Where: "-"}
	c := &cobra.Command{
		Use:   "report <run directory>",
		Short: "Show a finished run again, in any format",
		Long: `Report reads a run directory and shows it, exactly as the run did. A run that was
killed is shown as far as it was recorded, and is said to be incomplete. The exit
code is the run's.

Formats:
` + outputs.DescribeViews(),
		Example: `  perfctl report runs/load-20260102-150405
  perfctl report runs/load-20260102-150405 --json
  perfctl report runs/load-20260102-150405 --format text -o summary.txt`,
		Args: oneArg("a run directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			if asJSON {
				out.Format = "json"
			}
			return a.report(args[0], out)
		},
	}
	c.Flags().StringVar(&out.Format, "format", "text", "how to show it; see above")
	c.Flags().StringVarP(&out.Where, "output", "o", "-", "write to this `FILE`; - is stdout")
	c.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	c.MarkFlagsMutuallyExclusive("json", "format")
	_ = c.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return completions(outputs.ViewChoices(), ""), cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

func (a *app) report(dir string, o outputs.Output) error {
	if err := outputs.CheckView(o.Format); err != nil {
		return exitcode.UsageError("--format: %w", err)
	}
	if is, _ := trials.Holds(dir); is {
		return a.reportCapacity(dir, o)
	}
	suite, err := summary.ReadSuite(dir)
	if err != nil {
		return exitcode.UsageError("read the suite in %s: %w", dir, err)
	}
	if suite != nil {
		if err := a.writer().Suite(o, suite); err != nil {
			return err
		}
		return verdict(suite.ExitCode)
	}
	show := a.Progress(terminal.Options{})
	defer show.Done()
	show.Minor("reading " + dir + " …")
	recorded, err := rundir.Open(dir)
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	s := summary.Read(recorded)
	if s == nil {
		show.Minor("analysing …")
		s = run.Summarise(recorded, dir, summary.Inputs{}, nil)
	}
	for _, n := range recorded.Notes { // of what is wrong with the files by now
		if !slices.Contains(s.Notes, n) {
			s.Notes = append(s.Notes, n)
		}
	}
	show.Done()
	if o.Where != "-" {
		show.Minor("writing " + o.Where + " …")
	}
	if err := a.writer().View(o, recorded, s); err != nil {
		return err
	}
	return verdict(s.ExitCode)
}
