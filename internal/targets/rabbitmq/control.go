package rabbitmq

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/targets"
)

// ErrNoConnection says that the connection is lost and not replaced yet.
var ErrNoConnection = errors.New("no connection to RabbitMQ: it was lost, and connecting again has not succeeded yet")

// Control is a connection beside those under load, for declaring, reading and
// deleting queues: what it asks is not held up by what they send.
type Control struct {
	address targets.Address
	link    *Link[amqp.Connection]
	// mu keeps one call at a time on the probe's channel.
	mu    sync.Mutex
	conn  *amqp.Connection
	probe *amqp.Channel
	// kept are channels that wait for whoever borrows one next; lending keeps their list.
	lending sync.Mutex
	kept    []*Borrowed
}

// MustExist returns an error where the virtual host has no "queue" or "exchange", as
// what says, of that name; an empty name is nothing to look for. next is what the
// user can do about it. The error is a *targets.UnreachableError.
func (c *Control) MustExist(ctx context.Context, what, name, next string) error {
	if name == "" {
		return nil
	}
	err := c.Do(ctx, func(ch *amqp.Channel) error {
		if what == "exchange" {
			return ch.ExchangeDeclarePassive(name, amqp.ExchangeDirect, true, false, false, false, nil)
		}
		_, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
		return err
	})
	if e, ok := errors.AsType[*amqp.Error](err); ok && e.Code == amqp.NotFound {
		return targets.Unreachable(c.address, "use the "+what+" "+name, errors.New("the virtual host has none of that name"), next)
	}
	return Explain(c.address, "look for the "+what+" "+name, err)
}

// OpenControl connects. Its error is a *targets.UnreachableError.
func OpenControl(ctx context.Context, a targets.Address, o Options, log *slog.Logger) (*Control, error) {
	l, err := OpenLink(ctx, LinkConfig[amqp.Connection]{
		Address: a, Options: o, Log: log,
		Prepare: func(_ context.Context, c *amqp.Connection, _ func()) (*amqp.Connection, error) { return c, nil },
	})
	if err != nil {
		return nil, err
	}
	return &Control{address: a, link: l}, nil
}

// Close ends the connection.
func (c *Control) Close(ctx context.Context) error { return c.link.Close(ctx) }

// Do calls f with a channel of its own and closes it afterwards, whatever f
// returns: an error of the broker ends the channel that it happens on. Do
// returns with ctx at the latest; f may then still be waiting, and what it
// asked for may still happen.
func (c *Control) Do(ctx context.Context, f func(ch *amqp.Channel) error) error {
	conn := c.link.Session()
	if conn == nil {
		return ErrNoConnection
	}
	return within(ctx, func() error {
		ch, err := conn.Channel()
		if err != nil {
			return err
		}
		defer func() { _ = ch.Close() }()
		return f(ch)
	})
}

// Length returns how many messages of a queue are ready: those that no
// consumer holds. It is a passive declare, cheap and up to date, on a channel
// that is kept for it.
func (c *Control) Length(ctx context.Context, queue string) (ready int, err error) {
	conn := c.link.Session()
	if conn == nil {
		return 0, ErrNoConnection
	}
	var q amqp.Queue
	err = within(ctx, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.conn != conn || c.probe == nil || c.probe.IsClosed() {
			ch, err := conn.Channel()
			if err != nil {
				return err
			}
			c.conn, c.probe = conn, ch
		}
		found, err := c.probe.QueueDeclarePassive(queue, true, false, false, false, nil)
		if err == nil {
			q = found
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return q.Messages, nil
}

// within runs a call that knows no context and gives up on it with ctx. The
// call itself ends with its connection at the latest, whose heartbeats bound
// the wait.
func within(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
