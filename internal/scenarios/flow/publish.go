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
	exchange, key, body text
	of                  properties
	mandatory           bool
	json                bool // the body is JSON
	timeout             time.Duration

	publisher *rabbitmq.Publisher
	// id leads the id of messages that the file gives none.
	id string
	// shown says where it publishes to, as the file has it.
	shown string
	// queue and named are what is looked for in the set-up: constants.
	queue, named string
}

func (f *parser) publish(v strictyaml.Value) action {
	a := &publishAction{mandatory: true}
	read := func(into *text) strictyaml.Reader { return request.Text(&f.fields, into) }
	persistent, said := true, false
	exchange, key := "", ""
	if !v.Map("publish", append(a.of.fields(f),
		strictyaml.Optional("exchange", func(of strictyaml.Value) { read(&a.exchange)(of); exchange, _ = of.Scalar() }).Help("exchange; the default one if left out"),
		strictyaml.Optional("key", func(of strictyaml.Value) { read(&a.key)(of); key, _ = of.Scalar() }).Help("routing key, or without an exchange the name of a queue"),
		strictyaml.Optional("body", request.TextAt(&f.fields, &a.body, a.inBody)).Help("body"),
		strictyaml.Optional("persistent", func(of strictyaml.Value) { said = true; strictyaml.Bool(&persistent)(of) }).Help("true if left out"),
		strictyaml.Optional("mandatory", strictyaml.Bool(&a.mandatory)).Help("fail where no queue takes it; true if left out"),
		strictyaml.Optional("timeout", strictyaml.Duration(&a.timeout)).Help("bound on the confirm"))...) {
		return nil
	}
	switch {
	case a.of.mode != 0 && said:
		v.Add("persistent and delivery_mode say the same thing: leave one out")
	case a.of.mode == 0 && persistent:
		a.of.mode = amqp.Persistent
	case a.of.mode == 0:
		a.of.mode = amqp.Transient
	}
	if a.exchange.Empty() && a.key.Empty() {
		v.Add("publish needs an exchange, or as key the name of a queue")
		return nil
	}
	a.shown = "publish to the queue " + key
	if exchange != "" {
		a.shown = "publish to the exchange " + exchange + " by " + key
	}
	contentType, _ := a.of.contentType.Constant()
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

func (a *publishAction) asks() string { return a.shown }

func (a *publishAction) words() []string { return nil }

func (a *publishAction) bind(ctx context.Context, s *scenario, of *step) error {
	a.publisher, a.id = s.publisher, queuesOf(&s.env)+"-"+of.name+"-"
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
	m := amqp.Publishing{DeliveryMode: a.of.mode}
	if err := a.of.set(w, &m); err != nil {
		return answer.Answer{}, err
	}
	exchange, err := w.filled(&a.exchange)
	if err != nil {
		return answer.Answer{}, err
	}
	key, err := w.filled(&a.key)
	if err != nil {
		return answer.Answer{}, err
	}
	if a.mandatory && m.MessageId == "" {
		w.published++
		w.text = strconv.AppendInt(append(w.text[:0], a.id...), int64(w.number), 10)
		w.text = strconv.AppendInt(append(w.text, '-'), w.published, 10)
		m.MessageId = string(w.text)
	}
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
