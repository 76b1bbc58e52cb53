package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/lab"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/targets"
)

const runExamples = `  # The load profile against throwaway servers, in a tenth of its time
  perfctl run load --lab --time-scale 0.1

  # A spike to 500/s against your own servers, with a rule of your own
  perfctl run spike --peak 500 --threshold 'response_time{stage:spike}: p(99)<1s'

  # Only two scenarios, three to one, for five minutes
  perfctl run load --scenario crud=3,cache=1 -d 5m

  # In CI: settings from a file, the summary as JSON
  perfctl run smoke --env-file .env.test --json > summary.json

  # A line for each series and second, as the run goes
  perfctl run load --lab --out json=results.json`

func (w *world) runCommand() *cobra.Command {
	f := &runFlags{}
	c := &cobra.Command{
		Use:   "run <profile>",
		Short: "Offer a profile's load and judge the system by its SLA",
		Long: `Run offers the load of a built-in profile (perfctl profiles) or of a FILE.yaml,
prints a summary with a verdict, and leaves a run directory. Its exit code says
how it went (perfctl help exit-codes).

Outputs, each as FORMAT=WHERE; WHERE "-" is stdout:

` + w.outputList(),
		Example:           runExamples,
		Args:              oneArg("a profile's name or file"),
		ValidArgsFunction: completeProfiles,
	}
	f.register(c.Flags())
	_ = c.RegisterFlagCompletionFunc("out", w.completeOutputs)
	c.RunE = func(c *cobra.Command, args []string) error { return w.run(c.Context(), args[0], f, c.Flags()) }
	return c
}

// run does a whole run: plan, set up, measure, judge, print.
func (w *world) run(ctx context.Context, name string, f *runFlags, fs *pflag.FlagSet) (err error) {
	p, err := makePlan(name, &f.planFlags, fs)
	if err != nil {
		return err
	}
	if err := p.identify(f); err != nil {
		return err
	}
	if p.gate, err = f.gateFlags.options(); err != nil {
		return err
	}
	if f.baseline != "" {
		if p.baseline, err = openRuns(f.baseline); err != nil {
			return usageError("--baseline: %w", err)
		}
	}
	if err := f.checkRepeat(); err != nil {
		return err
	}
	sinks, views, err := w.splitOutputs(f)
	if err != nil {
		return err
	}
	pr := w.newProgress(f.quiet)
	pr.schedule, pr.stages = p.schedule, p.profile.Stages
	defer pr.done()
	w.logTo = pr

	before, stop := w.interruptible(ctx)
	if err := w.guardOutputs(before, p, sinks); err != nil {
		stop()
		return err
	}
	if p.streams, err = w.openStreams(before, p, sinks); err != nil {
		stop()
		return interruptedOr(before, err)
	}
	defer p.streams.close()
	p.streams.announce(pr)
	var labSettings map[string]string
	if f.lab {
		l, err := startLab(before, pr, labServices(p), false)
		if err != nil {
			stop()
			return interruptedOr(before, err)
		}
		defer stopLab(l, pr)
		labSettings = settingsMap(l)
		p.watchLab(l)
	}
	addresses, err := w.addresses(before, p, labSettings)
	if err != nil {
		stop()
		return err
	}
	stop()
	one := &oneRun{p: p, f: f, settings: p.allSettings(fs, addresses), addresses: addresses, pr: pr}
	if f.repeat > 1 {
		return w.repeat(ctx, one)
	}
	dir := one.dir()
	s, err := w.once(ctx, one, dir)
	if err != nil {
		return err
	}
	w.writeViews(withPage(views, dir), dir, s, pr)
	pr.done()
	if slices.ContainsFunc(views, func(o output) bool { return o.where == "-" }) {
		w.yieldStdout()
	}
	return w.present(s, dir, f)
}

// oneRun is what every repetition of a run has.
type oneRun struct {
	p         *plan
	f         *runFlags
	settings  []setting
	addresses *targets.Settings
	pr        *progress
}

// dir returns where the run goes.
func (o *oneRun) dir() string {
	if o.f.runDir != "" {
		return o.f.runDir
	}
	return filepath.Join("runs", o.p.profile.Name+"-"+time.Now().Format("20060102-150405"))
}

// once sets up, measures, judges and gives everything back.
func (w *world) once(ctx context.Context, o *oneRun, dir string) (*summary.Summary, error) {
	p, pr := o.p, o.pr
	fix, err := w.newFixture(p, o.addresses)
	if err != nil {
		return nil, err
	}
	judge, err := p.makeJudge(fix)
	if err != nil {
		return nil, err
	}
	before, stop := w.interruptible(ctx)
	defer fix.close(pr)
	pr.stepOf(fix.scenarios, "setting up %s …", strings.Join(p.scenarioNames(), ", "))
	err = fix.setUp(before, p)
	stop()
	if err != nil {
		return nil, interruptedOr(before, err)
	}
	if o.f.abortOnFail {
		p.judge = judge
	}
	if o.f.repeat == 1 {
		w.openScreen(pr, p, judge)
	}
	s, _, err := w.record(ctx, p, dir, fix, judge, pr, p.runInfo(w, fix, o.settings))
	return s, err
}

// record measures into a run directory and returns the summary, and what came
// out of the run besides.
func (w *world) record(ctx context.Context, p *plan, dir string, fix *fixture, judge *sla.Judge, pr *progress, info rundir.RunInfo) (*summary.Summary, *measurement, error) {
	w.secrets.Struct(&info)
	out, err := rundir.Create(dir, info, fix.registry.Descs())
	if err != nil {
		return nil, nil, invalidConfig(err)
	}
	heap := w.newHeapKeeper()
	heap.set(collectSmall)
	m, err := w.measure(ctx, p, fix, pr, heap, out.Snapshot, judge.Second)
	heap.set(collectAfterwards)
	if err != nil {
		return nil, nil, errors.Join(err, out.Close())
	}
	lost := p.streams.close()
	gen := p.judgeGenerator(m, out.Err())
	run := rundir.NewRun(info, m.totals, m.elapsed)
	if err := out.Err(); err != nil {
		run.Lose(err.Error())
	}
	pr.step("analysing …")
	results := judge.Evaluate(m.totals)
	if m.aborted != nil {
		results = sla.Unreached(results)
	}
	s := conclude(run, dir, p.inputs(m, results, gen), judge)
	s.Notes = append(s.Notes, lost...)
	if m.panicked != nil {
		s.ExitCode = exitcode.Worst(s.ExitCode, exitcode.Panic)
		pr.say("%v", m.panicked)
	}
	if len(p.baseline) > 0 {
		pr.step("comparing with the baseline …")
		against(p.baseline, dir, s, p.gate)
	}
	w.secrets.Struct(s)
	if err := summary.Finish(out, s); err != nil {
		pr.say("warning: %v\n  next: free space or choose another --run-dir; the summary below is complete", err)
	}
	return s, m, nil
}

// present prints the summary and turns its exit code into the command's.
func (w *world) present(s *summary.Summary, dir string, f *runFlags) error {
	if f.json {
		if err := report.JSON(w.stdout, s); err != nil {
			return err
		}
	} else if err := writeText(w.stdout, s, w.textOptions(dir)); err != nil {
		return err
	}
	return verdictOf(s)
}

// verdictOf is what a command returns that shows a run: nothing for a pass.
func verdictOf(s *summary.Summary) error {
	if s.ExitCode == exitcode.Pass {
		return nil
	}
	return verdictCode(s.ExitCode)
}

func (w *world) textOptions(dir string) report.Options {
	return report.Options{Color: w.colour(w.outTTY), Width: w.outWidth(), Dir: dir}
}

// interruptedOr returns an interruption where one is why the context ended.
func interruptedOr(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errInterrupted) {
		return withCode(exitcode.Interrupted, errInterrupted)
	}
	return err
}

// addresses resolves the targets' settings and asks the guard.
func (w *world) addresses(ctx context.Context, p *plan, labSettings map[string]string) (*targets.Settings, error) {
	ls, err := w.loadLayers(&p.flags.settingFlags, p.config, labSettings)
	if err != nil {
		return nil, err
	}
	s, err := resolveTargets(ls)
	if err != nil {
		return nil, err
	}
	w.rememberTargets(s)
	return s, p.guard(ctx, s)
}

// labServices returns the services that the plan's scenarios need.
func labServices(p *plan) []string {
	var out []string
	for _, k := range p.targetKinds() {
		switch k {
		case targets.RabbitMQ:
			out = append(out, lab.RabbitMQ)
		case targets.Postgres:
			out = append(out, lab.Postgres)
		case targets.Redis:
			out = append(out, lab.Redis)
		}
	}
	return out
}

func settingsMap(l *lab.Lab) map[string]string {
	out := map[string]string{}
	for _, s := range l.Settings() {
		out[s.Name] = s.Value
	}
	return out
}

func (p *plan) scenarioNames() []string {
	var out []string
	for _, d := range p.defs {
		out = append(out, d.Name)
	}
	return out
}

// runInfo describes the run for its directory.
func (p *plan) runInfo(w *world, f *fixture, settings []setting) rundir.RunInfo {
	info := rundir.RunInfo{
		ID: f.id, Version: version, Drivers: map[string]string{}, Machine: thisMachine(),
		Command: w.shownArgs(), Profile: p.profile.Name, Seed: p.flags.seed, Process: p.flags.arrivals,
		Shard: p.shard, Shards: p.shards, MaxInFlight: p.flags.vus, Tolerance: p.flags.tolerance.Seconds(),
		GracefulStop: p.flags.graceful.Seconds(), Started: time.Now(), Rules: p.flags.thresholds, Table: p.table,
		Judging: rundir.Judging{Confidence: p.flags.confidence, AllowUndecided: p.flags.allowUndecided, OwnTable: p.flags.sla != ""},
		Planned: engine.ShardTotal(p.schedule.Total(), p.shard, p.shards),
	}
	for _, d := range driverVersions() {
		info.Drivers[d.name] = d.version
	}
	for _, x := range p.weights {
		info.Scenarios = append(info.Scenarios, rundir.ScenarioShare{Name: x.Scenario, Weight: x.Weight})
	}
	for i, s := range p.profile.Stages {
		planned, known := p.stagePlan(i)
		info.Stages = append(info.Stages, rundir.StageInfo{
			Name: s.Name, Class: string(s.Class), Judged: s.Judged, Start: p.schedule.StageStart(i).Seconds(),
			Duration: s.Duration.Seconds(), From: s.From, To: s.To, Burst: s.Burst, Planned: planned, OpenEnded: !known,
		})
	}
	for _, s := range settings {
		info.Settings = append(info.Settings, rundir.Setting{Name: s.name, Value: s.value, Origin: s.origin})
	}
	return info
}

// newProgress returns the progress view of this terminal.
func (w *world) newProgress(quiet bool) *progress {
	term, _ := w.lookupEnv("TERM")
	return &progress{out: w.stderr, live: w.errTTY && term != "dumb", quiet: quiet, width: w.errWidth}
}
