package vm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dop251/goja"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// listenNames are the parameters of amqp.listen; count and timeout are perfctl's own.
var listenNames = []string{"connection_id", "queue_name", "listener", "consumer", "auto_ack", "exclusive", "no_local", "no_wait", "args", "count", "timeout"}

// listening is one call of amqp.listen.
type listening struct {
	queue    string
	listener goja.Callable
	keep     bool // auto_ack: what was handed over is taken out of the queue
	count    int  // 0 for as many as are there
	timeout  time.Duration
	of       *goja.Object
}

// amqpListen hands the listener the messages that are in the queue at that time, one
// after the other, or with a timeout as many as count says, for which it waits. It
// returns how many there were.
func (v *VM) amqpListen(c goja.FunctionCall) goja.Value {
	v.mustRun("amqp.listen")
	o := v.given(c.Argument(0), "amqp.listen", listenNames...)
	l := listening{queue: text(o, "queue_name"), keep: truthy(o, "auto_ack"), of: o}
	var ok bool
	if l.listener, ok = goja.AssertFunction(value(o, "listener")); !ok {
		panic(v.rt.NewTypeError("amqp.listen needs a listener, a function of a message's body"))
	}
	if x := value(o, "count"); !nothing(x) {
		l.count = int(max(x.ToInteger(), 1))
	}
	if x := value(o, "timeout"); !nothing(x) {
		l.timeout, l.count = v.timeout(x), max(l.count, 1)
	}
	if !l.keep {
		v.warn("amqp.listen auto_ack", "amqp.listen without auto_ack: true puts the messages back into the queue when it returns")
	}
	b, err := v.broker(o)
	if err != nil {
		panic(v.rt.NewGoError(err))
	}
	from, err := b.Control.Borrow(v.ctx)
	if err != nil {
		panic(v.rt.NewGoError(err))
	}
	var taken int
	ended := false
	defer func() {
		// What was not acknowledged goes back with the channel.
		if ended && l.keep {
			from.Return()
		} else {
			from.Drop()
		}
	}()
	if l.timeout > 0 {
		taken, err = v.await(from, &l)
	} else {
		taken, err = v.takeReady(from, &l)
	}
	v.counted(MessagesReceived, int64(taken))
	if err != nil {
		panic(v.rt.NewGoError(b.explain("amqp.listen to "+l.queue, err)))
	}
	ended = true
	return v.rt.ToValue(taken)
}

// got is what asking for a message brought.
type got struct {
	d  amqp.Delivery
	ok bool
}

// takeReady takes the messages that are ready: as many as there were at the first one.
func (v *VM) takeReady(from *rabbitmq.Borrowed, l *listening) (taken int, err error) {
	most := max(l.count, 1)
	for ; taken < most; taken++ {
		began := v.now()
		came := make(chan got, 1)
		err := from.Do(v.ctx, func(ch *amqp.Channel) error {
			d, ok, err := ch.Get(l.queue, l.keep)
			came <- got{d, ok}
			return err
		})
		if err != nil {
			v.timed(AMQPCommand, "receive", began, err)
			return taken, err
		}
		g := <-came
		if !g.ok {
			return taken, nil
		}
		v.timed(AMQPCommand, "receive", began, nil)
		if taken == 0 && l.count == 0 {
			most = 1 + int(g.d.MessageCount)
		}
		if err := v.hand(l, &g.d); err != nil {
			return taken + 1, err
		}
	}
	return taken, nil
}

// await subscribes and waits until as many messages came as are wanted.
func (v *VM) await(from *rabbitmq.Borrowed, l *listening) (taken int, err error) {
	const tag = "perfctl"
	ctx, cancel := context.WithTimeout(v.ctx, l.timeout)
	defer cancel()
	began := v.now()
	subscribed := make(chan (<-chan amqp.Delivery), 1)
	err = from.Do(ctx, func(ch *amqp.Channel) error {
		// Acknowledged by hand, or the broker would send more than are wanted.
		if err := ch.Qos(l.count, 0, false); err != nil {
			return err
		}
		messages, err := ch.Consume(l.queue, tag, false, truthy(l.of, "exclusive"), false, false, v.table(value(l.of, "args")))
		subscribed <- messages
		return err
	})
	if err != nil {
		return 0, v.late(ctx, l, 0, err)
	}
	messages := <-subscribed
	for taken < l.count {
		select {
		case d, open := <-messages:
			if !open {
				return taken, errors.New("the connection or the queue was lost while amqp.listen waited")
			}
			v.timed(AMQPCommand, "receive", began, nil)
			taken++
			if l.keep {
				if err := d.Ack(false); err != nil {
					return taken, err
				}
			}
			if err := v.hand(l, &d); err != nil {
				return taken, err
			}
			began = v.now()
		case <-ctx.Done():
			return taken, v.late(ctx, l, taken, ctx.Err())
		}
	}
	// The channel can be used again once the subscription is over; without
	// acknowledgements it is dropped, which ends that, too.
	if l.keep {
		err = from.Do(v.ctx, func(ch *amqp.Channel) error { return ch.Cancel(tag, false) })
	}
	return taken, err
}

// late is the failure of a wait that was over before all came.
func (v *VM) late(ctx context.Context, l *listening, taken int, err error) error {
	if v.ctx.Err() != nil || ctx.Err() == nil {
		return err
	}
	return work.Fail(work.KindTimeout, fmt.Errorf("amqp.listen: %d of %d messages came from %s within %v", taken, l.count, l.queue, l.timeout))
}

// hand gives the listener a message: its body as text, and what else it has.
func (v *VM) hand(l *listening, d *amqp.Delivery) error {
	headers := v.rt.NewObject()
	for k, x := range d.Headers {
		_ = headers.Set(k, v.header(x))
	}
	message := v.told(v.object(map[string]any{
		"body": v.rt.NewArrayBuffer(d.Body), "headers": headers, "content_type": d.ContentType, "content_encoding": d.ContentEncoding, "message_id": d.MessageId,
		"correlation_id": d.CorrelationId, "reply_to": d.ReplyTo, "type": d.Type, "app_id": d.AppId, "user_id": d.UserId, "expiration": d.Expiration,
		"priority": int64(d.Priority), "persistent": d.DeliveryMode == amqp.Persistent, "redelivered": d.Redelivered, "exchange": d.Exchange, "routing_key": d.RoutingKey,
		"timestamp": seconds(d.Timestamp),
	}), "a message")
	_, err := l.listener(goja.Undefined(), v.rt.ToValue(string(d.Body)), message)
	return err
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// header is a header's value as a script sees it.
func (v *VM) header(x any) any {
	switch e := x.(type) {
	case []byte:
		return v.rt.NewArrayBuffer(e)
	case time.Time:
		return e.Unix()
	case amqp.Table:
		o := v.rt.NewObject()
		for k, y := range e {
			_ = o.Set(k, v.header(y))
		}
		return o
	case []any:
		list := make([]any, len(e))
		for i, y := range e {
			list[i] = v.header(y)
		}
		return v.rt.NewArray(list...)
	case amqp.Decimal:
		return fmt.Sprint(e)
	}
	return x
}
