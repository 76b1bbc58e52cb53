package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
)

const runExamples = `  # The load profile against throwaway servers, in a tenth of its time
  perfctl run load --lab --time-scale 0.1

  # A spike to 500/s against your own servers, with a rule of your own
  perfctl run spike --peak 500 \
      --threshold 'response_time{stage:spike}: p(99)<1s'

  # Only two scenarios, three to one, for five minutes
  perfctl run load --scenario crud=3,cache=1 -d 5m

  # In CI: settings from a file, the summary as JSON
  perfctl run smoke --env-file .env.test --json > summary.json

  # A k6 script as it is, with other users and a variable of its own
  perfctl run script.js -u 20 -d 1m -e BASE_URL=http://localhost:3000

  # A line for each series and second, as the run goes
  perfctl run load --lab --out json=results.json`

func (a *app) runCommand() *cobra.Command {
	f := &flags.Run{}
	c := &cobra.Command{
		Use:   "run <profile|script.js>",
		Short: "Offer a profile's load and judge the system by its SLA",
		Long: `Run offers the load of a built-in profile (perfctl profiles) or of a FILE.yaml,
or of a k6 script (FILE.js, FILE.ts; see docs/k6.md),
prints a summary with a verdict, and leaves a run directory. Its exit code says
how it went (perfctl help exit-codes).

Outputs, each as FORMAT=WHERE; WHERE "-" is stdout:

` + outputs.Describe() + `

With --repeat, text, json, html, markdown, junit and github are views of all runs
together, one file for each WHERE; DIR/1, DIR/2 … keep those of each run.`,
		Example:           runExamples,
		Args:              oneArg("a profile's name or file"),
		ValidArgsFunction: completeProfiles,
	}
	f.Register(c.Flags())
	_ = c.RegisterFlagCompletionFunc("out", completeOutputs)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := f.Check(c.Flags()); err != nil {
			return err
		}
		if f.Pods > 0 {
			return a.runOnPods(c.Context(), args[0], f, c.Flags())
		}
		return a.run(c.Context(), args[0], f, c.Flags())
	}
	return c
}

// run checks everything, opens what was asked for, has the run executed and shows it.
func (a *app) run(ctx context.Context, profile string, f *flags.Run, fs *pflag.FlagSet) error {
	// All that can be wrong is found before anything is opened.
	streams, views, err := f.Outputs()
	if err != nil {
		return err
	}
	p, err := a.plan(ctx, profile, &f.Plan, fs, func(r *run.Request) error { return f.Complete(r) })
	if err != nil {
		return err
	}
	if a.checkOnly {
		return nil
	}
	if a.resetFirst && !f.Lab {
		if err := a.resetBefore(ctx, &f.Scenarios, fs); err != nil {
			return err
		}
	}
	dir := f.RunDir
	if dir == "" {
		dir = rundir.Free(p.Profile().Name, time.Now())
	}
	show := a.Progress(terminal.Options{Quiet: f.Quiet, Screen: f.Repeat == 1 && (!a.OutTTY || !outputs.HaveStdout(streams))})
	defer show.Done()
	env := a.environment(show)
	if f.Repeat > 1 {
		return a.repeatHere(ctx, env, p, dir, f, views)
	}
	return a.once(ctx, env, p, dir, f, streams, views)
}

// once executes one run and shows it.
func (a *app) once(ctx context.Context, env run.Environment, p *run.Plan, dir string, f *flags.Run, streams, views []outputs.Output) error {
	show := a.progress
	place, err := run.Reserve(dir)
	if err != nil {
		return err
	}
	defer place.Release()
	if err := outputs.Check(views); err != nil {
		return err
	}
	end, err := a.sender(p).Beside(ctx, f.LogFailures, &env)
	if err != nil {
		return err
	}
	defer end()
	open, err := a.openStreams(ctx, p, streams)
	if err != nil {
		return err
	}
	defer func() { _, _ = open.Close() }() // the run closed it, unless it did not come so far
	for _, address := range open.Listening() {
		show.Say("metrics for Prometheus: http://" + address + "/metrics")
	}
	leave, err := p.Meet(ctx, f.Where(f.RunID), &env)
	if err != nil {
		return err
	}
	defer leave()
	session, err := run.Open(ctx, env, p)
	if err != nil {
		return err
	}
	defer session.Close()
	result, err := session.Execute(ctx, p, dir, open)
	if err != nil {
		return err
	}
	lost := a.writer().Views(outputs.WithPage(views, dir), dir, result.Summary, show)
	show.Done()
	if outputs.HaveStdout(views) {
		a.YieldStdout()
	}
	if a.writer().WriteOwn(result.Own, a.Stderr, f.JSON) {
		return verdict(exitcode.Worst(result.Summary.ExitCode, lost))
	}
	return a.present(result.Summary, dir, f.JSON, lost)
}
