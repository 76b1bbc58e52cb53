package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/capacity/trials"
	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/report/document"
	"github.com/perfctl/perfctl/internal/run"
)

const capacityExamples = `  # What do throwaway servers hold, for the default mix?
  perfctl capacity --lab

  # One scenario, against your own servers, from 200/s on
  perfctl capacity --scenario crud --start 200 --env-file .env.test

  # Each scenario by itself
  perfctl capacity --scenario tasks,crud,cache --each --lab

  # How many users does it hold, who look at each answer for a second?
  perfctl capacity --users --pause 1s --scenario crud --env-file .env.test

  # What do they hold that four pods can find out?
  perfctl capacity --kubernetes 4 --image registry.example/perfctl:1

  # In CI: red where it is below 1000/s
  perfctl capacity --scenario api -e API_BASE_URL=http://127.0.0.1:8080 \
      --require 1000 --json > capacity.json`

// capacityFlags are the flags of capacity.
type capacityFlags struct {
	flags.Load
	flags.Kubernetes
	start, max, require float64
	precision           string
	trial, maxTime      time.Duration
	each, lab, users    bool
	pause               time.Duration
	runDir              string
	json, quiet         bool
}

func (f *capacityFlags) register(fs *pflag.FlagSet) {
	f.Load.Register(fs)
	f.Kubernetes.Register(fs)
	fs.Float64Var(&f.start, "start", 50, "`rate` of the first trial, arrivals/s (10 with --users)")
	fs.Float64Var(&f.max, "max", 0, "highest `rate` to try, arrivals/s (0: what this machine can generate)")
	fs.DurationVar(&f.trial, "trial", 10*time.Second, "length of a trial that decides, longer at low rates; short ones take a third, the confirming one twice as long")
	fs.StringVar(&f.precision, "precision", "5%", "how far apart the bounds may be, in `percent` of the lower one")
	fs.DurationVar(&f.maxTime, "max-time", 20*time.Minute, "bound on the time of a search: what is known by then is said")
	fs.Float64Var(&f.require, "require", 0, "exit with 99 unless it is known to hold this `rate`, arrivals/s; as --threshold 'capacity: >= RATE'")
	fs.BoolVar(&f.users, "users", false, "search how many users it holds, each of whom begins again when answered, in place of a rate: --start, --max and --require are users then")
	fs.DurationVar(&f.pause, "pause", 0, "with --users: how long a user waits between two arrivals")
	fs.BoolVar(&f.each, "each", false, "search each scenario by itself, in place of the mix")
	fs.BoolVar(&f.lab, "lab", false, "start throwaway RabbitMQ, PostgreSQL and Redis servers, search, stop them")
	fs.StringVar(&f.runDir, "run-dir", "", "write capacity.json and the trials' run directories to this new `DIR` (default: runs/capacity-TIME)")
	fs.BoolVar(&f.json, "json", false, "print what was found as JSON on stdout")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress")
}

// options returns what the flags ask to search for.
func (f *capacityFlags) options() (trials.Options, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(f.precision), "%")
	p, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return trials.Options{}, exitcode.UsageError("--precision %q: want a percentage, as in 5%%", f.precision)
	}
	if percent {
		p /= 100
	}
	if f.pause < 0 || f.pause > 0 && !f.users {
		return trials.Options{}, exitcode.UsageError("--pause %v: it is above 0, and belongs to --users", f.pause)
	}
	return trials.Options{
		Config:  capacity.Config{Start: f.start, Max: f.max, Users: f.users, Precision: p, Trial: f.trial, MaxTime: f.maxTime},
		Require: f.require, Pause: f.pause, Each: f.each, Dir: f.runDir,
	}, nil
}

func (a *app) capacityCommand() *cobra.Command {
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
nothing, and holds the rate that it tells for a confirming trial. With --users it
searches a number of users in the same way. Between trials the target drains. A trial in which the generator was the limit blames nobody.

With --kubernetes N each trial is a run of N pods.

Each trial leaves a run directory, the search capacity.json beside them. The
first Ctrl-C ends the search and tells what is known (exit code 105).`,
		Example: capacityExamples,
		Args:    noArgs,
	}
	f.register(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error { return a.capacity(c.Context(), f, c.Flags()) }
	return c
}

// capacity decides a search, has it made and shows what was found.
func (a *app) capacity(ctx context.Context, f *capacityFlags, fs *pflag.FlagSet) error {
	if f.users && !fs.Changed("start") {
		f.start = 10
	}
	if err := f.Kubernetes.Check(fs); err != nil {
		return err
	}
	options, err := f.options()
	if err != nil {
		return err
	}
	r, err := f.Request(a.source(), fs)
	if err != nil {
		return err
	}
	r.Lab = f.lab
	if f.Pods > 0 {
		away, closing, err := a.trialsOnPods(f, fs, r)
		if err != nil {
			return err
		}
		defer closing()
		options.Away = away
	}
	search, err := trials.NewSearch(ctx, *r, options)
	if err != nil {
		return err
	}
	place, err := run.Reserve(search.Dir())
	if err != nil {
		return err
	}
	defer place.Release()
	show := a.Progress(terminal.Options{Quiet: f.quiet, Calm: true})
	defer show.Done()
	session, err := run.Open(ctx, a.environment(show), search.First())
	if err != nil {
		return err
	}
	defer session.Close()
	found := &trials.Report{Schema: capacity.Schema, Started: time.Now(), Command: r.Command, Seed: f.Seed, Process: f.Arrivals}
	searchErr := search.Run(ctx, session, found)
	show.Done()
	if searchErr != nil && !found.Known() {
		return searchErr
	}
	if err := found.Write(search.Dir()); err != nil {
		return err
	}
	if f.json {
		var text []byte
		if text, err = found.Encode(); err == nil {
			_, err = a.Stdout.Write(text)
		}
	} else {
		err = a.capacityText(found, search.Dir())
	}
	if err != nil {
		return err
	}
	if searchErr != nil && !trials.Interrupted(searchErr) {
		return searchErr
	}
	return verdict(found.ExitCode)
}

// reportCapacity shows a search again, in the views of what is about several runs.
func (a *app) reportCapacity(dir string, o outputs.Output) error {
	c, text, err := trials.Read(dir)
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	switch {
	case !slices.Contains(outputs.DocumentFormats, o.Format):
		return exitcode.UsageError("%s holds a capacity: it is shown as %s; the views of its trials are those of their run directories", dir, strings.Join(outputs.DocumentFormats, ", "))
	case o.Format == "text" && o.Where == "-":
		err = a.capacityText(c, dir)
	default:
		err = a.writer().Documents([]outputs.Output{o}, outputs.AsRead(text), func(string) *document.Document { return document.Capacity(c) })
	}
	if err != nil {
		return err
	}
	return verdict(c.ExitCode)
}

// capacityText prints what was found for people, on a terminal within its width.
func (a *app) capacityText(c *trials.Report, dir string) error {
	width := a.OutWidth()
	if width <= 0 {
		return document.CapacityText(a.Stdout, c, dir, a.paintOut)
	}
	if err := a.writer().Document(a.Stdout, "text", document.Capacity(c)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.Stdout, "\n%s\n", figure.Hang(fmt.Sprintf("%s: %s; trials in %s; exit code %d", strings.ToUpper(c.Verdict), c.Why(), dir, c.ExitCode), width))
	return err
}
