package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/lab"
	"github.com/perfctl/perfctl/internal/run"
)

const labExamples = `  # Start the servers, use them from this shell, take them down
  perfctl lab up
  eval "$(perfctl lab env)"
  psql "$DATABASE_URL" -c 'select 1'
  perfctl run smoke
  perfctl lab down

  # Only for one run
  perfctl run load --lab --time-scale 0.1`

// labStopTimeout bounds how long taking the servers down may take.
const labStopTimeout = 30 * time.Second

func (a *app) labCommand() *cobra.Command {
	var state string
	c := &cobra.Command{
		Use:     "lab",
		Short:   "Start throwaway RabbitMQ, PostgreSQL and Redis servers on free loopback ports",
		Example: labExamples,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.PersistentFlags().StringVar(&state, "state", "", "`FILE` that remembers the lab (default: perfctl-lab.json in the user's cache folder)")
	file := func() string { return cmp.Or(state, lab.StateFile()) }
	var services []string
	up := &cobra.Command{
		Use: "up", Short: "Start the servers and leave them running", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.labUp(c.Context(), file(), services)
		},
	}
	up.Flags().StringSliceVar(&services, "only", nil, "start only these of rabbitmq, postgres, redis")
	down := &cobra.Command{
		Use: "down", Short: "Stop the servers and remove their data", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.labDown(c.Context(), file()) },
	}
	env := &cobra.Command{
		Use: "env", Short: "Print the running lab's settings, for eval or an --env-file", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.labEnv(file()) },
	}
	c.AddCommand(up, down, env)
	return c
}

func (a *app) labUp(ctx context.Context, state string, services []string) error {
	if l, err := lab.Open(state); err == nil && len(l.Pids()) > 0 {
		return exitcode.UsageError("a lab is already running (%s)\n  next: perfctl lab env prints its settings, perfctl lab down stops it", state)
	}
	ctx, stop := run.Interruptible(ctx, a.Interrupts)
	defer stop()
	p := a.Progress(terminal.Options{})
	defer p.Done()
	p.Step("starting throwaway servers …", nil)
	l, err := lab.Start(ctx, lab.Options{
		Services: services, Detached: true,
		Progress: func(service, step string) { p.Step(fmt.Sprintf("lab: %s %s", service, step), nil) },
	})
	if err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	if err := l.Save(state); err != nil {
		err = fmt.Errorf("remember the lab in %s: %w", state, err)
		ctx, cancel := context.WithTimeout(context.Background(), labStopTimeout)
		defer cancel()
		return errors.Join(err, l.Stop(ctx))
	}
	p.Done()
	_, err = fmt.Fprintf(a.Stderr, "lab is up; next: eval \"$(perfctl lab env)\", and perfctl lab down when you are done\n")
	return err
}

func (a *app) labDown(ctx context.Context, state string) error {
	l, err := lab.Open(state)
	if err != nil {
		return exitcode.UsageError("no lab to stop: %w\n  next: perfctl lab up starts one", err)
	}
	p := a.Progress(terminal.Options{})
	defer p.Done()
	p.Minor("stopping the lab …")
	ctx, cancel := context.WithTimeout(ctx, labStopTimeout)
	defer cancel()
	if err := l.Stop(ctx); err != nil {
		return fmt.Errorf("stop the lab: %w", err)
	}
	return os.Remove(state)
}

func (a *app) labEnv(state string) error {
	l, err := lab.Open(state)
	if err != nil {
		return exitcode.UsageError("no lab is running: %w\n  next: perfctl lab up starts one", err)
	}
	for _, s := range l.Settings() {
		if _, err := fmt.Fprintf(a.Stdout, "export %s\n", s.Shell()); err != nil {
			return err
		}
	}
	return nil
}
