package rabbitmq

import (
	"context"

	amqp "github.com/rabbitmq/amqp091-go"
)

// maxKept bounds the channels that a Control keeps for the next who borrow one.
const maxKept = 64

// Borrowed is a channel of a Control that one caller has for itself. It is returned with
// Return or given up with Drop.
type Borrowed struct {
	control *Control
	conn    *amqp.Connection
	ch      *amqp.Channel
}

// Borrow returns a channel that was used before, or a new one.
func (c *Control) Borrow(ctx context.Context) (*Borrowed, error) {
	conn := c.link.Session()
	if conn == nil {
		return nil, c.link.Down()
	}
	c.lending.Lock()
	for len(c.kept) > 0 {
		b := c.kept[len(c.kept)-1]
		c.kept = c.kept[:len(c.kept)-1]
		if b.conn == conn && !b.ch.IsClosed() {
			c.lending.Unlock()
			return b, nil
		}
	}
	c.lending.Unlock()
	made := make(chan *amqp.Channel, 1)
	if err := within(ctx, func() error {
		ch, err := conn.Channel()
		if err == nil {
			made <- ch
		}
		return err
	}); err != nil {
		return nil, err
	}
	return &Borrowed{c, conn, <-made}, nil
}

// Do calls f with the channel. It returns with ctx at the latest: f may then still be
// waiting, and the channel must be dropped. f hands its results over by a channel or not
// at all.
func (b *Borrowed) Do(ctx context.Context, f func(ch *amqp.Channel) error) error {
	return within(ctx, func() error { return f(b.ch) })
}

// Return lets the next one have the channel.
func (b *Borrowed) Return() {
	b.control.lending.Lock()
	keep := len(b.control.kept) < maxKept && !b.ch.IsClosed()
	if keep {
		b.control.kept = append(b.control.kept, b)
	}
	b.control.lending.Unlock()
	if !keep {
		b.Drop()
	}
}

// Drop closes the channel: what was received on it and not acknowledged goes back to its
// queue. The farewell is not waited for.
func (b *Borrowed) Drop() {
	if !b.ch.IsClosed() {
		go func() { _ = b.ch.Close() }()
	}
}
