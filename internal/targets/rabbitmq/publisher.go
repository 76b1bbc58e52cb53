package rabbitmq

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
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
	errDown     = work.Fail(work.KindClosed, ErrNoConnection)
	errUnsent   = work.Fail(work.KindClosed, errors.New("the channel was closed before the message was sent"))
	errStalled  = work.Fail(work.KindTimeout, errors.New("the message could not be written: what was sent before is not acknowledged"))
	errHeld     = work.Fail(KindBlocked, errors.New("the broker stopped reading (flow control): the message could not be written"))
	errBlocked  = work.Fail(KindBlocked, errors.New("the broker blocks its publishers (connection.blocked): no confirm in time"))
	errCut      = work.Fail(KindUnknown, errors.New("the connection was lost while the message was written"))
	errLost     = work.Fail(KindUnknown, errors.New("the connection was lost before the confirm"))
	errLate     = work.Fail(work.KindTimeout, errors.New("no confirm in time"))
	errNacked   = work.Fail(KindNacked, errors.New("the broker refused the message"))
	errReturned = work.Fail(KindReturned, errors.New("the broker returned the message: no queue took it"))
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
	Log     *slog.Logger
}

// Publisher publishes messages over one connection and waits for their confirms.
type Publisher struct {
	link       *Link[publisherSession]
	channels   int
	background sync.WaitGroup
}

type publisherSession struct{ lanes []publisherLane }

// publisherLane is a channel in confirm mode and the messages that came back on
// it and that nobody has asked after yet.
type publisherLane struct {
	mu       sync.Mutex // a channel is not for concurrent use
	ch       *amqp.Channel
	returned sync.Map // of message ids
	came     atomic.Int64
}

// OpenPublisher connects. Its error is a *targets.UnreachableError.
func OpenPublisher(ctx context.Context, cfg PublisherConfig) (*Publisher, error) {
	p := &Publisher{channels: max(cfg.Channels, 1)}
	var err error
	p.link, err = OpenLink(ctx, LinkConfig[publisherSession]{
		Address: cfg.Address, Options: cfg.Options, Limiter: cfg.Limiter, Reconnected: cfg.Reconnected, Blocked: cfg.Blocked, Log: cfg.Log, Prepare: p.prepare,
	})
	return p, err
}

func (p *Publisher) prepare(_ context.Context, c *amqp.Connection, lost func()) (*publisherSession, error) {
	s := &publisherSession{lanes: make([]publisherLane, p.channels)}
	for i := range s.lanes {
		l := &s.lanes[i]
		var err error
		if l.ch, err = c.Channel(); err != nil {
			return nil, err
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

// watch notes returned messages until the channel closes. The driver hands a
// return to both listeners, one after the other, before it reads the confirm that
// follows on the same channel. The second one is received from only when the
// return is noted: so whoever sees the confirm sees the return too.
func (l *publisherLane) watch(first, then <-chan amqp.Return) {
	for r := range first {
		l.returned.Store(r.MessageId, nil)
		l.came.Add(1)
		if _, open := <-then; !open {
			return
		}
	}
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
	s := p.link.Session()
	if s == nil {
		return errDown
	}
	at := lane % len(s.lanes)
	l := &s.lanes[at]
	l.mu.Lock()
	if note != nil {
		note.On(clock.Now(), uint32(at)+1, 0)
	}
	confirm, err := l.ch.PublishWithDeferredConfirm(exchange, key, mandatory, false, *m)
	l.mu.Unlock()
	if err != nil {
		if p.link.Blocked() {
			return errBlocked
		}
		return unwritten(err)
	}
	if note != nil {
		note.Wrote(clock.Now())
	}
	timer.Reset(timeout)
	select {
	case <-confirm.Done():
		timer.Stop()
	case <-timer.C:
		if p.link.Blocked() {
			return errBlocked
		}
		return errLate
	case <-ctx.Done():
		timer.Stop()
		return ctx.Err()
	}
	return l.settle(confirm, m.MessageId)
}

// unwritten judges a publish that the driver could not carry out.
func unwritten(err error) error {
	switch {
	case errors.Is(err, amqp.ErrClosed):
		return errUnsent // refused before the last frame, so the broker has no message
	case errors.Is(err, errFlow):
		return errHeld
	case work.KindOf(err) == work.KindTimeout:
		return errStalled
	}
	return errCut
}

// settle judges a confirm. The driver answers for a lost connection as it does for
// a refusal; the channel, which is closed first, tells them apart.
func (l *publisherLane) settle(confirm *amqp.DeferredConfirmation, id string) error {
	switch {
	case confirm.Acked():
		if l.came.Load() > 0 {
			if _, back := l.returned.LoadAndDelete(id); back {
				l.came.Add(-1)
				return errReturned
			}
		}
		return nil
	case l.ch.IsClosed():
		return errLost
	}
	return errNacked
}

// Close ends the connection.
func (p *Publisher) Close(ctx context.Context) error {
	if err := p.link.Close(ctx); err != nil {
		return err
	}
	p.background.Wait()
	return nil
}
