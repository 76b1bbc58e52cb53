package vm

import (
	"github.com/dop251/goja"
	amqp "github.com/rabbitmq/amqp091-go"
)

// amqpQueues is the module k6/x/amqp/queue.
func (v *VM) amqpQueues() *goja.Object {
	return v.told(v.object(map[string]any{
		"declare": v.onBroker("queue.declare", []string{"name", "durable", "delete_when_unused", "exclusive", "no_wait", "args"},
			func(ch *amqp.Channel, o *options) (any, error) {
				q, err := ch.QueueDeclare(o.text("name"), o.is("durable"), o.is("delete_when_unused"), o.is("exclusive"), o.is("no_wait"), o.args)
				return queueInfo(q), err
			}),
		"bind": v.onBroker("queue.bind", []string{"queue_name", "exchange_name", "routing_key", "no_wait", "args"},
			func(ch *amqp.Channel, o *options) (any, error) {
				return nil, ch.QueueBind(o.text("queue_name"), o.text("routing_key"), o.text("exchange_name"), o.is("no_wait"), o.args)
			}),
		"unbind": v.onBroker("queue.unbind", []string{"queue_name", "exchange_name", "routing_key", "args"},
			func(ch *amqp.Channel, o *options) (any, error) {
				return nil, ch.QueueUnbind(o.text("queue_name"), o.text("routing_key"), o.text("exchange_name"), o.args)
			}),
		"inspect": v.onBroker("queue.inspect", nil, func(ch *amqp.Channel, o *options) (any, error) {
			q, err := ch.QueueDeclarePassive(o.name, false, false, false, false, nil)
			return queueInfo(q), err
		}),
		"purge": v.onBroker("queue.purge", nil, func(ch *amqp.Channel, o *options) (any, error) {
			n, err := ch.QueuePurge(o.name, false)
			return int64(n), err
		}),
		"delete": v.onBroker("queue.delete", nil, func(ch *amqp.Channel, o *options) (any, error) {
			n, err := ch.QueueDelete(o.name, false, false, false)
			return int64(n), err
		}),
	}), "k6/x/amqp/queue")
}

// amqpExchanges is the module k6/x/amqp/exchange.
func (v *VM) amqpExchanges() *goja.Object {
	ends := []string{"destination_exchange_name", "source_exchange_name", "routing_key", "no_wait", "args"}
	return v.told(v.object(map[string]any{
		"declare": v.onBroker("exchange.declare", []string{"name", "kind", "durable", "auto_delete", "internal", "no_wait", "args"},
			func(ch *amqp.Channel, o *options) (any, error) {
				return nil, ch.ExchangeDeclare(o.text("name"), o.text("kind"), o.is("durable"), o.is("auto_delete"), o.is("internal"), o.is("no_wait"), o.args)
			}),
		"bind": v.onBroker("exchange.bind", ends, func(ch *amqp.Channel, o *options) (any, error) {
			return nil, ch.ExchangeBind(o.text("destination_exchange_name"), o.text("routing_key"), o.text("source_exchange_name"), o.is("no_wait"), o.args)
		}),
		"unbind": v.onBroker("exchange.unbind", ends, func(ch *amqp.Channel, o *options) (any, error) {
			return nil, ch.ExchangeUnbind(o.text("destination_exchange_name"), o.text("routing_key"), o.text("source_exchange_name"), o.is("no_wait"), o.args)
		}),
		"delete": v.onBroker("exchange.delete", nil, func(ch *amqp.Channel, o *options) (any, error) {
			return nil, ch.ExchangeDelete(o.name, false, false)
		}),
	}), "k6/x/amqp/exchange")
}

// options are the parameters of a call, read before it is made: the runtime is not for
// other goroutines.
type options struct {
	name  string
	words map[string]string
	truth map[string]bool
	args  amqp.Table
}

func (o *options) text(name string) string { return o.words[name] }
func (o *options) is(name string) bool     { return o.truth[name] }

// onBroker makes a function of what it does with a channel. Its argument is an object
// with these names, or a name where there are none.
func (v *VM) onBroker(operation string, names []string, f func(*amqp.Channel, *options) (any, error)) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		v.mustRun(operation)
		o, given := &options{words: map[string]string{}, truth: map[string]bool{}}, v.rt.NewObject()
		if names == nil {
			o.name = c.Argument(0).String()
		} else {
			given = v.given(c.Argument(0), operation, append([]string{"connection_id"}, names...)...)
			for _, k := range names {
				o.words[k], o.truth[k] = text(given, k), truthy(given, k)
			}
			o.args = v.table(value(given, "args"))
		}
		b, err := v.broker(given)
		if err != nil {
			panic(v.rt.NewGoError(err))
		}
		began := v.now()
		out, err := v.ask(b, o, f)
		v.timed(AMQPCommand, operation, began, err)
		if err != nil {
			panic(v.rt.NewGoError(b.explain(operation, err)))
		}
		return v.rt.ToValue(out)
	}
}

// ask does something with a channel of the broker's.
func (v *VM) ask(b *Broker, o *options, f func(*amqp.Channel, *options) (any, error)) (any, error) {
	ch, err := b.Control.Borrow(v.ctx)
	if err != nil {
		return nil, err
	}
	out := make(chan any, 1)
	err = ch.Do(v.ctx, func(ch *amqp.Channel) error {
		x, err := f(ch, o)
		out <- x
		return err
	})
	if err != nil {
		ch.Drop() // the broker closes the channel that an error happens on
		return nil, err
	}
	ch.Return()
	return <-out, nil
}

// queueInfo is what the broker says about a queue.
func queueInfo(q amqp.Queue) map[string]any {
	return map[string]any{"name": q.Name, "messages": int64(q.Messages), "consumers": int64(q.Consumers)}
}
