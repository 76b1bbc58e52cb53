package flow

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

func TestPropertiesArriveWithTheirTypes(t *testing.T) {
	s := servers(t)
	got := make(chan amqp.Delivery, 10)
	queue, _ := agent(t, s, func(d *amqp.Delivery) []amqp.Publishing { got <- *d; return nil })
	tr := begin(t, s, strings.NewReplacer("QUEUE", queue, "USER", s.RabbitMQ.URL.User.Username()).Replace(`
steps:
  - publish:
      key: QUEUE
      content_type: application/json
      content_encoding: utf-8
      type: order.created
      app_id: shop
      user_id: USER
      message_id: "m-{{n}}"
      correlation_id: c
      reply_to: r
      expiration: 60s
      priority: 7
      timestamp: 2026-01-31T12:00:00Z
      delivery_mode: transient
      headers:
        whole: 5
        big: 5000000000
        number: 2.5
        yes: true
        text: "5"
        filled: "{{n}}"
        counted: {int: "{{n}}"}
        truth: {bool: "{{choice true}}"}
        share: {float: "0.{{n}}5"}
        raw: {bytes: "{{n}}"}
        at: {timestamp: 1700000000}
        none: null
        list: [1, two, false]
        table: {a: 1, b: {c: true}}
      body: '{}'
`))
	tr.offer(t.Context(), 1)
	if len(tr.failed) > 0 {
		t.Fatal(tr.first)
	}
	d := <-got
	for name, x := range map[string][2]any{
		"content type": {d.ContentType, "application/json"}, "content encoding": {d.ContentEncoding, "utf-8"}, "type": {d.Type, "order.created"},
		"app id": {d.AppId, "shop"}, "message id": {d.MessageId, "m-0"}, "correlation id": {d.CorrelationId, "c"}, "reply to": {d.ReplyTo, "r"},
		"expiration": {d.Expiration, "60000"}, "priority": {d.Priority, uint8(7)}, "timestamp": {d.Timestamp.Unix(), int64(1769860800)},
		"delivery mode": {d.DeliveryMode, amqp.Transient}, "user id": {d.UserId, s.RabbitMQ.URL.User.Username()},
	} {
		if x[0] != x[1] {
			t.Errorf("%s is %#v, want %#v", name, x[0], x[1])
		}
	}
	want := amqp.Table{"whole": int64(5), "big": int64(5000000000), "number": 2.5, "yes": true, "text": "5", "filled": "0", "counted": int64(0), "truth": true,
		"share": 0.05, "raw": []byte("0"), "at": time.Unix(1700000000, 0).UTC(), "none": nil, "list": []any{int64(1), "two", false}, "table": amqp.Table{"a": int64(1), "b": amqp.Table{"c": true}}}
	for name, w := range want {
		v, there := d.Headers[name]
		if at, ok := v.(time.Time); ok {
			v = at.UTC()
		}
		if !there || !reflect.DeepEqual(v, w) {
			t.Errorf("header %s is %#v, want %#v", name, v, w)
		}
	}
}

func TestAHeaderExchangeTakesANumberForANumber(t *testing.T) {
	s := servers(t)
	conn, err := rabbitmq.Dial(t.Context(), s.RabbitMQ, rabbitmq.Options{Name: "perfctl test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.End(time.Second) })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("user.%x.%d", time.Now().UnixNano(), serial.Add(1))
	for _, f := range []func() error{
		func() error { return ch.ExchangeDeclare(name, amqp.ExchangeHeaders, false, true, false, false, nil) },
		func() error { _, err := ch.QueueDeclare(name, false, false, true, false, nil); return err },
		func() error {
			return ch.QueueBind(name, "", name, false, amqp.Table{"x-match": "all", "level": int64(5), "urgent": true})
		},
	} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	tr := begin(t, s, "steps:\n  - publish: {exchange: "+name+", headers: {level: 5, urgent: true}, body: x}\n")
	if tr.offer(t.Context(), 5); len(tr.failed) > 0 {
		t.Errorf("numbers do not reach a queue that is bound by numbers: %v", tr.first)
	}
	tr = begin(t, s, "steps:\n  - publish: {exchange: "+name+`, headers: {level: "5", urgent: true}, body: x}`+"\n")
	if tr.offer(t.Context(), 5); tr.failed[rabbitmq.KindReturned] != 5 {
		t.Errorf("a text was taken for a number: %v", tr.failed)
	}
}

func TestAStreamOfTheRunsOwnIsReadFromItsBegin(t *testing.T) {
	s := servers(t)
	tr := begin(t, s, `
vars: {id: "{{uuid}}"}
steps:
  - name: send
    publish: {key: "{{queue log}}", correlation_id: "{{id}}", body: "{{n}}"}
  - name: receive
    consume: {own_queue: log, type: stream, arguments: {x-max-length-bytes: 1000000}, match: {property correlation_id: "{{id}}"}}
    check: {body: "{{n}}", header x-stream-offset present: true, property delivery_mode: 2}
`)
	const n = 200
	tr.offer(t.Context(), n)
	if len(tr.failed) > 0 || tr.count("receive") != n {
		t.Errorf("%d of %d received, failures %v: %v", tr.count("receive"), n, tr.failed, tr.first)
	}
}

func TestAStreamOfTheUsersIsReadFromAnOffsetAndKeepsItsMessages(t *testing.T) {
	s := servers(t)
	conn, err := rabbitmq.Dial(t.Context(), s.RabbitMQ, rabbitmq.Options{Name: "perfctl test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.End(time.Second) })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	queue := fmt.Sprintf("user.stream.%x", time.Now().UnixNano())
	if _, err := ch.QueueDeclare(queue, true, false, false, false, amqp.Table{"x-queue-type": "stream"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = ch.QueueDelete(queue, false, false, false) })
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		c, err := ch.PublishWithDeferredConfirm("", queue, false, false, amqp.Publishing{Body: fmt.Append(nil, i)})
		if err != nil || !c.Wait() {
			t.Fatal(err)
		}
	}
	tr := begin(t, s, "steps:\n  - consume: {queue: "+queue+", offset: 6}\n    check: {body matches: '^[6-9]$'}\n")
	if tr.offer(t.Context(), 4); len(tr.failed) > 0 {
		t.Error(tr.first)
	}
	tr = begin(t, s, "steps:\n  - consume: {queue: "+queue+", offset: first}\n    check: {body matches: '^[0-9]$'}\n")
	if tr.offer(t.Context(), 10); len(tr.failed) > 0 {
		t.Errorf("what was read once is gone: %v", tr.first)
	}
}

func TestArgumentsMakeTheQueue(t *testing.T) {
	s := servers(t)
	tr := begin(t, s, `
steps:
  - publish: {key: "{{queue short}}", body: x}
  - consume: {own_queue: short, type: quorum, arguments: {x-max-length: 5, x-overflow: reject-publish, x-single-active-consumer: true}}
`)
	if tr.offer(t.Context(), 10); len(tr.failed) > 0 {
		t.Error(tr.first)
	}
	conn, err := rabbitmq.Dial(t.Context(), s.RabbitMQ, rabbitmq.Options{Name: "perfctl test"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.End(time.Second)
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	args := amqp.Table{"x-queue-type": "quorum", "x-max-length": int64(5), "x-overflow": "reject-publish", "x-single-active-consumer": true}
	if _, err := ch.QueueDeclare(tr.ownQueue("short"), true, false, false, false, args); err != nil {
		t.Errorf("the queue has other arguments: %v", err)
	}
}

func TestFaultsInMessagesAreToldWhenTheFileIsRead(t *testing.T) {
	for text, want := range map[string]string{
		"publish: {key: q, expiration: soon}":                                       "a number of milliseconds nor a duration",
		"publish: {key: q, priority: 256}":                                          "0 to 255",
		"publish: {key: q, timestamp: later}":                                       "neither now",
		"publish: {key: q, delivery_mode: 3}":                                       "transient (1) or persistent (2)",
		"publish: {key: q, delivery_mode: 1, persistent: true}":                     "leave one out",
		"publish: {key: q, headers: {a: {int: x}}}":                                 "invalid syntax",
		"consume: {queue: q, type: stream}":                                         "write own_queue",
		"consume: {own_queue: q, type: fast}":                                       "classic, quorum, stream",
		"consume: {own_queue: q, offset: first}":                                    "type: stream",
		"consume: {queue: q, offset: soon}":                                         "how long ago",
		"consume: {own_queue: q, arguments: {max-length: 1}}":                       "begin with x-",
		`consume: {own_queue: q, arguments: {x-max-length: {int: "{{n}}"}}}`:        "has no fields",
		"consume: {own_queue: q, type: quorum, arguments: {x-queue-type: classic}}": "set twice",
	} {
		_, err := blank().parse("f.yaml", []byte("steps:\n  - "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
