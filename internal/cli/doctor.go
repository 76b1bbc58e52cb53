package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/doctor"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/run"
)

const doctorExamples = `  perfctl doctor
  perfctl doctor --env-file .env.test -u 2000
  perfctl doctor --scenario cache --skip-rate
  perfctl doctor load --kubernetes --image registry.example/perfctl:1`

func (a *app) doctorCommand() *cobra.Command {
	f, pod := &flags.Plan{}, &doctorPodFlags{}
	skipRate := false
	c := &cobra.Command{
		Use:   "doctor [profile]",
		Short: "Check the targets, this machine's limits, and the rate that it can generate",
		Long: `Doctor sets the profile's scenarios up and down again (default: smoke), checks
open files, ports and the clock against the plan, and measures which rate this
machine generates with a lag below 1 ms at the 99th percentile, against nothing
and against an echo over loopback. It offers the targets no load.

With --kubernetes it measures one pod in their place, under the limits that the pods
of a run will have, and proposes how many of them the profile's peak takes, laid out
at 60 % of what one generates against an echo, and whether there is room for them.`,
		Example:           doctorExamples,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeProfiles,
	}
	f.Register(c.Flags())
	pod.register(c.Flags())
	c.Flags().BoolVar(&skipRate, "skip-rate", false, "do not measure the rate that this machine generates")
	c.RunE = func(c *cobra.Command, args []string) error {
		name := smallest
		if len(args) > 0 {
			name = args[0]
		}
		if err := pod.check(c.Flags()); err != nil {
			return err
		}
		p, err := a.plan(c.Context(), name, f, c.Flags(), nil)
		if err != nil {
			return err
		}
		if pod.inPod {
			return a.doctorInPod(c.Context(), p, pod)
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
	found, end := a.findings()
	failed := doctor.Targets(ctx, session, p, found)
	doctor.Limits(p, found)
	if !skipRate {
		wait := a.Progress(terminal.Options{})
		wait.Step("measuring the rate that this machine generates …", nil)
		doctor.Rates(ctx, found)
		wait.Done()
	}
	bad, err := end()
	if err != nil {
		return err
	}
	if failed == nil && bad {
		failed = verdict(exitcode.Invalid)
	}
	return run.InterruptedOr(ctx, failed)
}

// printFindings prints what was examined, a finding a line, or on a terminal as many as
// it takes.
func (a *app) printFindings(all []doctor.Finding) error {
	what := 0
	for _, f := range all {
		what = max(what, utf8.RuneCountInString(f.What))
	}
	room := math.MaxInt
	if width := a.OutWidth(); width > 0 {
		room = max(width-what-4, 20)
	}
	var b strings.Builder
	for _, f := range all {
		mark := a.Paint(a.OutTTY, "32", "✓")
		if !f.OK {
			mark = a.Paint(a.OutTTY, "31", "✗")
		}
		for i, line := range figure.Wrap(figure.Line(f.Found), room, room) {
			if i == 0 {
				fmt.Fprintf(&b, "%s %-*s  %s\n", mark, what, f.What, line)
			} else {
				fmt.Fprintf(&b, "%s  %s\n", strings.Repeat(" ", what+2), line)
			}
		}
	}
	_, err := io.WriteString(a.Stdout, b.String())
	return err
}

// findings gathers findings; end prints them, and says whether one was bad.
func (a *app) findings() (found func(doctor.Finding), end func() (bad bool, err error)) {
	var all []doctor.Finding
	bad := false
	found = func(f doctor.Finding) { all, bad = append(all, f), bad || !f.OK }
	return found, func() (bool, error) { return bad, a.printFindings(all) }
}
