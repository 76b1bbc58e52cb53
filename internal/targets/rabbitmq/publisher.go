package rabbitmq

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/time/rate"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

// The kinds of failure that a broker adds to those of package work.
const (
	// KindNacked: the broker refused the message.
	KindNacked work.Kind = "nacked"
	// KindReturned: the broker returned the message, for no queue took it.
	KindReturned work.Kind = "returned"
	// KindUnknown: the connection was lost before the confirm came.
	KindUnknown work.Kind = "unknown"
	// KindBlocked: the broker held its publishers back, for its memory or its disk ran
	// short (connection.blocked), or stopped reading from this one (credit flow).
	KindBlocked work.Kind = "blocked"
)

// The failures of a message, made once.
var (
	// ErrReturned says that a confirmed message had come back.
	ErrReturned = work.Fail(KindReturned, errors.New("the broker returned the message: no queue took it"))

	errUnsent  = work.Fail(work.KindClosed, errors.New("the channel was closed before the message was sent"))
	errStalled = work.Fail(work.KindTimeout, errors.New("the message could not be written: what was sent before is not acknowledged"))
	errHeld    = work.Fail(KindBlocked, errors.New("the broker stopped reading (flow control): the message could not be written"))
	errBlocked = work.Fail(KindBlocked, errors.New("the broker blocks its publishers (connection.blocked): no confirm in time"))
	errCut     = work.Fail(KindUnknown, errors.New("the connection was lost while the message was written"))
	errLost    = work.Fail(KindUnknown, errors.New("the connection was lost before the confirm"))
	errLate    = work.Fail(work.KindTimeout, errors.New("no confirm in time"))
	errNacked  = work.Fail(KindNacked, errors.New("the broker refused the message"))
)

// PublisherConfig says how a Publisher connects.
type PublisherConfig struct {
	Address targets.Address
	Options Options
	// Channels is how many channels the messages are spread over.
	Channels int
	// Limiter bounds the attempts to reconnect; links may share it.
	Limiter *rate.Limiter
	// Reconnected, if set, is told of every reconnect.
	Reconnected func(took time.Duration)
	// Blocked, if set, is told how long the broker blocked publishers on the connection.
	Blocked func(took time.Duration)
	// Declare, if set, is handed the first channel of every connection before anything
	// is published on it.
	Declare func(ch *amqp.Channel) error
	// Returned, if set, is handed every message that came back, before its confirm is:
	// who sets it knows by itself which they were. Else they are told by their ids.
	Returned func(r *amqp.Return)
	// Numbered is how many channels other publishers have whose numbers come before.
	Numbered uint32
	Log      *slog.Logger
}

// Publisher publishes messages over one connection and waits for their confirms.
type Publisher struct {
	cfg        PublisherConfig
	link       *Link[publisherSession]
	background sync.WaitGroup
}

type publisherSession struct{ lanes []Lane }

// OpenPublisher connects. Its error is a *targets.UnreachableError.
func OpenPublisher(ctx context.Context, cfg PublisherConfig) (*Publisher, error) {
	cfg.Channels = max(cfg.Channels, 1)
	p := &Publisher{cfg: cfg}
	var err error
	p.link, err = OpenLink(ctx, LinkConfig[publisherSession]{
		Address: cfg.Address, Options: cfg.Options, Limiter: cfg.Limiter, Reconnected: cfg.Reconnected, Blocked: cfg.Blocked, Log: cfg.Log, Prepare: p.prepare,
	})
	return p, err
}

func (p *Publisher) prepare(_ context.Context, c *amqp.Connection, lost func()) (*publisherSession, error) {
	s := &publisherSession{lanes: make([]Lane, p.cfg.Channels)}
	for i := range s.lanes {
		l := &s.lanes[i]
		l.publisher, l.number = p, p.cfg.Numbered+uint32(i)+1
		var err error
		if l.ch, err = c.Channel(); err != nil {
			return nil, err
		}
		if i == 0 && p.cfg.Declare != nil {
			if err := p.cfg.Declare(l.ch); err != nil {
				return nil, err
			}
		}
		if err := l.ch.Confirm(false); err != nil {
			return nil, err
		}
		first, then := l.ch.NotifyReturn(make(chan amqp.Return)), l.ch.NotifyReturn(make(chan amqp.Return))
		p.background.Go(func() {
			defer lost()
			l.watch(first, then)
		})
	}
	return s, nil
}

// Down returns the failure of a message while there is no connection.
func (p *Publisher) Down() error { return p.link.Down() }

// Lane returns a channel of the connection, which spreads callers; nil where there is no
// connection.
func (p *Publisher) Lane(i int) *Lane {
	s := p.link.Session()
	if s == nil {
		return nil
	}
	return &s.lanes[i%len(s.lanes)]
}

// Publish publishes a message and waits until the broker confirmed it, as long as
// timer, which is the caller's, and timeout allow. A mandatory message fails where
// no queue takes it, and needs a MessageId of its own. lane spreads callers over
// channels. The error has its kind.
func (p *Publisher) Publish(ctx context.Context, lane int, exchange, key string, mandatory bool, m *amqp.Publishing, timer *time.Timer, timeout time.Duration) error {
	return p.PublishNoted(ctx, lane, exchange, key, mandatory, m, timer, timeout, nil, work.Clock{})
}

// PublishNoted is Publish that notes, by a clock, when it had a channel and when the
// message was written; note may be nil.
func (p *Publisher) PublishNoted(ctx context.Context, lane int, exchange, key string, mandatory bool, m *amqp.Publishing, timer *time.Timer, timeout time.Duration, note *work.Op, clock work.Clock) error {
	l := p.Lane(lane)
	if l == nil {
		return p.Down()
	}
	confirm, err := l.Write(exchange, key, mandatory, m, note, clock)
	if err != nil {
		return err
	}
	return l.Await(ctx, confirm, m.MessageId, timer, timeout)
}

// Close ends the connection.
func (p *Publisher) Close(ctx context.Context) error {
	if err := p.link.Close(ctx); err != nil {
		return err
	}
	p.background.Wait()
	return nil
}
