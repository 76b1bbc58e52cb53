package voting

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// decision is a proposal that one choice has the quorum of, as the client
// knows from the deciding vote's commit.
type decision struct {
	proposal  int64
	choice    int
	stage     int
	committed time.Duration
}

const (
	// decisionsWaiting is how many decisions may wait for the reader.
	decisionsWaiting = 1024
	// lookAgain is the pause between two looks at a tally that is behind.
	lookAgain = time.Millisecond
	// lookFor bounds the looks at one tally.
	lookFor = 5 * time.Second
)

// observer is the independent reader: one connection of its own that looks at
// the tally of every proposal as soon as it is decided.
type observer struct {
	s     *scenario
	conn  *pgx.Conn
	queue chan decision
	stop  context.CancelFunc
	done  chan struct{}
	sql   string

	// pending are decisions that were not looked at yet, unseen those that the
	// reader never saw, reads its readings, and outside those that no order of
	// the votes explains; first names the first of them.
	pending, unseen, reads, outside atomic.Int64
	first                           atomic.Pointer[string]
}

func (s *scenario) observe(ctx context.Context) (*observer, error) {
	c, err := postgres.Connect(ctx, s.address, s.options)
	if err != nil {
		return nil, err
	}
	o := &observer{s: s, conn: c, queue: make(chan decision, decisionsWaiting), done: make(chan struct{}),
		sql: "SELECT coalesce(sum(votes), 0)::bigint FROM " + s.tally + " WHERE proposal = $1 AND choice = $2"}
	if s.mode == computed {
		o.sql = "SELECT count(*) FROM " + s.votes + " WHERE proposal = $1 AND choice = $2"
	}
	// The first execution prepares the statement.
	var v int64
	if err := c.QueryRow(ctx, o.sql, int64(-1), int32(0)).Scan(&v); err != nil {
		return nil, errors.Join(postgres.Explain(s.address, "read a tally", err), c.Close(ctx))
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	o.stop = stop
	go o.run(run)
	return o, nil
}

// look asks for a look at a proposal. It never waits: where too many are
// waiting, the decision counts as not seen.
func (o *observer) look(d decision) {
	o.pending.Add(1)
	select {
	case o.queue <- d:
	default:
		o.pending.Add(-1)
		o.unseen.Add(1)
	}
}

func (o *observer) run(ctx context.Context) {
	defer close(o.done)
	for {
		select {
		case d := <-o.queue:
			if !o.see(ctx, d) {
				o.unseen.Add(1)
			}
			o.pending.Add(-1)
		case <-ctx.Done():
			return
		}
	}
}

// see reads the tally until it has the quorum.
func (o *observer) see(ctx context.Context, d decision) bool {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	s, p := o.s, &o.s.proposals[d.proposal]
	for {
		n, err := o.read(ctx, d)
		now := s.env.Clock.Now()
		switch {
		case err != nil && !o.restore(ctx):
			return false
		case err == nil && n >= s.quorum:
			if s.env.Plan.Sharded() {
				p.seen.Store(int64(now))
			} else {
				s.visible.Record(d.stage, now-time.Duration(p.opened.Load()-1))
			}
			s.visibility.Record(d.stage, now-d.committed)
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(lookAgain):
		}
	}
}

// read reads a tally once and judges it as Jepsen's counter checker does: it
// must hold every vote that was committed before, and none that was not sent.
func (o *observer) read(ctx context.Context, d decision) (n int64, err error) {
	p := &o.s.proposals[d.proposal]
	least := p.votes[d.choice].Load()
	if err := o.conn.QueryRow(ctx, o.sql, d.proposal, int32(d.choice)).Scan(&n); err != nil {
		return 0, err
	}
	o.reads.Add(1)
	most := p.sent[d.choice].Load()
	if o.s.env.Plan.Sharded() {
		most = o.s.agents // what the others sent is not known here
	}
	if n < least || n > most {
		o.outside.Add(1)
		text := fmt.Sprintf("proposal %d, choice %d: %d votes, where %d were committed and %d sent", d.proposal, d.choice, n, least, most)
		o.first.CompareAndSwap(nil, &text)
	}
	return n, nil
}

// restore replaces a connection that was lost.
func (o *observer) restore(ctx context.Context) bool {
	if !o.conn.IsClosed() {
		return true
	}
	c, err := postgres.Connect(ctx, o.s.address, o.s.options)
	if err != nil {
		return ctx.Err() == nil
	}
	o.conn = c
	return true
}

// drain waits until every decision was looked at.
func (o *observer) drain(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for o.pending.Load() > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d decisions were not read: %w", o.pending.Load(), ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

func (o *observer) close(ctx context.Context) error {
	o.stop()
	select {
	case <-o.done:
		return o.conn.Close(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Drain waits until the reader has looked at every decision.
func (s *scenario) Drain(ctx context.Context) error {
	if s.observer == nil {
		return nil
	}
	return s.observer.drain(ctx)
}
