package voting

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// Spent says that the proposals that were opened for the run have all votes.
func (s *scenario) Spent(a *work.Arrival) string {
	if proposal, _ := s.place(a.N); proposal < int64(len(s.proposals)) {
		return ""
	}
	return fmt.Sprintf("the %d proposals that were prepared have the votes of all agents; a stage with iterations prepares as many as it needs", len(s.proposals))
}

// Do casts the arrival's vote, and where the settings ask for it a second one
// that must be refused.
func (s *scenario) Do(ctx context.Context, a *work.Arrival) error {
	if s.current.Load() != int64(a.Stage) {
		s.current.Store(int64(a.Stage))
	}
	b := s.ballot(a.Seed, a.N)
	if b.proposal >= int64(len(s.proposals)) {
		return errNotPlanned
	}
	p := &s.proposals[b.proposal]
	p.open(a.Due)
	st := &s.stages[min(max(a.Stage, 0), len(s.stages)-1)]
	if st.conflict > 0 && a.Uniform(streamConflict) < st.conflict {
		return s.contend(ctx, a, p, b)
	}
	note := a.Begin(string(targets.Postgres), "vote_insert", a.Started)
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		note.Ended(s.env.Clock.Now(), err)
		return postgres.Fail(err)
	}
	defer c.Release()
	began := s.env.Clock.Now()
	s.wait.Record(a.Stage, began-a.Started)
	c.Note(note, began, s.insert.SQL)

	w := &s.workers[a.Worker].params
	w.fill(b, a.N, int32(b.agent%max(s.slotsUsed(), 1)))
	s.log.Set(a.N, postgres.Unknown, b.choice)
	p.sent[b.choice].Add(1)
	v, err := s.castVote(ctx, c, w, a)
	a.End(s.env.Clock, err)
	if err == nil && !v.taken {
		s.log.Set(a.N, postgres.Refused, b.choice)
		return errVotedBefore
	}
	s.log.Set(a.N, v.outcome, b.choice)
	if err != nil {
		return s.asked(err)
	}
	s.committed(a, p, b, began, v)
	if st.resubmit > 0 && a.Uniform(streamResubmit) < st.resubmit {
		return s.again(ctx, c, a, w)
	}
	return nil
}

// answer is what the database said to a vote.
type answer struct {
	// taken is false where the agent has voted before.
	taken bool
	// outcome is what became of the transaction.
	outcome postgres.Outcome
	// tally is what the vote made of its row of the tally, 0 where nothing is tallied.
	tally int64
	// When the steps were done; added is 0 where nothing is tallied.
	inserted, added, committed time.Duration
}

// castVote writes a vote and its tally in one transaction: two round trips,
// and one where nothing is tallied. The tally is locked from its update to the
// commit, between which there is no round trip. Its operations are noted for a, where
// that is not nil.
func (s *scenario) castVote(ctx context.Context, c postgres.Conn, w *params, a *work.Arrival) (v answer, err error) {
	defer func() { s.ends.Count(int(s.current.Load()), v.outcome) }()
	if s.mode == computed {
		rows, err := c.Exec(ctx, s.insert, w.insert)
		v = answer{taken: rows == 1, outcome: postgres.OutcomeOf(err), inserted: s.env.Clock.Now()}
		v.committed = v.inserted
		return v, err
	}
	tx := c.Begin(ctx)
	rows, err := tx.Exec(s.insert, w.insert)
	v.inserted = s.env.Clock.Now()
	if v.taken = rows == 1; err != nil || !v.taken {
		tx.Rollback()
		v.outcome = postgres.Refused
		return v, err
	}
	if a != nil {
		a.Last().Ended(v.inserted, nil)
		c.Note(a.Begin(string(targets.Postgres), "tally_update", v.inserted), v.inserted, s.add.SQL)
	}
	rows, v.tally, err = tx.ExecLastValue(s.add, w.add)
	v.added = s.env.Clock.Now()
	asked := "COMMIT"
	if err != nil {
		asked = s.tallying()
	}
	err = tx.End(err)
	v.committed, v.outcome = s.env.Clock.Now(), tx.Outcome(err)
	if err == nil && rows != 1 {
		err, asked = errNoTally, s.tallying()
	}
	if err != nil {
		err = work.Asked(asked, postgres.Fail(err))
	}
	return v, err
}

// committed records a vote that was committed.
func (s *scenario) committed(a *work.Arrival, p *proposal, b ballot, began time.Duration, v answer) {
	s.latency.Record(a.Stage, v.committed-a.Due)
	s.transaction.Record(a.Stage, v.committed-began)
	s.insertTime.Record(a.Stage, v.inserted-began)
	if v.added != 0 {
		s.addTime.Record(a.Stage, v.added-v.inserted)
	}
	s.cast.Add(a.Stage, 1)
	raise(&p.last[b.choice], int64(a.Due))
	opened := time.Duration(p.opened.Load() - 1)
	votes := p.votes[b.choice].Add(1)
	if s.env.Plan.Sharded() {
		s.committedHere(a, p, b, v)
		return
	}
	if votes == s.quorum && p.done.CompareAndSwap(false, true) {
		s.decisions.Add(1)
		s.consensus.Record(a.Stage, v.committed-opened)
		s.lag.Record(a.Stage, v.committed-time.Duration(p.last[b.choice].Load()))
		s.observer.look(decision{proposal: b.proposal, choice: b.choice, stage: a.Stage, committed: v.committed})
	}
	if p.all.Add(1) == s.agents {
		s.everyone.Record(a.Stage, v.committed-opened)
	}
}

// raise stores v where it is higher.
func raise(to *atomic.Int64, v int64) {
	for o := to.Load(); v > o && !to.CompareAndSwap(o, v); o = to.Load() {
	}
}

// open notes when the first vote on a proposal was due. Arrivals may start out
// of order by a little: the earliest counts.
func (p *proposal) open(due time.Duration) {
	v := int64(due) + 1
	for o := p.opened.Load(); (o == 0 || v < o) && !p.opened.CompareAndSwap(o, v); o = p.opened.Load() {
	}
}

// asked says of a vote that failed what the database was asked.
func (s *scenario) asked(err error) error {
	return work.Asked("vote ("+work.Statement(s.insert.SQL)+")", postgres.Fail(err))
}

// tallying is what the database is asked behind a vote.
func (s *scenario) tallying() string { return "tally (" + work.Statement(s.add.SQL) + ")" }

// again sends the vote a second time.
func (s *scenario) again(ctx context.Context, c postgres.Conn, a *work.Arrival, w *params) error {
	v, err := s.castVote(ctx, c, w, nil)
	switch {
	case err != nil:
		return s.asked(err)
	case v.taken:
		return errVotedTwice
	}
	s.refused.Add(a.Stage, 1)
	return nil
}
