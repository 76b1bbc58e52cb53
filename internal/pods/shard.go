package pods

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/meeting"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/run"
)

// Process is what a shard is given of the process that it is.
type Process struct {
	// Plan makes the plan of the shard's arguments.
	Plan func(ctx context.Context, s *cluster.Shard) (*run.Plan, error)
	// Log makes the log; it is called when the plan is there.
	Log func() *slog.Logger
	// Traces opens what spans are sent by, where the plan has some, and returns what
	// sends the rest.
	Traces    func(ctx context.Context, p *run.Plan, env *run.Environment) (closing func(), err error)
	LookupEnv func(name string) (string, bool)
	// Interrupts are the process's signals.
	Interrupts <-chan struct{}
	// Hide is a text without what is secret in it.
	Hide func(string) string
}

// ServeShard is one shard of a run, to its end. The error is why it was none.
func ServeShard(ctx context.Context, s *cluster.Shard, e Process) error {
	defer s.Leave()
	result, err := e.execute(ctx, s)
	if err != nil {
		s.Fail(ctx, cluster.Failed{Error: e.Hide(err.Error()), ExitCode: exitcode.Of(err)})
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

// execute makes the plan of a shard and executes it.
func (e *Process) execute(ctx context.Context, s *cluster.Shard) (*run.Result, error) {
	if err := errors.Join(os.MkdirAll(s.WorkFolder(), 0o700), os.Chdir(s.WorkFolder())); err != nil {
		return nil, err
	}
	p, err := e.Plan(ctx, s)
	if err != nil {
		return nil, err
	}
	interrupts, signalled := e.shardInterrupts()
	env := run.Environment{
		Observer: &shardObserver{spool: s.Spool, hide: e.Hide}, Log: e.Log(), LookupEnv: e.LookupEnv, Interrupts: interrupts,
		Meeting: &podMeeting{Shard: s, signalled: signalled},
	}
	closing, err := e.Traces(ctx, p, &env)
	if err != nil {
		return nil, err
	}
	defer closing()
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
func (e *Process) shardInterrupts() (chan struct{}, *atomic.Bool) {
	out := make(chan struct{}, 4)
	var signalled atomic.Bool
	go func() {
		for range e.Interrupts {
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
