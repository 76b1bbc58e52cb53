package flow

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// inboxSpec is a queue that steps consume from, and by what its messages are told
// apart.
type inboxSpec struct {
	// queue is the user's queue; own, where it is set instead, names one of the
	// run's own, which is bound to exchange by key where there is an exchange.
	queue, own    string
	exchange, key string
	match         *answer.Source // nil: any message will do
	// arguments are those with which an own queue is made; offset is where the reading
	// of a stream begins, nil for a queue.
	arguments amqp.Table
	offset    any
	pos       strictyaml.Pos
	inbox     *inbox
}

// same says whether two steps share an inbox.
func (sp *inboxSpec) same(o *inboxSpec) bool { return sp.queue == o.queue && sp.own == o.own }

// consumeAction waits for a message.
type consumeAction struct {
	spec    *inboxSpec
	want    text
	timeout time.Duration
}

// words of a message.
var messageWords = []string{answer.Body, answer.JSON, answer.Header, answer.Property, answer.Match}

func (f *parser) consume(v strictyaml.Value) action {
	a := &consumeAction{spec: &inboxSpec{pos: v.Pos(), key: "#"}}
	sp := a.spec
	keyed := false
	if !v.Map("consume",
		strictyaml.Optional("queue", strictyaml.String(&sp.queue)).Help("a queue of yours, from which every message is taken"),
		strictyaml.Optional("own_queue", strictyaml.String(&sp.own)).Help("a queue that the run makes"),
		strictyaml.Optional("exchange", strictyaml.String(&sp.exchange)).Help("what own_queue is bound to"),
		strictyaml.Optional("key", func(of strictyaml.Value) { keyed = true; strictyaml.String(&sp.key)(of) }).Help("by which key"),
		strictyaml.Optional("timeout", strictyaml.Duration(&a.timeout)).Help("bound on the wait"),
		strictyaml.Optional("type", func(of strictyaml.Value) { f.queueType(sp, of) }).Help("type of own_queue"),
		strictyaml.Optional("arguments", func(of strictyaml.Value) { f.queueArguments(sp, of) }).Help("arguments of own_queue, as in x-max-length"),
		strictyaml.Optional("offset", func(of strictyaml.Value) { sp.offset = readOffset(of) }).
			Help("where the reading of a stream begins: first, last, next, a number, a time, or how long ago as in 5m"),
		strictyaml.Optional("match", func(of strictyaml.Value) { f.match(a, of) }).
			Help("which message: one place in it, and what that must equal")) {
		return nil
	}
	switch {
	case (sp.queue == "") == (sp.own == ""):
		v.Add("consume needs either queue, one of yours, or own_queue, a name for one that the run makes")
	case sp.queue != "" && (sp.exchange != "" || keyed):
		v.Add("exchange and key bind a queue of the run's own: write own_queue")
	case sp.queue != "" && sp.arguments != nil:
		v.Add("type and arguments make a queue of the run's own: write own_queue")
	case sp.offset != nil && sp.own != "" && !sp.isStream():
		v.Add("offset is for a stream: write type: stream, too")
	case keyed && sp.exchange == "":
		v.Add("key binds own_queue to an exchange, which is missing")
	}
	for _, other := range f.inboxes {
		if !other.same(sp) {
			continue
		}
		if (other.match == nil) != (sp.match == nil) || sp.match != nil && other.match.String() != sp.match.String() ||
			other.exchange != sp.exchange || other.key != sp.key || !reflect.DeepEqual(other.arguments, sp.arguments) || other.offset != sp.offset {
			v.Add("line %d consumes from the same queue by another match, binding, type, arguments or offset: one queue has one", other.pos.Line)
		}
		a.spec = other
		f.need(targets.RabbitMQ)
		return a
	}
	f.inboxes = append(f.inboxes, sp)
	f.need(targets.RabbitMQ)
	return a
}

func (f *parser) match(a *consumeAction, v strictyaml.Value) {
	v.Entries("match", func(place string, _ strictyaml.Pos, want strictyaml.Value) {
		if a.spec.match != nil {
			want.Add("match has one entry, as in \"property correlation_id: '{{id}}'\"")
			return
		}
		request.Text(&f.fields, &a.want)(want)
		source, err := answer.ParseSource(place, messageWords)
		if err != nil {
			want.Add("match %s: %v", place, err)
			return
		}
		a.spec.match = &source
	})
}

func (a *consumeAction) asks() string {
	if a.spec.own != "" {
		return "consume from own_queue " + a.spec.own
	}
	return "consume from the queue " + a.spec.queue
}

func (a *consumeAction) words() []string { return messageWords }

func (a *consumeAction) bind(_ context.Context, s *scenario, _ *step) error {
	if a.timeout == 0 {
		a.timeout = s.env.Values.Duration(0, keyTimeout)
	}
	return nil
}

func (a *consumeAction) do(ctx context.Context, w *worker, _ bool) (answer.Answer, error) {
	var err error
	if w.text, err = a.want.Append(w.text[:0], &w.scope); err != nil {
		return answer.Answer{}, err
	}
	w.note.Does(work.Consumes)
	d, err := a.spec.inbox.wait(ctx, string(w.text), w.message, w.timer, a.timeout)
	if err != nil {
		return answer.Answer{}, err
	}
	return messageAnswer(d), nil
}

// messageAnswer makes an answer of a message.
func messageAnswer(d *amqp.Delivery) answer.Answer {
	return answer.Answer{Body: d.Body,
		Header: func(name string) (string, bool) {
			v, ok := d.Headers[name]
			return headerText(v), ok
		},
		Property: func(name string) (string, bool) { return propertyOf(d, name) },
	}
}

// errNoMessage is what a step gets that waited in vain.
var errNoMessage = work.Fail(work.KindTimeout, errors.New("no message that matches came in time"))

// keyOf returns what a message is asked for by; ok is false where it lacks it.
func (sp *inboxSpec) keyOf(d *amqp.Delivery, v *template.Value) (key string, ok bool) {
	if sp.match == nil {
		return "", true
	}
	a := messageAnswer(d)
	found, err := sp.match.Take(&a, v)
	return string(v.Text), found && err == nil
}

// openConsumers declares the queues of the run's own and begins to consume.
func (s *scenario) openConsumers(ctx context.Context) error {
	for _, sp := range s.inboxes {
		queue := sp.queue
		if sp.own != "" {
			queue = s.ownQueue(sp.own)
			if err := s.control.Record(ctx, queue); err != nil {
				return rabbitmq.Explain(s.env.Targets.RabbitMQ, "record the queue "+queue, err)
			}
			s.recorded = append(s.recorded, queue)
			if err := s.mustExist(ctx, "exchange", sp.exchange); err != nil {
				return err
			}
		} else if err := s.mustExist(ctx, "queue", queue); err != nil {
			return fmt.Errorf("%s: %w", sp.pos, err)
		}
		unclaimed := s.m.unclaimed
		if s.env.Plan.Sharded() && sp.exchange != "" {
			unclaimed = nil // the other shards' messages come here, too
		}
		sp.inbox = newInbox(unclaimed, func() int { return int(s.stage.Load()) })
		var v template.Value
		c, err := rabbitmq.OpenConsumer(ctx, rabbitmq.ConsumerConfig{
			Address: s.env.Targets.RabbitMQ, Options: s.amqpOptions("consumer"), Queue: queue,
			Prefetch: s.env.Values.Int(0, keyPrefetch), Limiter: s.limiter, Reconnected: s.amqpRestored, Log: s.log,
			Offset:  sp.from(),
			Declare: func(ch *amqp.Channel) error { return declareOwn(ch, queue, sp) },
			Handle: func(d *amqp.Delivery) {
				if key, ok := sp.keyOf(d, &v); ok {
					sp.inbox.put(key, d)
				} else {
					sp.inbox.strange()
				}
			},
		})
		if err != nil {
			return err
		}
		s.consumers = append(s.consumers, c)
	}
	return nil
}

// declareOwn declares a queue of the run's own; there is nothing to do for the
// user's.
func declareOwn(ch *amqp.Channel, queue string, sp *inboxSpec) error {
	if sp.own == "" {
		return nil
	}
	if _, err := ch.QueueDeclare(queue, true, false, false, false, sp.arguments); err != nil || sp.exchange == "" {
		return err
	}
	return ch.QueueBind(queue, sp.key, sp.exchange, false, nil)
}
