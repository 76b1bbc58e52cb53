package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/pods"
	"github.com/perfctl/perfctl/internal/run"
)

// kubernetesShardCommand is what the pods of a run execute.
func (a *app) kubernetesShardCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "shard",
		Short:  "Be one shard of a run, in a pod that run --kubernetes made",
		Hidden: true,
		Args:   noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := cluster.OpenShard(a.LookupEnv, a.plainStdout)
			if err != nil {
				return exitcode.UsageError("%w", err)
			}
			return pods.ServeShard(c.Context(), s, pods.Process{
				Plan: a.shardPlan, Log: a.logger, Traces: a.shardTraces, LookupEnv: a.LookupEnv, Interrupts: a.Interrupts, Hide: a.secrets.Text,
			})
		},
	}
}

// shardPlan makes the plan of a shard: its arguments are those of perfctl run.
func (a *app) shardPlan(ctx context.Context, s *cluster.Shard) (*run.Plan, error) {
	f := &flags.Run{}
	c := &cobra.Command{}
	f.Register(c.Flags())
	fs := c.Flags()
	if err := fs.Parse(s.Args()); err != nil || fs.NArg() != 1 {
		return nil, fmt.Errorf("the plan is not one of this version of perfctl: %w", errors.Join(err, fmt.Errorf("%d arguments", fs.NArg())))
	}
	for name, v := range map[string]string{"shard": fmt.Sprintf("%d/%d", s.Index, s.Manifest.Shards), "run-id": s.Manifest.Run} {
		if err := fs.Set(name, v); err != nil {
			return nil, err
		}
	}
	a.args = append([]string{"run"}, s.Args()...)
	flags.Remember(c.Flags(), a.LookupEnv, &a.secrets)
	return a.plan(ctx, fs.Arg(0), &f.Plan, fs, func(r *run.Request) error {
		err := f.Complete(r)
		r.AbortOnFail = false // that is decided over all shards
		return err
	})
}

// shardTraces opens what a shard's spans are sent by, where some of its arrivals are
// traced.
func (a *app) shardTraces(ctx context.Context, p *run.Plan, env *run.Environment) (closing func(), err error) {
	if !p.Traces() {
		return func() {}, nil
	}
	if env.Traces, err = a.sender(p).Traces(ctx); err != nil {
		return nil, err
	}
	return func() { outputs.CloseTraces(env.Traces, env.Observer) }, nil
}
