package rabbitmq

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/time/rate"

	"github.com/perfctl/perfctl/internal/targets"
)

// ConsumerConfig says what a Consumer consumes.
type ConsumerConfig struct {
	Address targets.Address
	Options Options
	Queue   string
	// Prefetch is how many messages the broker hands out ahead of their
	// acknowledgement.
	Prefetch int
	// Offset is where the reading of a stream begins: "first", "last", "next", a number
	// (int64), a time.Time, or an interval as "5m". It is nil for a queue. Each
	// connection that replaces another goes on where that one ended.
	Offset any
	// Declare, if set, is called with every new channel, before it consumes.
	Declare func(ch *amqp.Channel) error
	// Handle is given every message, one after the other, in the order of the
	// queue. The message is acknowledged already.
	Handle func(d *amqp.Delivery)
	// Limiter bounds the attempts to reconnect; links may share it.
	Limiter *rate.Limiter
	// Reconnected, if set, is told of every reconnect.
	Reconnected func(took time.Duration)
	Log         *slog.Logger
}

// Consumer takes every message of a queue over a connection of its own.
type Consumer struct {
	cfg        ConsumerConfig
	link       *Link[struct{}]
	background sync.WaitGroup
	// next is the offset behind the last message of a stream, 0 for none yet.
	next atomic.Int64
}

// OpenConsumer connects and begins to consume. Its error is a
// *targets.UnreachableError.
func OpenConsumer(ctx context.Context, cfg ConsumerConfig) (*Consumer, error) {
	c := &Consumer{cfg: cfg}
	var err error
	c.link, err = OpenLink(ctx, LinkConfig[struct{}]{
		Address: cfg.Address, Options: cfg.Options, Limiter: cfg.Limiter, Reconnected: cfg.Reconnected, Log: cfg.Log, Prepare: c.prepare,
	})
	return c, err
}

func (c *Consumer) prepare(_ context.Context, conn *amqp.Connection, lost func()) (*struct{}, error) {
	ch, err := conn.Channel()
	if err != nil {
		return nil, err
	}
	if c.cfg.Declare != nil {
		if err := c.cfg.Declare(ch); err != nil {
			return nil, err
		}
	}
	if err := ch.Qos(max(c.cfg.Prefetch, 1), 0, false); err != nil {
		return nil, err
	}
	messages, err := ch.Consume(c.cfg.Queue, "", false, false, false, false, c.arguments())
	if err != nil {
		return nil, err
	}
	c.background.Go(func() {
		defer lost()
		for d := range messages {
			// An acknowledgement that is lost makes the broker deliver the
			// message again, marked as such.
			_ = d.Ack(false)
			if at, ok := d.Headers[streamOffset].(int64); ok {
				c.next.Store(at + 1)
			}
			c.cfg.Handle(&d)
		}
	})
	return &struct{}{}, nil
}

// streamOffset is both the argument of a consumer that says where a stream's reading
// begins, and the header that says where a message stands.
const streamOffset = "x-stream-offset"

// arguments are the consumer's own.
func (c *Consumer) arguments() amqp.Table {
	if c.cfg.Offset == nil {
		return nil
	}
	if next := c.next.Load(); next > 0 {
		return amqp.Table{streamOffset: next}
	}
	return amqp.Table{streamOffset: c.cfg.Offset}
}

// Close ends the connection.
func (c *Consumer) Close(ctx context.Context) error {
	if err := c.link.Close(ctx); err != nil {
		return err
	}
	c.background.Wait()
	return nil
}
