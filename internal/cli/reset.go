package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/run"
)

const resetExamples = `  perfctl reset --env-file .env.test
  perfctl reset --scenario tasks,cache`

func (a *app) resetCommand() *cobra.Command {
	f := &flags.Scenarios{}
	c := &cobra.Command{
		Use:   "reset",
		Short: "Remove what perfctl left in the targets: queues, tables and keys of its own",
		Long: `Reset removes the queues, tables and keys that killed runs left behind, and
nothing that perfctl did not make. Runs that go on at the same time lose theirs.
Faults that such runs left in force are undone first.`,
		Example: resetExamples,
		Args:    noArgs,
	}
	f.Register(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		r, err := f.Request(a.source(), c.Flags())
		if err != nil {
			return err
		}
		broken := run.UndoFaults(c.Context(), func(what string) { fmt.Fprintf(a.Stdout, "faults: undid %s\n", what) })
		return errors.Join(broken, a.reset(c.Context(), r))
	}
	return c
}

// smallest is the profile by which commands that offer no load make a plan.
const smallest = "smoke"

func (a *app) reset(ctx context.Context, r *run.Request) error {
	var err error
	if r.Profile, err = config.Profile(smallest); err != nil {
		return err
	}
	p, err := run.NewPlan(ctx, *r)
	if err != nil {
		return err
	}
	show := a.Progress(terminal.Options{})
	defer show.Done()
	session, err := run.Open(ctx, a.environment(show), p)
	if err != nil {
		return err
	}
	defer session.Close()
	return session.Reset(ctx, p, func(scenario string, removed []string) {
		show.Done()
		for _, what := range removed {
			fmt.Fprintf(a.Stdout, "%s: removed %s\n", scenario, what)
		}
		if len(removed) == 0 {
			fmt.Fprintf(a.Stdout, "%s: nothing to remove\n", scenario)
		}
	})
}

// resetBefore removes what killed runs left in the targets of a run that is to come.
func (a *app) resetBefore(ctx context.Context, f *flags.Scenarios, fs *pflag.FlagSet) error {
	if err := run.UndoFaults(ctx, func(what string) { fmt.Fprintf(a.Stderr, "faults: undid %s\n", what) }); err != nil {
		return err
	}
	r, err := f.Request(a.source(), fs)
	if err != nil {
		return err
	}
	return a.reset(ctx, r)
}
