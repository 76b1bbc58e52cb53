package voting

import (
	"context"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// rivalOf returns the vote that contradicts b.
func rivalOf(b ballot) ballot {
	b.choice = (b.choice + 1) % choices
	return b
}

// either is what the log holds, in place of a choice, of a vote that may count
// as cast or as its rival.
const either = choices

// attempt is one of two votes that contradict each other, and what came of it.
type attempt struct {
	ballot
	answer
	began time.Duration
	err   error
}

// contend casts two votes of one agent on one proposal that contradict each
// other, at the same time and on a connection each. Exactly one must be taken.
func (s *scenario) contend(ctx context.Context, a *work.Arrival, p *proposal, b ballot) error {
	one, other := attempt{ballot: b}, attempt{ballot: rivalOf(b)}
	s.log.Set(a.N, postgres.Unknown, either)
	p.sent[one.choice].Add(1)
	p.sent[other.choice].Add(1)
	w := &s.workers[a.Worker]
	// Neither holds a connection while it waits for one: no pool is too small.
	var both sync.WaitGroup
	both.Go(func() { s.try(ctx, a, &other, &w.rival, nil) })
	s.try(ctx, a, &one, &w.params, a)
	both.Wait()
	if one.err != nil || !one.taken {
		one, other = other, one // the winner, if there is one, comes first
	}
	switch {
	case one.err == nil && one.taken && other.err == nil && other.taken:
		s.log.Set(a.N, postgres.Committed, either)
		return errVotedTwice
	case one.err == nil && one.taken:
		s.log.Set(a.N, postgres.Committed, one.choice)
		s.committed(a, p, one.ballot, one.began, one.answer)
		if other.err != nil {
			return s.asked(other.err)
		}
		s.refused.Add(a.Stage, 1)
		return nil
	case one.err == nil && other.err == nil:
		s.log.Set(a.N, postgres.Refused, b.choice)
		return errVotedBefore
	}
	if settled(&one) && settled(&other) {
		s.log.Set(a.N, postgres.Refused, b.choice)
	}
	if one.err == nil {
		one = other
	}
	return s.asked(one.err)
}

// settled says that the attempt certainly left no vote.
func settled(t *attempt) bool {
	return t.err == nil && !t.taken || t.err != nil && t.outcome == postgres.Refused
}

// try casts one of the two votes. Its operations are noted for noted, where that is not
// nil.
func (s *scenario) try(ctx context.Context, a *work.Arrival, t *attempt, params *params, noted *work.Arrival) {
	var note *work.Op
	if noted != nil {
		note = noted.Begin(string(targets.Postgres), "vote_insert", s.env.Clock.Now())
	}
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		t.err, t.outcome = err, postgres.Refused
		return
	}
	defer c.Release()
	t.began = s.env.Clock.Now()
	s.wait.Record(a.Stage, t.began-a.Started)
	c.Note(note, t.began, s.insert.SQL)
	params.fill(t.ballot, a.N, int32(t.agent%max(s.slotsUsed(), 1)))
	t.answer, t.err = s.castVote(ctx, c, params, noted)
	if noted != nil {
		noted.End(s.env.Clock, t.err)
	}
}
