package rabbitmq

import (
	"context"
	"errors"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/targets"
)

// claimPrefix begins the names of the exclusive queues that stand for claims.
const claimPrefix = QueuePrefix + "claim."

// Claim holds a name, by an exclusive queue: it lives as long as its connection does.
// The error is a *targets.UnreachableError, which wraps targets.ErrClaimed where another
// run holds the name.
func Claim(ctx context.Context, a targets.Address, name string) (targets.Claim, error) {
	c, err := Dial(ctx, a, Options{Name: "perfctl/" + name + " claim"})
	if err != nil {
		return nil, err
	}
	err = within(ctx, func() error {
		ch, err := c.Channel()
		if err != nil {
			return err
		}
		_, err = ch.QueueDeclare(claimPrefix+name, false, false, true, false, nil)
		return err
	})
	if err == nil {
		return claim{c}, nil
	}
	claim{c}.Release(ctx)
	if e, ok := errors.AsType[*amqp.Error](err); ok && e.Code == amqp.ResourceLocked {
		return nil, targets.Claimed(a, name)
	}
	return nil, Explain(a, "claim the run "+name, err)
}

type claim struct{ conn *Conn }

func (c claim) Release(ctx context.Context) {
	_ = within(ctx, c.conn.Close) // the broker lets go of it with the connection at the latest
}
