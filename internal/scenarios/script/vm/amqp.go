package vm

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/suggest"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// Broker is how a script's users reach one RabbitMQ: what they publish goes over one
// connection, all else over another one.
type Broker struct {
	Address   targets.Address
	Publisher *rabbitmq.Publisher
	Control   *rabbitmq.Control
}

// The metrics of messages.
var (
	AMQPCommand = metrics.Desc{Name: "amqp_command_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleLatency, Part: "the broker",
		Help: "from when a script asked RabbitMQ for something until it was done: a publish until its confirm, a receive until the message was there; those that failed left out"}
	MessagesPublished = metrics.Desc{Name: "amqp_messages_published", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "messages that a script published and the broker confirmed"}
	MessagesReceived = metrics.Desc{Name: "amqp_messages_received", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "messages that a script's listeners were handed"}
)

// amqpModule is the module k6/x/amqp.
func (v *VM) amqpModule() *goja.Object {
	return v.told(v.object(map[string]any{
		"version": "perfctl", "start": v.amqpStart, "publish": v.amqpPublish, "listen": v.amqpListen,
	}), "k6/x/amqp")
}

// amqpStart names a broker and returns the number of its connection. All users share the
// connection; it is opened here, or outside functions where it is first used.
func (v *VM) amqpStart(c goja.FunctionCall) goja.Value {
	o := v.given(c.Argument(0), "amqp.start", "connection_url")
	address := text(o, "connection_url")
	if address == "" {
		panic(v.rt.NewTypeError("amqp.start needs a connection_url, as amqp://guest:guest@localhost:5672/"))
	}
	v.s.mu.Lock()
	at := slices.Index(v.s.brokers, address)
	if at < 0 {
		v.s.brokers, at = append(v.s.brokers, address), len(v.s.brokers)
	}
	v.s.mu.Unlock()
	if v.phase != phaseInit {
		if _, err := v.s.settings.Stores.RabbitMQ(v.ctx, address); err != nil {
			panic(v.rt.NewGoError(err))
		}
	}
	return v.rt.ToValue(at + 1)
}

// broker returns the connection that a call is for: the one that it names, or the only
// one.
func (v *VM) broker(o *goja.Object) (*Broker, error) {
	v.s.mu.Lock()
	all := v.s.brokers
	v.s.mu.Unlock()
	n := 1
	switch id := value(o, "connection_id"); {
	case !nothing(id) && id.ToInteger() != 0:
		n = int(id.ToInteger())
	case len(all) > 1:
		return nil, errors.New("amqp.start was called for several brokers: say which with connection_id")
	}
	if n < 1 || n > len(all) {
		return nil, errors.New("there is no such connection: call amqp.start({ connection_url: … }) first, and pass what it returns as connection_id")
	}
	return v.s.settings.Stores.RabbitMQ(v.ctx, all[n-1])
}

// explain adds the next step to what the broker answered.
func (b *Broker) explain(tried string, err error) error {
	if _, ok := errors.AsType[*amqp.Error](err); ok {
		return rabbitmq.Explain(b.Address, tried, err)
	}
	return err
}

// publishNames are what a message may have.
var publishNames = []string{"connection_id", "queue_name", "body", "headers", "exchange", "content_type", "mandatory", "immediate", "persistent",
	"correlation_id", "reply_to", "expiration", "message_id", "timestamp", "type", "user_id", "app_id", "priority", "content_encoding"}

// amqpPublish publishes a message and waits until the broker confirmed it.
func (v *VM) amqpPublish(c goja.FunctionCall) goja.Value {
	v.mustRun("amqp.publish")
	o := v.given(c.Argument(0), "amqp.publish", publishNames...)
	m, mandatory := v.message(o), truthy(o, "mandatory")
	if truthy(o, "immediate") {
		panic(v.rt.NewTypeError("amqp.publish: immediate is not possible: RabbitMQ closes the connection over it since version 3.0"))
	}
	b, err := v.broker(o)
	if err != nil {
		panic(v.rt.NewGoError(err))
	}
	if mandatory && m.MessageId == "" {
		v.published++
		m.MessageId = fmt.Sprintf("%d-%d", v.number, v.published)
	}
	if v.wait == nil {
		v.wait = time.NewTimer(time.Hour)
		v.wait.Stop()
	}
	began := v.now()
	err = b.Publisher.Publish(v.ctx, v.number, text(o, "exchange"), text(o, "queue_name"), mandatory, m, v.wait, v.s.settings.Timeout)
	v.timed(AMQPCommand, "publish", began, err)
	if err != nil {
		panic(v.rt.NewGoError(err))
	}
	v.counted(MessagesPublished, 1)
	return goja.Undefined()
}

// message is the message that a script describes.
func (v *VM) message(o *goja.Object) *amqp.Publishing {
	m := &amqp.Publishing{
		Body: v.bytesOf(value(o, "body")), ContentType: text(o, "content_type"), ContentEncoding: text(o, "content_encoding"), MessageId: text(o, "message_id"),
		CorrelationId: text(o, "correlation_id"), ReplyTo: text(o, "reply_to"), Expiration: text(o, "expiration"), Type: text(o, "type"), UserId: text(o, "user_id"),
		AppId: text(o, "app_id"), Headers: v.table(value(o, "headers")), DeliveryMode: amqp.Transient,
	}
	if truthy(o, "persistent") {
		m.DeliveryMode = amqp.Persistent
	}
	if x := value(o, "timestamp"); !nothing(x) {
		m.Timestamp = time.Unix(x.ToInteger(), 0)
	}
	if x := value(o, "priority"); !nothing(x) {
		m.Priority = uint8(min(max(x.ToInteger(), 0), 255)) //nolint:gosec // bounded before
	}
	if _, err := strconv.ParseUint(m.Expiration, 10, 32); m.Expiration != "" && err != nil {
		panic(v.rt.NewTypeError("amqp.publish: expiration is a number of milliseconds, not " + m.Expiration))
	}
	return m
}

// given is the object of a call's parameters; names that it must not have are warned of.
func (v *VM) given(x goja.Value, of string, names ...string) *goja.Object {
	o, ok := x.(*goja.Object)
	if !ok {
		panic(v.rt.NewTypeError(of + " needs an object of parameters: " + strings.Join(names, ", ")))
	}
	for _, k := range o.Keys() {
		if !slices.Contains(names, k) {
			v.warn(of+" "+k, of+" has no parameter "+k+", and leaves it out"+orThere(k, names))
		}
	}
	return o
}

func orThere(name string, names []string) string {
	if near, ok := suggest.Nearest(name, names); ok {
		return "; did you mean " + near + "?"
	}
	return "; there are " + strings.Join(names, ", ")
}

func value(o *goja.Object, name string) goja.Value { return o.Get(name) }

// text is a parameter as text; empty where it is left out.
func text(o *goja.Object, name string) string {
	if x := o.Get(name); !nothing(x) {
		return x.String()
	}
	return ""
}

func truthy(o *goja.Object, name string) bool {
	x := o.Get(name)
	return x != nil && x.ToBoolean()
}

// table is an object as headers or arguments; nil for none.
func (v *VM) table(x goja.Value) amqp.Table {
	o, ok := x.(*goja.Object)
	if !ok {
		return nil
	}
	out := amqp.Table{}
	for _, k := range o.Keys() {
		out[k] = v.field(o.Get(k))
	}
	return out
}

// field is a value of a table.
func (v *VM) field(x goja.Value) any {
	if nothing(x) {
		return nil
	}
	if v.isBinary(x) {
		return v.bytesOf(x)
	}
	switch e := x.Export().(type) {
	case bool, int64, float64, string, time.Time:
		return e
	case []any:
		o, list := x.ToObject(v.rt), make([]any, len(e))
		for i := range list {
			list[i] = v.field(o.Get(itoa(i)))
		}
		return list
	case map[string]any:
		return v.table(x)
	}
	return x.String()
}
