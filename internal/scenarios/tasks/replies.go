package tasks

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// warmID is the correlation id of messages of the set-up.
const warmID = "perfctl-warm-up"

// listen takes the replies from one connection until it is lost.
func (s *scenario) listen(a *agent, replies <-chan amqp.Delivery) {
	a.up.Store(true)
	defer a.up.Store(false)
	for d := range replies {
		at := s.clock.Now()
		a.held.Store(1)
		// An acknowledgement that is lost makes the broker deliver the reply
		// again, marked as such.
		_ = d.Ack(false)
		s.reply(&d, at)
		a.held.Store(0)
	}
}

// reply accounts for a reply.
func (s *scenario) reply(d *amqp.Delivery, at time.Duration) {
	o := s.outside
	if d.CorrelationId == warmID {
		s.warmed.Add(1)
		return
	}
	n, ours := parseID(o.idOf(d), s.run)
	if !ours {
		o.foreign.Add(1)
		return
	}
	due, stage := o.times.get(n)
	if d.Redelivered {
		s.m.redelivered.Add(stage, 1)
	}
	first, expected := s.ledger.processed(n, d.Redelivered)
	switch {
	case !expected:
		s.m.unexpected.Add(stage, 1)
	case first:
		s.m.processed.Add(stage, 1)
		s.m.task.Record(stage, at-due)
		if at-due > o.timeout {
			o.late.Add(1)
			s.m.late.Add(stage, 1)
		}
	default:
		s.m.duplicated.Add(stage, 1)
	}
}

// idOf returns the id that a reply carries, empty where it has none.
func (o *outside) idOf(d *amqp.Delivery) string {
	switch o.replyID {
	case idProperty:
		return d.CorrelationId
	case idMessage:
		return d.MessageId
	}
	raw := json.RawMessage(d.Body)
	for _, name := range o.replyPath {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return ""
		}
		raw = object[name]
	}
	var id string
	_ = json.Unmarshal(raw, &id)
	return id
}

// warmOutside sends a marked message through every publishing channel to the
// run's own reply queue. Nothing is sent to the user's agents, and nothing to a
// queue that is the user's.
func (s *scenario) warmOutside(ctx context.Context) error {
	if s.outside.replyQueue != "" {
		return nil
	}
	var sent int64
	for _, p := range s.publishers {
		for i := range s.cfg.channels {
			l := p.Lane(i)
			if l == nil {
				return rabbitmq.ErrNoConnection
			}
			dc, err := l.Write("", s.queue, false, &amqp.Publishing{CorrelationId: warmID}, nil, s.clock)
			if err != nil {
				return err
			}
			if _, err := dc.WaitContext(ctx); err != nil {
				return err
			}
			sent++
		}
	}
	return s.awaitWarmed(ctx, sent)
}

// drainReplies waits until every confirmed task has its reply, or as long as a
// reply may take.
func (s *scenario) drainReplies(ctx context.Context) error {
	until := s.clock.Now() + max(s.outside.timeout, s.cfg.settle)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	idle := 0
	for {
		missing := s.ledger.outstanding.Load()
		// One reply too many may follow the last one that was missing: what is
		// in the queue is read to its end.
		if ready, err := s.control.Length(ctx, s.queue); missing == 0 && err == nil && ready == 0 && s.held() == 0 {
			if idle++; idle == 3 {
				return nil
			}
		} else {
			idle = 0
		}
		if s.clock.Now() > until {
			if missing > 0 {
				s.log.Warn("replies to confirmed tasks are missing", "tasks", missing, "waited", s.outside.timeout)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("drain: %d confirmed tasks have no reply: %w", missing, ctx.Err())
		case <-tick.C:
		}
	}
}
