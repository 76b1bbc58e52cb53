package voting

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// tablePrefix begins the names of the scenario's tables.
const tablePrefix = "voting_"

// slots is how many rows a choice of a proposal has in slotted mode.
const slots = 16

// maxTallies bounds the rows of the tally.
const maxTallies = 5_000_000

type scenario struct {
	layout
	env          scenarios.Env
	address      targets.Address
	options      postgres.Options
	votes, tally string
	mode         string
	quorum       int64
	stages       []stage
	insert, add  *postgres.Statement

	created   bool
	pool      *postgres.Pool
	workers   []worker
	log       *postgres.Outcomes // by the scenario's arrival number; rows is the choice
	proposals []proposal
	observer  *observer
	decisions atomic.Int64
	current   atomic.Int64 // the newest arrival's stage, which reconnects count for

	ends                                                                      postgres.Ends
	latency, wait, transaction, insertTime, addTime, consensus, reconnectTime *metrics.Trend
	lag, everyone, visible, visibility                                        *metrics.Trend
	cast, refused, reconnects                                                 *metrics.Counter
	accuracy, decided                                                         *metrics.Gauge
	gauges                                                                    postgres.Gauges
}

// stage is what a stage may change.
type stage struct{ resubmit, conflict float64 }

// worker is the state of one worker.
type worker struct {
	// rival is for the second of two votes at the same time.
	params, rival params
	_             [64]byte
}

// params are the parameters of a vote's statements.
type params struct{ insert, add *postgres.Params }

func newParams() params { return params{postgres.NewParams(4), postgres.NewParams(3)} }

// proposal is what the client knows of one.
type proposal struct {
	opened atomic.Int64 // when its first vote was due, ns on the run's clock plus one
	votes  [choices]atomic.Int64
	// sent counts the votes that may have reached the server.
	sent [choices]atomic.Int64
	// last is when the newest of the votes on a choice was due.
	last [choices]atomic.Int64
	// all counts the committed votes on all choices.
	all  atomic.Int64
	done atomic.Bool
	// Where the run has shards: when its newest vote was committed, when it was decided
	// by a vote of this one, and when the reader saw that; see instant.
	newest, decided, seen atomic.Int64
	// Where besides no row of the tally tells which vote decided: all that were committed
	// here, by choice.
	mu        sync.Mutex
	committed [choices][]vote
}

func newScenario(e scenarios.Env) (*scenario, error) {
	v := e.Values
	s := &scenario{
		layout: layout{agents: int64(v.Int(0, keyAgents)), proposals: int64(v.Int(0, keyProposals)), open: int64(v.Int(0, keyOpen))},
		env:    e, address: e.Targets.Postgres, mode: v.Text(0, keyTally), quorum: int64(v.Int(0, keyQuorum)),
		votes: postgres.TableName(tablePrefix+"votes_", e.RunID), tally: postgres.TableName(tablePrefix+"tally_", e.RunID),
		workers: make([]worker, max(e.Plan.Workers, 1)), log: postgres.NewOutcomes(e.Plan.Arrivals),
	}
	s.proposals = make([]proposal, s.proposalsOf(e.Plan.Arrivals))
	if s.quorum == 0 {
		s.quorum = s.agents/2 + 1
	}
	if s.quorum > s.agents {
		return nil, fmt.Errorf("voting.%s: %d equal votes are more than there are agents (%d)", keyQuorum, s.quorum, s.agents)
	}
	if n := s.tallies(); n > maxTallies {
		return nil, fmt.Errorf("the run's %d proposals need %d rows of tally, and %d is the most: raise voting.%s, or choose another voting.%s",
			len(s.proposals), n, maxTallies, keyAgents, keyTally)
	}
	for i := range max(len(e.Plan.Stages), 1) {
		s.stages = append(s.stages, stage{v.Float(i, keyResubmit), v.Float(i, keyConflict)})
	}
	for i := range s.workers {
		s.workers[i] = worker{params: newParams(), rival: newParams()}
	}
	s.insert = postgres.NewStatement("voting_insert",
		"INSERT INTO "+s.votes+" (proposal, agent, choice, number) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
	s.add = postgres.NewStatement("voting_tally",
		"UPDATE "+s.tally+" SET votes = votes + 1 WHERE proposal = $1 AND choice = $2 AND slot = $3 RETURNING votes")
	s.options = postgres.Options{Run: e.RunID, Log: e.Log, Size: e.Plan.Part(v.Int(0, keyPool)), StatementTimeout: v.Duration(0, keyStatement),
		LockTimeout: v.Duration(0, keyLock), Statements: []*postgres.Statement{s.insert, s.add}, Warm: s.warm, Reconnected: s.restored}
	s.declare(e)
	return s, nil
}

func (s *scenario) declare(e scenarios.Env) {
	m, tags := e.Metrics, e.Tags("")
	s.ends = postgres.NewEnds(m, tags)
	s.latency, s.wait, s.transaction = m.Trend(votingLatency, tags), m.Trend(postgres.PoolWait, tags), m.Trend(postgres.TransactionDuration, tags)
	s.insertTime, s.addTime = m.Trend(postgres.QueryDuration, e.Tags("vote_insert")), m.Trend(postgres.QueryDuration, e.Tags("tally_update"))
	s.consensus, s.reconnectTime = m.Trend(consensusTime, tags), m.Trend(postgres.ReconnectDuration, tags)
	s.cast, s.refused, s.reconnects = m.Counter(votesCast, tags), m.Counter(votesRefused, tags), m.Counter(postgres.Reconnects, tags)
	s.lag, s.everyone = m.Trend(consensusLag, tags), m.Trend(allTime, tags)
	s.visible, s.visibility = m.Trend(visibleTime, tags), m.Trend(visibilityLag, tags)
	s.accuracy, s.decided = m.Gauge(accuracy, tags), m.Gauge(decided, tags)
	s.gauges = postgres.NewGauges(m, tags)
}

// slotsUsed is how many rows a choice of a proposal has.
func (s *scenario) slotsUsed() int64 {
	switch s.mode {
	case slotted:
		return slots
	case computed:
		return 0
	}
	return 1
}

func (s *scenario) tallies() int64 { return int64(len(s.proposals)) * choices * s.slotsUsed() }

// Setup makes the tables with a tally of zero for every choice, opens every
// connection and prepares every statement.
func (s *scenario) Setup(ctx context.Context) error {
	if err := s.make(ctx); err != nil {
		return err
	}
	return s.open(ctx)
}

// Shares says that the tables are the whole run's.
func (s *scenario) Shares() string { return "its tables" }

// HandOver has nothing to tell: the run's identity names the tables.
func (s *scenario) HandOver() ([]byte, error) { return nil, nil }

// Join opens every connection to the tables that the first shard made.
func (s *scenario) Join(ctx context.Context, _ []byte) error { return s.open(ctx) }

// make makes the tables.
func (s *scenario) make(ctx context.Context) error {
	c, err := postgres.Connect(ctx, s.address, s.options)
	if err != nil {
		return err
	}
	err = s.fill(ctx, c)
	_ = c.Close(ctx) // the error of filling is the one that matters
	return err
}

// open opens the connections.
func (s *scenario) open(ctx context.Context) (err error) {
	if s.pool, err = postgres.Open(ctx, s.address, s.options); err != nil {
		return err
	}
	s.observer, err = s.observe(ctx)
	return err
}

func (s *scenario) fill(ctx context.Context, c *pgx.Conn) error {
	s.created = true
	err := postgres.Create(ctx, c, s.options.Run,
		postgres.Table{Name: s.votes, Columns: `proposal bigint, agent bigint, choice integer NOT NULL, number bigint NOT NULL,
			cast_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (proposal, agent)`},
		postgres.Table{Name: s.tally, Columns: "proposal bigint, choice integer, slot integer, votes bigint NOT NULL, PRIMARY KEY (proposal, choice, slot)"})
	if err != nil {
		return postgres.Explain(s.address, "make the tables of the votes", err)
	}
	if s.tallies() == 0 {
		return nil
	}
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO %s SELECT p, c, t, 0 FROM generate_series(0, %d) p, generate_series(0, %d) c, generate_series(0, %d) t`,
			s.tally, len(s.proposals)-1, choices-1, s.slotsUsed()-1),
		"ANALYZE " + s.tally,
	} {
		if _, err := c.Exec(ctx, sql); err != nil {
			return postgres.Explain(s.address, "write the empty tally", err)
		}
	}
	return nil
}

// warmRounds is how often each statement is run on a new connection: from the
// sixth time on, PostgreSQL keeps its plan.
const warmRounds = 6

// warm runs both statements on a connection and takes them back.
func (s *scenario) warm(ctx context.Context, c postgres.Conn, i int) error {
	tx := c.Begin(ctx)
	defer tx.Rollback()
	w := newParams()
	for round := range int64(warmRounds) {
		// Rows of its own, for those of another shard may be there and not yet gone.
		w.fill(ballot{proposal: -1 - int64(i)*int64(max(s.env.Plan.Shards, 1)) - int64(s.env.Plan.Shard), agent: round}, -1, 0)
		if _, err := tx.Exec(s.insert, w.insert); err != nil {
			return err
		}
		if _, err := tx.Exec(s.add, w.add); err != nil {
			return err
		}
	}
	return nil
}

func (w *params) fill(b ballot, number int64, slot int32) {
	w.insert.Int64(0, b.proposal)
	w.insert.Int64(1, b.agent)
	w.insert.Int32(2, int32(b.choice))
	w.insert.Int64(3, number)
	w.add.Int64(0, b.proposal)
	w.add.Int32(1, int32(b.choice))
	w.add.Int32(2, slot)
}

// restored counts a reconnect.
func (s *scenario) restored(took time.Duration) {
	stage := int(s.current.Load())
	s.reconnects.Add(stage, 1)
	s.reconnectTime.Record(stage, took)
}

// Sample reads the pool.
func (s *scenario) Sample(context.Context) {
	s.gauges.Read(s.pool)
	s.decided.Set(float64(s.decisions.Load()))
}

// Close closes the pool and drops the tables.
func (s *scenario) Close(ctx context.Context) error {
	var errs []error
	if s.observer != nil {
		errs = append(errs, s.observer.close(ctx))
	}
	if s.pool != nil {
		errs = append(errs, s.pool.Close(ctx))
	}
	if s.created {
		if err := s.drop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("tables %s and %s are left in %s, perfctl reset removes them: %w", s.votes, s.tally, s.address, err))
		}
	}
	return errors.Join(errs...)
}

func (s *scenario) drop(ctx context.Context) error {
	c, err := postgres.Connect(ctx, s.address, s.options)
	if err != nil {
		return err
	}
	return errors.Join(postgres.Drop(ctx, c, s.votes, s.tally), c.Close(ctx))
}

// Reset drops the tables that killed runs left behind.
func (s *scenario) Reset(ctx context.Context) ([]string, error) {
	c, err := postgres.Connect(ctx, s.address, s.options)
	if err != nil {
		return nil, err
	}
	removed, err := postgres.Reset(ctx, c, tablePrefix)
	return removed, errors.Join(err, c.Close(ctx))
}

var errVotedBefore = work.Fail(work.KindWrong, errors.New("the database refused an agent's first vote on a proposal as its second"))

var errVotedTwice = work.Fail(work.KindWrong, errors.New("the database took an agent's second vote on a proposal"))

var errNotPlanned = work.Fail(work.KindExhausted, errors.New("more votes came than were planned for"))

var errNoTally = work.Fail(work.KindWrong, errors.New("there was no row to count a vote in"))
