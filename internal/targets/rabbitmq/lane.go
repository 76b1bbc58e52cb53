package rabbitmq

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// Lane is a channel in confirm mode of a Publisher, and the messages that came back on
// it and that nobody has asked after yet. It lives as long as its connection.
type Lane struct {
	publisher *Publisher
	mu        sync.Mutex // a channel is not for concurrent use
	ch        *amqp.Channel
	number    uint32
	returned  sync.Map // of message ids
	came      atomic.Int64
}

// watch notes returned messages until the channel closes. The driver hands a
// return to both listeners, one after the other, before it reads the confirm that
// follows on the same channel. The second one is received from only when the
// return is noted: so whoever sees the confirm sees the return too.
func (l *Lane) watch(first, then <-chan amqp.Return) {
	for r := range first {
		if of := l.publisher.cfg.Returned; of != nil {
			of(&r)
		} else {
			l.returned.Store(r.MessageId, nil)
			l.came.Add(1)
		}
		if _, open := <-then; !open {
			return
		}
	}
}

// Write writes a message. It notes, by a clock, when it had the channel and when the
// message was written; note may be nil. The message's body may be used again when it
// returns.
func (l *Lane) Write(exchange, key string, mandatory bool, m *amqp.Publishing, note *work.Op, clock work.Clock) (*amqp.DeferredConfirmation, error) {
	if parent := note.TraceParent(); parent != "" {
		m.Headers = traced(m.Headers, parent)
	}
	note.Does(work.Publishes)
	l.mu.Lock()
	if note != nil {
		note.On(clock.Now(), l.number, 0)
	}
	confirm, err := l.ch.PublishWithDeferredConfirm(exchange, key, mandatory, false, *m)
	l.mu.Unlock()
	if err != nil {
		return nil, unwritten(err, l.publisher.link.Blocked())
	}
	if note != nil {
		note.Wrote(clock.Now())
	}
	return confirm, nil
}

// traced returns a message's headers with the one that makes its consumers' spans part
// of a trace. One that is there already stays.
func traced(h amqp.Table, parent string) amqp.Table {
	if _, own := h["traceparent"]; own {
		return h
	}
	out := amqp.Table{"traceparent": parent}
	for k, v := range h {
		out[k] = v
	}
	return out
}

// Await waits for the confirm of a message, as long as timer, which is the caller's, and
// timeout allow. id is that of the message.
func (l *Lane) Await(ctx context.Context, confirm *amqp.DeferredConfirmation, id string, timer *time.Timer, timeout time.Duration) error {
	timer.Reset(timeout)
	select {
	case <-confirm.Done():
		timer.Stop()
	case <-timer.C:
		if l.publisher.link.Blocked() {
			return errBlocked
		}
		return errLate
	case <-ctx.Done():
		timer.Stop()
		return ctx.Err()
	}
	return l.settle(confirm, id)
}

// unwritten judges a publish that the driver could not carry out; blocked says that the
// broker holds publishers back.
func unwritten(err error, blocked bool) error {
	switch {
	case errors.Is(err, amqp.ErrClosed):
		return errUnsent // refused before the last frame, so the broker has no message
	case blocked:
		return errBlocked
	case errors.Is(err, errFlow):
		return errHeld
	case work.KindOf(err) == work.KindTimeout:
		return errStalled
	}
	return errCut
}

// settle judges a confirm. The driver answers for a lost connection as it does for
// a refusal; the channel, which is closed first, tells them apart.
func (l *Lane) settle(confirm *amqp.DeferredConfirmation, id string) error {
	switch {
	case confirm.Acked():
		if l.came.Load() > 0 {
			if _, back := l.returned.LoadAndDelete(id); back {
				l.came.Add(-1)
				return ErrReturned
			}
		}
		return nil
	case l.ch.IsClosed():
		return errLost
	}
	return errNacked
}

// MayHave says whether the broker may have a message whose publish failed with an error
// of a Lane or a Publisher: what became of it is unknown.
func MayHave(err error) bool {
	for _, e := range [...]error{errStalled, errHeld, errBlocked, errCut, errLost, errLate, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
