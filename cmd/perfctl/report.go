package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/scenarios"
)

func (w *world) reportCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "report <run directory>",
		Short: "Print a finished run again, as it was printed then",
		Long: `Report reads a run directory and prints its summary, exactly as the run did. A
run that was killed is shown as far as it was recorded, and is said to be
incomplete. The exit code is the run's.`,
		Example: "  perfctl report runs/load-20260102-150405\n  perfctl report runs/load-20260102-150405 --json",
		Args:    exactArgs(1, "a run directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			return w.report(args[0], asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the summary as JSON")
	return c
}

func (w *world) report(dir string, asJSON bool) error {
	run, err := report.Open(dir)
	if err != nil {
		return usageError("%w", err)
	}
	s := run.Summary
	if s == nil {
		if s, err = report.Summarise(run, report.Inputs{}); err != nil {
			return err
		}
	}
	return w.present(s, dir, &runFlags{json: asJSON})
}

const resetExamples = `  perfctl reset --env-file .env.test
  perfctl reset --scenario tasks,cache`

func (w *world) resetCommand() *cobra.Command {
	f := &planFlags{}
	c := &cobra.Command{
		Use:   "reset",
		Short: "Remove what perfctl left in the targets: queues, tables and keys of its own",
		Long: `Reset removes the queues, tables and keys that killed runs left behind, and
nothing that perfctl did not make. Runs that go on at the same time lose theirs.`,
		Example: resetExamples,
		Args:    noArgs,
	}
	f.register(c.Flags())
	for _, name := range []string{"base", "peak", "rate", "duration", "time-scale", "vus", "arrivals", "seed", "tolerance",
		"threshold", "sla", "shard", "queue", "max-lateness", "graceful-stop"} {
		_ = c.Flags().MarkHidden(name) // they shape load, and there is none
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := makePlan("smoke", f, c.Flags())
		if err != nil {
			return err
		}
		return w.reset(c.Context(), p)
	}
	return c
}

func (w *world) reset(ctx context.Context, p *plan) error {
	ctx, stop := w.interruptible(ctx)
	defer stop()
	addresses, err := w.addresses(ctx, p, nil)
	if err != nil {
		return err
	}
	f, err := w.newFixture(p, addresses)
	if err != nil {
		return err
	}
	var errs []error
	for i, s := range f.scenarios {
		r, ok := s.(scenarios.Resetter)
		if !ok {
			continue
		}
		removed, err := r.Reset(ctx)
		for _, what := range removed {
			fmt.Fprintf(w.stdout, "%s: removed %s\n", p.defs[i].Name, what)
		}
		if len(removed) == 0 && err == nil {
			fmt.Fprintf(w.stdout, "%s: nothing to remove\n", p.defs[i].Name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("reset %s: %w", p.defs[i].Name, err))
		}
	}
	return withCode(exitcode.Unreachable, joinDistinct(errs))
}
