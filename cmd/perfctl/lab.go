package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/lab"
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

func (w *world) labCommand() *cobra.Command {
	var state string
	c := &cobra.Command{
		Use:     "lab",
		Short:   "Start throwaway RabbitMQ, PostgreSQL and Redis servers on free loopback ports",
		Example: labExamples,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.PersistentFlags().StringVar(&state, "state", "", "`FILE` that remembers the lab (default: perfctl-lab.json in the user's cache folder)")
	var services []string
	up := &cobra.Command{
		Use: "up", Short: "Start the servers and leave them running", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return w.labUp(c.Context(), w.statePath(state), services)
		},
	}
	up.Flags().StringSliceVar(&services, "only", nil, "start only these of rabbitmq, postgres, redis")
	down := &cobra.Command{
		Use: "down", Short: "Stop the servers and remove their data", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return w.labDown(c.Context(), w.statePath(state)) },
	}
	env := &cobra.Command{
		Use: "env", Short: "Print the running lab's settings, for eval or an --env-file", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return w.labEnv(w.statePath(state)) },
	}
	c.AddCommand(up, down, env)
	return c
}

// statePath returns where a detached lab is remembered.
func (w *world) statePath(flag string) string {
	if flag != "" {
		return flag
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "perfctl-lab.json")
}

func (w *world) labUp(ctx context.Context, state string, services []string) error {
	if l, err := lab.Open(state); err == nil && len(l.Pids()) > 0 {
		return usageError("a lab is already running (%s)\n  next: perfctl lab env prints its settings, perfctl lab down stops it", state)
	}
	ctx, stop := w.interruptible(ctx)
	defer stop()
	p := w.newProgress(false)
	l, err := startLab(ctx, p, services, true)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(state), 0o700); err == nil {
		err = l.Save(state)
		if err == nil {
			p.done()
			_, err = fmt.Fprintf(w.stderr, "lab is up; next: eval \"$(perfctl lab env)\", and perfctl lab down when you are done\n")
			return err
		}
	}
	stopLab(l, p)
	return fmt.Errorf("remember the lab in %s: %w", state, err)
}

func (w *world) labDown(ctx context.Context, state string) error {
	l, err := lab.Open(state)
	if err != nil {
		return usageError("no lab to stop: %w\n  next: perfctl lab up starts one", err)
	}
	p := w.newProgress(false)
	defer p.done()
	p.quietStep("stopping the lab …")
	ctx, cancel := context.WithTimeout(ctx, labStopTimeout)
	defer cancel()
	if err := l.Stop(ctx); err != nil {
		return fmt.Errorf("stop the lab: %w", err)
	}
	return os.Remove(state)
}

func (w *world) labEnv(state string) error {
	l, err := lab.Open(state)
	if err != nil {
		return usageError("no lab is running: %w\n  next: perfctl lab up starts one", err)
	}
	for _, s := range l.Settings() {
		if _, err := fmt.Fprintf(w.stdout, "export %s=%s\n", s.Name, shellQuote(s.Value)); err != nil {
			return err
		}
	}
	return nil
}

// shellQuote quotes a value for a POSIX shell.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// startLab starts the servers with progress. detached servers outlive the
// program.
func startLab(ctx context.Context, p *progress, services []string, detached bool) (*lab.Lab, error) {
	p.step("starting throwaway servers …")
	l, err := lab.Start(ctx, lab.Options{
		Services: services, Detached: detached,
		Progress: func(service, step string) { p.step("lab: %s %s", service, step) },
	})
	if err != nil {
		p.done()
		return nil, withCode(exitcode.Unreachable, err)
	}
	return l, nil
}

func stopLab(l *lab.Lab, p *progress) {
	p.step("stopping the throwaway servers …")
	ctx, cancel := context.WithTimeout(context.Background(), labStopTimeout)
	defer cancel()
	if err := l.Stop(ctx); err != nil {
		p.say("warning: stop the lab: %v", err)
	}
	p.done()
}
