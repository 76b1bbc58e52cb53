package cli

import (
	"context"
	"os"
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

// runFlags are the flags of run.
type runFlags struct {
	flags.Plan
	tags        []string
	lab         bool
	abortOnFail bool
	abortAfter  time.Duration
	runDir      string
	runID       string
	startAt     string
	flags.Barrier
	baseline string
	flags.Gate
	flags.Kubernetes
	repeat int
	// logFailures is the file that failed arrivals are written to.
	logFailures string
	// trace is the share of the arrivals that is traced.
	trace float64
	// export is the file that k6's form of the summary is written to.
	export string
	out    []string
	json   bool
	quiet  bool
}

func (f *runFlags) register(fs *pflag.FlagSet) {
	f.Plan.Register(fs)
	fs.BoolVar(&f.lab, "lab", false, "start throwaway RabbitMQ, PostgreSQL and Redis servers, run, stop them")
	fs.BoolVar(&f.abortOnFail, "abort-on-fail", false, "stop as soon as a rule of severity fail is missed whatever the rest of the plan brings")
	fs.DurationVar(&f.abortAfter, "abort-after", 0, "let --abort-on-fail stop nothing before this time, as does \"after 30s\" behind one threshold")
	fs.StringVar(&f.runDir, "run-dir", "", "write the run to this new `DIR` (default: runs/PROFILE-TIME)")
	fs.IntVar(&f.repeat, "repeat", 1, "run so many times, one after the other, into the folders 1, 2 … of --run-dir; with --baseline they are compared with it together")
	fs.StringVar(&f.baseline, "baseline", "", "compare the run with the one in `DIR`, or with those in it; exits with 112 where something regressed")
	f.Gate.Register(fs)
	f.Kubernetes.Register(fs)
	fs.StringVar(&f.runID, "run-id", "", "the run's `ID`, which the shards of a run have in common (default: random)")
	f.Barrier.Register(fs)
	fs.StringVar(&f.startAt, "start-at", "", "start at this `TIME`, as in 2026-01-02T15:04:05Z, so that shards start together (default: when all is set up)")
	fs.StringArrayVarP(&f.out, "out", "o", nil, "also write `FORMAT=WHERE`, as in json=results.json (repeatable; see Outputs above)")
	fs.Float64Var(&f.trace, "trace", 0, "trace this `SHARE` of the arrivals, as in --trace=0.1: a traceparent in HTTP and AMQP headers, spans over OTLP to where OTEL_EXPORTER_OTLP_ENDPOINT says")
	fs.Lookup("trace").NoOptDefVal = "0.1"
	fs.StringVar(&f.logFailures, "log-failures", "", "write a line of JSON for each arrival that fails to this `FILE`, 500 a second at most")
	fs.StringVar(&f.export, "summary-export", "", "write the summary to `FILE` in the form of k6's: short for --out k6-summary=FILE")
	fs.StringArrayVar(&f.tags, "tag", nil, "label the run with `KEY=VALUE`, as in branch=main (repeatable; TEST_ENV is the label env)")
	fs.BoolVar(&f.json, "json", false, "print the summary as JSON on stdout")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress")
}

func (a *app) runCommand() *cobra.Command {
	f := &runFlags{}
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
	f.register(c.Flags())
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
func (a *app) run(ctx context.Context, profile string, f *runFlags, fs *pflag.FlagSet) error {
	// All that can be wrong is found before anything is opened.
	streams, views, err := f.outputs()
	if err != nil {
		return err
	}
	p, err := a.plan(ctx, profile, &f.Plan, fs, func(r *run.Request) error { return f.complete(r) })
	if err != nil {
		return err
	}
	if a.checkOnly {
		return nil
	}
	if a.resetFirst && !f.lab {
		if err := a.resetBefore(ctx, &f.Scenarios, fs); err != nil {
			return err
		}
	}
	dir := f.runDir
	if dir == "" {
		dir = rundir.Free(p.Profile().Name, time.Now())
	}
	show := a.Progress(terminal.Options{Quiet: f.quiet, Screen: f.repeat == 1 && (!a.OutTTY || !outputs.HaveStdout(streams))})
	defer show.Done()
	env := a.environment(show)
	if f.repeat > 1 {
		return a.repeatHere(ctx, env, p, dir, f, views)
	}
	return a.once(ctx, env, p, dir, f, streams, views)
}

// openBeside opens what a run writes besides its directory and its streams, once all is
// checked. end closes it when the run is over.
func (f *runFlags) openBeside(ctx context.Context, from *outputs.Sender, env *run.Environment, show *terminal.Progress) (end func(), err error) {
	var log *os.File
	if f.logFailures != "" {
		if log, err = outputs.OpenFailures(f.logFailures); err != nil {
			return nil, err
		}
		env.Failures = log
	}
	end = func() {
		if log != nil {
			_ = log.Close() // what could not be written was said
		}
	}
	if f.trace > 0 {
		spans, err := from.Traces(ctx)
		if err != nil {
			end()
			return nil, err
		}
		env.Traces = spans
		closeLog := end
		end = func() { outputs.CloseTraces(spans, show); closeLog() }
	}
	return end, nil
}

// outputs are what --out and its like ask for.
func (f *runFlags) outputs() (streams, views []outputs.Output, err error) {
	if f.export != "" {
		f.out = append(f.out, "k6-summary="+f.export)
	}
	if err := f.checkRepeat(); err != nil {
		return nil, nil, err
	}
	if f.repeat > 1 {
		views, err = outputs.Repeated(f.out, f.json)
		return nil, views, err
	}
	return outputs.Split(f.out, f.json)
}

// complete adds to the request what only run has.
func (f *runFlags) complete(r *run.Request) (err error) {
	if err := flags.AddTags(r, f.tags); err != nil {
		return err
	}
	r.Trace = f.trace
	r.Lab, r.AbortOnFail, r.Judging.AbortAfter = f.lab, r.AbortOnFail || f.abortOnFail, f.abortAfter
	if r.Gate, err = f.Options(); err != nil {
		return err
	}
	if r.ID, err = flags.ParseRunID(f.runID); err != nil {
		return err
	}
	if r.StartAt, err = flags.ParseStart(f.startAt); err != nil {
		return err
	}
	if f.baseline != "" && f.repeat == 1 {
		if r.Baseline, err = openBaseline(f.baseline); err != nil {
			return err
		}
	}
	return nil
}

func openBaseline(dir string) ([]*rundir.Run, error) {
	runs, err := rundir.OpenAll(dir)
	if err != nil {
		return nil, exitcode.UsageError("--baseline: %w", err)
	}
	return runs, nil
}

// once executes one run and shows it.
func (a *app) once(ctx context.Context, env run.Environment, p *run.Plan, dir string, f *runFlags, streams, views []outputs.Output) error {
	show := a.progress
	place, err := run.Reserve(dir)
	if err != nil {
		return err
	}
	defer place.Release()
	if err := outputs.Check(views); err != nil {
		return err
	}
	end, err := f.openBeside(ctx, a.sender(p), &env, show)
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
	leave, err := p.Meet(ctx, f.Where(f.runID), &env)
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
	if a.writer().WriteOwn(result.Own, a.Stderr, f.json) {
		return verdict(exitcode.Worst(result.Summary.ExitCode, lost))
	}
	return a.present(result.Summary, dir, f.json, lost)
}
