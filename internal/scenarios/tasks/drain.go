package tasks

import (
	"context"
	"fmt"
	"time"
)

// pollEvery is the pause between two looks at something awaited.
const pollEvery = 20 * time.Millisecond

// Drain waits until every confirmed task is processed, the queue is empty and
// no agent holds a task. It ends without that after the settling time in which
// the queue was empty, every agent idle and nothing came: Check then says what
// is missing. While RabbitMQ cannot be asked, or agents are cut off from it, it
// waits on: ctx bounds it.
func (s *scenario) Drain(ctx context.Context) error {
	if s.control == nil {
		return nil
	}
	if s.outside != nil {
		return s.drainReplies(ctx)
	}
	if s.ledger.shared {
		return s.drainShared(ctx)
	}
	var quietSince time.Duration
	quiet, last := false, int64(-1)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ready, err := s.control.Length(ctx, s.queue)
		moves, now := s.ledger.moves.Load(), s.clock.Now()
		still := err == nil && ready == 0 && s.held() == 0 && moves == last && s.agentsUp() == len(s.agents)
		last = moves
		switch {
		case !still:
			quiet = false
		case s.ledger.outstanding.Load() == 0:
			// Two looks in a row found nothing left.
			return nil
		case !quiet:
			quiet, quietSince = true, now
		case now-quietSince >= s.cfg.settle:
			s.log.Warn("confirmed tasks are missing", "tasks", s.ledger.outstanding.Load(), "queue", s.queue)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("drain: %d confirmed tasks not processed: %w", s.ledger.outstanding.Load(), ctx.Err())
		case <-tick.C:
		}
	}
}

// drainShared waits until the queue is empty and no agent of this shard holds a task,
// in two looks in a row. No shard publishes any more: what is left then is in the hands
// of the others.
func (s *scenario) drainShared(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for last := int64(-1); ; {
		ready, err := s.control.Length(ctx, s.queue)
		moves := s.ledger.moves.Load()
		still := err == nil && ready == 0 && s.held() == 0 && s.agentsUp() == len(s.agents)
		if still && moves == last {
			return nil
		}
		if last = -1; still {
			last = moves
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("drain: queue %s is not empty yet, or agents hold tasks of it: %w", s.queue, ctx.Err())
		case <-tick.C:
		}
	}
}

// Tell tells how many confirmed tasks nobody has processed.
func (s *scenario) Progress() string {
	if n := s.ledger.outstanding.Load(); n > 0 && !s.ledger.shared {
		return fmt.Sprintf("%d tasks to process", n)
	}
	return ""
}

// agentsUp returns how many agents are connected.
func (s *scenario) agentsUp() int {
	n := 0
	for i := range s.agents {
		if s.agents[i].up.Load() {
			n++
		}
	}
	return n
}

// held returns how many tasks the agents hold.
func (s *scenario) held() int64 {
	var n int64
	for i := range s.agents {
		n += s.agents[i].held.Load()
	}
	return n
}

// worked returns the time that all agents worked up to now.
func (s *scenario) worked(now time.Duration) time.Duration {
	var sum time.Duration
	for i := range s.agents {
		sum += time.Duration(s.agents[i].worked.Load())
		if began := s.agents[i].since.Load(); began != 0 {
			sum += max(now-time.Duration(began-1), 0)
		}
	}
	return sum
}

// Sample reads the queue's length and how busy the agents were.
func (s *scenario) Sample(ctx context.Context) {
	queue := s.queue
	if s.outside == nil {
		s.sampleAgents()
	} else if queue = s.outside.watch; queue == "" {
		return
	}
	if !s.plan.First() {
		return // the queue is read once for all shards
	}
	if ready, err := s.control.Length(ctx, queue); err == nil {
		s.m.queueLength.Set(float64(ready))
	} else {
		s.m.queueLength.Unset()
	}
}

func (s *scenario) sampleAgents() {
	now := s.clock.Now()
	worked := s.worked(now)
	if span := now - s.sampled; span > 0 && len(s.agents) > 0 {
		busy := min(max(float64(worked-s.busied)/float64(span), 0), float64(len(s.agents)))
		s.m.busy.Set(busy)
		s.m.availability.Set(max(float64(s.agentsUp())-busy, 0) / float64(len(s.agents)))
	}
	s.sampled, s.busied = now, worked
}
