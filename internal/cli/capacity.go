package cli

import (
	"context"
	"fmt"
	"slices"
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

func (a *app) capacityCommand() *cobra.Command {
	f := &flags.Capacity{}
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
	f.Register(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error { return a.capacity(c.Context(), f, c.Flags()) }
	return c
}

// capacity decides a search, has it made and shows what was found.
func (a *app) capacity(ctx context.Context, f *flags.Capacity, fs *pflag.FlagSet) error {
	if err := f.Kubernetes.Check(fs); err != nil {
		return err
	}
	options, err := f.Options(fs)
	if err != nil {
		return err
	}
	r, err := f.Request(a.source(), fs)
	if err != nil {
		return err
	}
	r.Lab = f.Lab
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
	show := a.Progress(terminal.Options{Quiet: f.Quiet, Calm: true})
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
	if f.JSON {
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
