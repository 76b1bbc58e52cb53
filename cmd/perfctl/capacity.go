package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/sla"
)

const capacityExamples = `  # What do throwaway servers hold, for the default mix?
  perfctl capacity --lab

  # One scenario, against your own servers, from 200/s on
  perfctl capacity --scenario crud --start 200 --env-file .env.test

  # Each scenario by itself
  perfctl capacity --scenario tasks,crud,cache --each --lab

  # In CI: red where it is below 1000/s
  perfctl capacity --scenario api -e API_BASE_URL=http://127.0.0.1:8080 --require 1000 --json > capacity.json`

// capacityFlags are the flags of capacity.
type capacityFlags struct {
	planFlags
	start, max, require float64
	precision           string
	trial, maxTime      time.Duration
	each, lab           bool
	runDir              string
	json, quiet         bool
}

func (f *capacityFlags) register(fs *pflag.FlagSet) {
	f.registerLoad(fs)
	fs.Float64Var(&f.start, "start", 50, "`rate` of the first trial, arrivals/s")
	fs.Float64Var(&f.max, "max", 0, "highest `rate` to try, arrivals/s (0: what this machine can generate)")
	fs.DurationVar(&f.trial, "trial", 10*time.Second, "length of a trial that decides, longer at low rates; short ones take a third, the confirming one twice as long")
	fs.StringVar(&f.precision, "precision", "5%", "how far apart the bounds may be, in `percent` of the lower one")
	fs.DurationVar(&f.maxTime, "max-time", 20*time.Minute, "bound on the time of a search: what is known by then is told")
	fs.Float64Var(&f.require, "require", 0, "exit with 99 unless it is known to hold this `rate`, arrivals/s; as --threshold 'capacity: >= RATE'")
	fs.BoolVar(&f.each, "each", false, "search each scenario by itself, in place of the mix")
	fs.BoolVar(&f.lab, "lab", false, "start throwaway RabbitMQ, PostgreSQL and Redis servers, search, stop them")
	fs.StringVar(&f.runDir, "run-dir", "", "write capacity.json and the trials' run directories to this new `DIR` (default: runs/capacity-TIME)")
	fs.BoolVar(&f.json, "json", false, "print what was found as JSON on stdout")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress")
}

// config returns what the flags ask to search for.
func (f *capacityFlags) config() (capacity.Config, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(f.precision), "%")
	p, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return capacity.Config{}, usageError("--precision %q: want a percentage, as in 5%%", f.precision)
	}
	if percent {
		p /= 100
	}
	c := capacity.Config{Start: f.start, Max: f.max, Precision: p, Trial: f.trial, MaxTime: f.maxTime}
	if err := c.Check(); err != nil {
		return c, usageError("%w", err)
	}
	if !(f.require >= 0 && f.require <= capacity.MaxRate) {
		return c, usageError("--require %v: want a rate from 0 to %g/s", f.require, capacity.MaxRate)
	}
	return c, nil
}

func (w *world) capacityCommand() *cobra.Command {
	f := &capacityFlags{}
	c := &cobra.Command{
		Use:   "capacity",
		Short: "Find the highest rate at which the system holds its SLA",
		Long: `Capacity offers constant rates, one trial after the other, and judges each by the
SLA: response time, errors, achieved ÷ offered load, the scenarios' own rules,
resources, consistency, and whether the target keeps up, that is whether the
backlog stays what it is. Throughput targets do not apply. It doubles the rate
up to the first failure, narrows the bounds with short trials, measures them
with long ones as MLRsearch does (RFC 9971), so that one noisy trial decides
nothing, and holds the rate that it tells for a confirming trial. Between trials
the target drains. A trial in which the generator was the limit blames nobody.

Each trial leaves a run directory, the search capacity.json beside them. The
first Ctrl-C ends the search and tells what is known (exit code 105).`,
		Example: capacityExamples,
		Args:    noArgs,
	}
	f.register(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error { return w.capacity(c.Context(), f, c.Flags()) }
	return c
}

// capacity plans, searches and prints.
func (w *world) capacity(ctx context.Context, f *capacityFlags, fs *pflag.FlagSet) error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	p, err := newPlan(&f.planFlags, fs)
	if err != nil {
		return err
	}
	// A plan of the first trial shows every fault before anything is started.
	first := capacity.Ask{Rate: cfg.Start, Length: cfg.Trial, Number: 1}
	p, err = p.forTrial(first, f.scenario)
	if err != nil {
		return err
	}
	pr := w.newProgress(f.quiet)
	pr.calm = true
	s := &capacitySearch{world: w, flags: f, cfg: cfg, plan: p, progress: pr}
	if err := s.readRules(); err != nil {
		return err
	}
	if err := s.makeDir(); err != nil {
		return err
	}
	defer pr.done()

	before, stop := w.interruptible(ctx)
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
	stop()
	if err != nil {
		return err
	}
	s.addresses, s.settings = addresses, p.allSettings(fs, addresses)
	found := capacityReport{Schema: capacity.Schema, Started: time.Now(), Command: w.shownArgs(), Seed: f.seed, Process: f.arrivals}
	searchErr := s.all(ctx, &found)
	pr.done()
	if searchErr != nil && len(found.Results) == 1 && len(found.Results[0].Trials) == 0 {
		return searchErr // nothing is known
	}
	found.conclude(searchErr)
	if err := w.presentCapacity(&found, s.dir, f); err != nil {
		return err
	}
	if searchErr != nil && !errors.Is(searchErr, errInterrupted) {
		return searchErr
	}
	if found.ExitCode != 0 {
		return verdictCode(found.ExitCode)
	}
	return nil
}

// all makes every search that was asked for: of the mix, or of each scenario.
func (s *capacitySearch) all(ctx context.Context, found *capacityReport) error {
	names := []string{s.flags.scenario}
	if s.flags.each {
		names = s.plan.scenarioNames()
	}
	for _, name := range names {
		p, err := s.plan.forTrial(capacity.Ask{Rate: s.cfg.Start, Length: s.cfg.Trial, Number: 1}, name)
		if err != nil {
			return err
		}
		label := strings.Join(p.scenarioNames(), ", ")
		least, most := capacity.Estimate(s.cfg, trialOverhead)
		s.progress.say("searching the capacity of %s: %s to %s expected, %s at most; Ctrl-C tells what is known by then",
			label, shortDuration(least), shortDuration(most), shortDuration(s.cfg.MaxTime))
		part := *s
		part.scenario = name
		if s.flags.each {
			part.prefix = name + "/"
		}
		r, err := capacity.Search(s.cfg, func(a capacity.Ask) (capacity.Trial, error) { return part.trial(ctx, a) })
		if s.flags.each {
			r.Rename(name)
		}
		found.Results = append(found.Results, capacityPart{r, s.demands.Answer([]sla.Answer{capacityAnswer(&r)})})
		if err != nil {
			return err
		}
	}
	return nil
}

// makeDir decides the directory; the trials make it.
func (s *capacitySearch) makeDir() error {
	s.dir = s.flags.runDir
	if s.dir == "" {
		s.dir = filepath.Join("runs", "capacity-"+time.Now().Format("20060102-150405"))
	}
	if taken, err := hasCapacity(s.dir); err != nil || taken {
		return invalidConfig(errors.Join(err, orNil(taken, fmt.Errorf("the directory %s already holds a capacity: choose another --run-dir", s.dir))))
	}
	return nil
}

func orNil(is bool, err error) error {
	if is {
		return err
	}
	return nil
}
