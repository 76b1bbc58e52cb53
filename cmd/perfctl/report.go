package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/summary"
)

func (w *world) reportCommand() *cobra.Command {
	var asJSON bool
	out := output{format: "text", where: "-"}
	c := &cobra.Command{
		Use:   "report <run directory>",
		Short: "Show a finished run again, in any format",
		Long: `Report reads a run directory and shows it, exactly as the run did. A run that was
killed is shown as far as it was recorded, and is said to be incomplete. The exit
code is the run's.

Formats:
` + w.viewList(),
		Example: `  perfctl report runs/load-20260102-150405
  perfctl report runs/load-20260102-150405 --json
  perfctl report runs/load-20260102-150405 --format text -o summary.txt`,
		Args: oneArg("a run directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			if asJSON {
				out.format = "json"
			}
			return w.report(args[0], out)
		},
	}
	c.Flags().StringVar(&out.format, "format", "text", "how to show it; see above")
	c.Flags().StringVarP(&out.where, "output", "o", "-", "write to this `FILE`; - is stdout")
	c.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	c.MarkFlagsMutuallyExclusive("json", "format")
	_ = c.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, v := range w.views() {
			names = append(names, v.name+"\t"+v.about)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

func (w *world) viewList() string {
	var b strings.Builder
	for _, v := range w.views() {
		fmt.Fprintf(&b, "  %-9s %s\n", v.name, v.about)
	}
	return strings.TrimRight(b.String(), "\n")
}

func (w *world) report(dir string, o output) error {
	if _, err := findView(w.views(), o.format); err != nil {
		return usageError("--format: %w", err)
	}
	if is, _ := hasCapacity(dir); is {
		return w.reportCapacity(dir, o)
	}
	pr := w.newProgress(false)
	defer pr.done()
	pr.quietStep("reading %s …", dir)
	run, err := rundir.Open(dir)
	if err != nil {
		return usageError("%w", err)
	}
	s := summary.Read(run)
	if s == nil {
		pr.quietStep("analysing …")
		s = conclude(run, dir, summary.Inputs{}, nil)
	}
	for _, n := range run.Notes { // of what is wrong with the files by now
		if !slices.Contains(s.Notes, n) {
			s.Notes = append(s.Notes, n)
		}
	}
	pr.done()
	if o.where != "-" {
		pr.quietStep("writing %s …", o.where)
	}
	if err := w.writeView(o, run, s); err != nil {
		return err
	}
	return verdictOf(s)
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
		"threshold", "sla", "confidence", "allow-undecided", "shard", "queue", "max-lateness", "graceful-stop"} {
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
	pr := w.newProgress(false)
	defer pr.done()
	var errs []error
	for i, s := range f.scenarios {
		r, ok := s.(scenarios.Resetter)
		if !ok {
			continue
		}
		pr.quietStep("removing what %s left …", p.defs[i].Name)
		removed, err := r.Reset(ctx)
		pr.done()
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
