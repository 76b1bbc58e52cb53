package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/doctor"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
)

const doctorExamples = `  perfctl doctor
  perfctl doctor --env-file .env.test -u 2000
  perfctl doctor --scenario cache --skip-rate`

func (a *app) doctorCommand() *cobra.Command {
	f := &flags.Plan{}
	skipRate := false
	c := &cobra.Command{
		Use:   "doctor [profile]",
		Short: "Check the targets, this machine's limits, and the rate that it can generate",
		Long: `Doctor sets the profile's scenarios up and down again (default: smoke), checks
open files, ports and the clock against the plan, and measures which rate this
machine generates with a lag below 1 ms at the 99th percentile, against nothing
and against an echo over loopback. It offers the targets no load.`,
		Example:           doctorExamples,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeProfiles,
	}
	f.Register(c.Flags())
	c.Flags().BoolVar(&skipRate, "skip-rate", false, "do not measure the rate that this machine generates")
	c.RunE = func(c *cobra.Command, args []string) error {
		name := smallest
		if len(args) > 0 {
			name = args[0]
		}
		p, err := a.plan(c.Context(), name, f, c.Flags(), nil)
		if err != nil {
			return err
		}
		return a.doctor(c.Context(), p, skipRate)
	}
	return c
}

func (a *app) doctor(ctx context.Context, p *run.Plan, skipRate bool) error {
	ctx, stop := run.Interruptible(ctx, a.Interrupts)
	defer stop()
	show := a.Progress(terminal.Options{Quiet: true})
	session, err := run.Open(ctx, a.environment(show), p)
	if err != nil {
		return err
	}
	defer session.Close()
	tw := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	bad := false
	found := func(f doctor.Finding) {
		mark := a.Paint(a.OutTTY, "32", "✓")
		if !f.OK {
			mark, bad = a.Paint(a.OutTTY, "31", "✗"), true
		}
		fmt.Fprintf(tw, "%s %s\t%s\n", mark, f.What, f.Found)
	}
	failed := doctor.Targets(ctx, session, p, found)
	doctor.Limits(p, found)
	if !skipRate {
		wait := a.Progress(terminal.Options{})
		wait.Step("measuring the rate that this machine generates …", nil)
		doctor.Rates(ctx, found)
		wait.Done()
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if failed == nil && bad {
		failed = verdict(exitcode.Invalid)
	}
	return run.InterruptedOr(ctx, failed)
}
