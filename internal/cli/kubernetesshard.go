package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/meeting"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/run"
)

// kubernetesShardCommand is what the pods of a run execute.
func (a *app) kubernetesShardCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "shard",
		Short:  "Be one shard of a run, in a pod that run --kubernetes made",
		Hidden: true,
		Args:   noArgs,
		RunE:   func(c *cobra.Command, _ []string) error { return a.kubernetesShard(c.Context()) },
	}
}

func (a *app) kubernetesShard(ctx context.Context) error {
	s, err := cluster.OpenShard(a.LookupEnv, a.plainStdout)
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	defer s.Leave()
	result, err := a.executeShard(ctx, s)
	if err != nil {
		code := exitcode.Of(err)
		s.Fail(ctx, cluster.Failed{Error: a.secrets.Text(err.Error()), ExitCode: code})
		return err
	}
	sum := result.Summary
	f := cluster.Final{Verdict: string(sum.Verdict), ExitCode: sum.ExitCode, Totals: map[string]int64{
		"started": sum.Arrivals.Started, "succeeded": sum.Arrivals.Succeeded, "failed": sum.Arrivals.Failed,
		"dropped": sum.Arrivals.Dropped, "unfinished": sum.Arrivals.Unfinished,
	}}
	// The shard did what it was to do; what its run comes to is judged from outside.
	return s.Finish(ctx, f)
}

// executeShard makes the plan of a shard and executes it.
func (a *app) executeShard(ctx context.Context, s *cluster.Shard) (*run.Result, error) {
	if err := errors.Join(os.MkdirAll(s.WorkFolder(), 0o700), os.Chdir(s.WorkFolder())); err != nil {
		return nil, err
	}
	f := &runFlags{}
	c := &cobra.Command{}
	f.register(c.Flags())
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
	a.rememberFlags(c)
	p, err := a.plan(ctx, fs.Arg(0), &f.planFlags, fs, func(r *run.Request) error {
		err := f.complete(r)
		r.AbortOnFail = false // that is decided over all shards
		return err
	})
	if err != nil {
		return nil, err
	}
	interrupts, signalled := a.shardInterrupts()
	env := run.Environment{
		Observer: &shardObserver{spool: s.Spool, hide: a.secrets.Text}, Log: a.logger(), LookupEnv: a.LookupEnv, Interrupts: interrupts,
		Meeting: &podMeeting{Shard: s, signalled: signalled},
	}
	session, err := run.Open(ctx, env, p)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	serving, end := context.WithCancel(ctx)
	var serve sync.WaitGroup
	serve.Go(func() {
		s.Serve(serving, func(stop cluster.Stop) {
			if stop.Interrupted {
				interrupts <- struct{}{}
			}
		})
	})
	defer serve.Wait()
	defer end()
	return session.Execute(ctx, p, s.RunFolder(), nil)
}

// shardInterrupts returns what ends a shard's run, to which the process's signals are
// passed on, and whether one came.
func (a *app) shardInterrupts() (chan struct{}, *atomic.Bool) {
	out := make(chan struct{}, 4)
	var signalled atomic.Bool
	go func() {
		for range a.Interrupts {
			signalled.Store(true)
			select {
			case out <- struct{}{}:
			default: // some are waiting already
			}
		}
	}()
	return out, &signalled
}

// podMeeting is a shard's meeting in a pod. A pod that is taken away does not end the
// others: that it is gone is seen from outside.
type podMeeting struct {
	*cluster.Shard
	signalled *atomic.Bool
}

var _ meeting.Meeting = (*podMeeting)(nil)

// Abort aborts the run, unless it is this pod that ends.
func (m *podMeeting) Abort(reason string) {
	if !m.signalled.Load() {
		m.Shard.Abort(reason)
	}
}

// Reach waits for the others, unless this pod ends.
func (m *podMeeting) Reach(ctx context.Context, p meeting.Point) ([]int, error) {
	if m.signalled.Load() {
		return nil, nil
	}
	return m.Shard.Reach(ctx, p)
}

// shardObserver says by frames how a shard's run goes. Its seconds are in the run
// directory.
type shardObserver struct {
	spool *cluster.Spool
	hide  func(string) string
}

func (o *shardObserver) say(kind cluster.Kind, text string) {
	_ = o.spool.Print(kind, []byte(o.hide(text))) // words are not worth ending a run for
}

// Step says it.
func (o *shardObserver) Step(text string, _ func() string) { o.say(cluster.KindStep, text) }

// Minor is nothing to tell from afar.
func (o *shardObserver) Minor(string) {}

// Idle is nothing to tell from afar.
func (o *shardObserver) Idle() {}

// Say says it.
func (o *shardObserver) Say(text string) { o.say(cluster.KindSay, text) }

// Note says it.
func (o *shardObserver) Note(text string) { o.say(cluster.KindSay, text) }

// Warn says it.
func (o *shardObserver) Warn(text string) { o.say(cluster.KindSay, text) }

// Begin is seen in what is recorded.
func (o *shardObserver) Begin(run.View) {}

// Second is seen in what is recorded.
func (o *shardObserver) Second(*metrics.Snapshot, *metrics.Collector) {}

// Broken leaves the panic to the log.
func (o *shardObserver) Broken() {}
