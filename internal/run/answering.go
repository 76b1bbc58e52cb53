package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// silence is how long a target may take, once the load is over, to answer on a new
// connection until it counts as dead: what is asked of it then is given up.
const silence = 3 * time.Second

// answering returns a context for what scenario i asks of its targets after the load: it
// ends early where one of them does not answer at all, so that a run does not wait, check
// by check, for a target that is dead.
func (x *Prepared) answering(ctx context.Context, i int) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	for _, k := range x.plan.kindsOf(i) {
		a := x.addresses.Address(k)
		go func() {
			if err := ping(ctx, a); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("%s does not answer any more: %w", k.Title(), err))
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}

// ping returns an error where a target does not answer: not where it refuses, which is
// an answer.
func ping(ctx context.Context, a targets.Address) error {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	var err error
	switch a.Kind {
	case targets.RabbitMQ:
		c, failed := rabbitmq.Dial(ctx, a, rabbitmq.Options{Name: "perfctl/ping", Timeout: silence})
		if err = failed; err == nil {
			_ = c.Close() // it answered
		}
	case targets.Postgres:
		c, failed := postgres.Connect(ctx, a, postgres.Options{Run: "ping"})
		if err = failed; err == nil {
			_ = c.Close(ctx) // it answered
		}
	case targets.Redis:
		c, failed := redis.Open(ctx, a, redis.Options{Connections: 1, Timeout: silence, Name: "perfctl-ping"})
		if err = failed; err == nil {
			_ = c.Close() // it answered
		}
	case targets.API: // nothing of it is checked
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return nil // nobody waits any more
	case ctx.Err() != nil, timedOut(err):
		return err
	}
	return nil // it said something
}

// timedOut says whether a connection was given up for its silence: its deadline may pass
// before the context's own.
func timedOut(err error) bool {
	var failed net.Error
	return errors.As(err, &failed) && failed.Timeout()
}
