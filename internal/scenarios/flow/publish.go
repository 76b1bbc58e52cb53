package flow

import (
	"context"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// publishAction publishes a message and waits for its confirm.
type publishAction struct {
	exchange, key, body, contentType text
	messageID, correlation, replyTo  text
	headers                          []messageHeader
	persistent, mandatory            bool
	json                             bool // the body is JSON
	priority                         int64
	timeout                          time.Duration

	publisher *rabbitmq.Publisher
	// id leads the id of messages that the file gives none.
	id string
	// queue and named are what is looked for in the set-up: constants.
	queue, named string
}

type messageHeader struct {
	name  string
	value text
}

func (f *parser) publish(v strictyaml.Value) action {
	a := &publishAction{persistent: true, mandatory: true}
	read := func(into *text) strictyaml.Reader { return request.Text(&f.fields, into) }
	if !v.Map("publish",
		strictyaml.Optional("exchange", read(&a.exchange)).Help("exchange; the default one if left out"),
		strictyaml.Optional("key", read(&a.key)).Help("routing key, or without an exchange the name of a queue"),
		strictyaml.Optional("body", request.TextAt(&f.fields, &a.body, a.inBody)).Help("body"),
		strictyaml.Optional("content_type", read(&a.contentType)).Help("content type"),
		strictyaml.Optional("message_id", read(&a.messageID)).Help("message id"),
		strictyaml.Optional("correlation_id", read(&a.correlation)).Help("correlation id"),
		strictyaml.Optional("reply_to", read(&a.replyTo)).Help("where to reply"),
		strictyaml.Optional("persistent", strictyaml.Bool(&a.persistent)).Help("true if left out"),
		strictyaml.Optional("mandatory", strictyaml.Bool(&a.mandatory)).Help("fail where no queue takes it; true if left out"),
		strictyaml.Optional("priority", strictyaml.Int(&a.priority, 0, 255)).Help("priority of the message"),
		strictyaml.Optional("timeout", strictyaml.Duration(&a.timeout)).Help("bound on the confirm"),
		strictyaml.Optional("headers", func(of strictyaml.Value) {
			of.Entries("the headers", func(name string, _ strictyaml.Pos, value strictyaml.Value) {
				h := messageHeader{name: name}
				read(&h.value)(value)
				a.headers = append(a.headers, h)
			})
		}).Help("headers of the message")) {
		return nil
	}
	if a.exchange.Empty() && a.key.Empty() {
		v.Add("publish needs an exchange, or as key the name of a queue")
		return nil
	}
	contentType, _ := a.contentType.Constant()
	a.json = strings.Contains(contentType, "json")
	a.named, _ = a.exchange.Constant()
	if a.exchange.Empty() {
		a.queue, _ = a.key.Constant()
	}
	f.need(targets.RabbitMQ)
	return a
}

// inBody is the place of a field in the body, whose type may be known only after it
// was read.
func (a *publishAction) inBody(before string) template.Encoding {
	at := template.InJSON(before)
	if at.Apply == nil {
		return at
	}
	return template.Encoding{Filter: at.Filter, Apply: func(dst, value []byte) []byte {
		if a.json {
			return at.Apply(dst, value)
		}
		return append(dst, value...)
	}}
}

func (a *publishAction) words() []string { return nil }

func (a *publishAction) bind(ctx context.Context, s *scenario, of *step) error {
	a.publisher, a.id = s.publisher, s.env.RunID+"-"+of.name+"-"
	if a.timeout == 0 {
		a.timeout = s.env.Values.Duration(0, keyTimeout)
	}
	if err := s.mustExist(ctx, "exchange", a.named); err != nil {
		return of.explain(err)
	}
	if s.isOwn(a.queue) {
		return nil
	}
	if err := s.mustExist(ctx, "queue", a.queue); err != nil {
		return of.explain(err)
	}
	return nil
}

func (a *publishAction) do(ctx context.Context, w *worker, _ bool) (answer.Answer, error) {
	m := amqp.Publishing{DeliveryMode: amqp.Transient, Priority: uint8(a.priority)}
	if a.persistent {
		m.DeliveryMode = amqp.Persistent
	}
	var exchange, key string
	for _, x := range [...]struct {
		from *text
		into *string
	}{{&a.exchange, &exchange}, {&a.key, &key}, {&a.contentType, &m.ContentType}, {&a.messageID, &m.MessageId},
		{&a.correlation, &m.CorrelationId}, {&a.replyTo, &m.ReplyTo}} {
		if x.from.Empty() {
			continue
		}
		var err error
		if w.text, err = x.from.Append(w.text[:0], &w.scope); err != nil {
			return answer.Answer{}, err
		}
		*x.into = string(w.text)
	}
	if len(a.headers) > 0 {
		m.Headers = make(amqp.Table, len(a.headers))
	}
	for i := range a.headers {
		var err error
		if w.text, err = a.headers[i].value.Append(w.text[:0], &w.scope); err != nil {
			return answer.Answer{}, err
		}
		m.Headers[a.headers[i].name] = string(w.text)
	}
	if a.mandatory && m.MessageId == "" {
		w.published++
		w.text = strconv.AppendInt(append(w.text[:0], a.id...), int64(w.number), 10)
		w.text = strconv.AppendInt(append(w.text, '-'), w.published, 10)
		m.MessageId = string(w.text)
	}
	var err error
	if w.text, err = a.body.Append(w.text[:0], &w.scope); err != nil {
		return answer.Answer{}, err
	}
	m.Body = w.text
	w.note.Asks("publish", key)
	return answer.Answer{}, a.publisher.PublishNoted(ctx, w.number, exchange, key, a.mandatory, &m, w.timer, a.timeout, w.note, w.s.env.Clock)
}

// mustExist looks for something of the user's at the broker.
func (s *scenario) mustExist(ctx context.Context, what, name string) error {
	return s.control.MustExist(ctx, what, name, "let your system declare it first, or correct the name in the file")
}
