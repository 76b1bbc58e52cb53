package crud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/keys"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// scenario is the records of one run.
type scenario struct {
	cfg     config
	address targets.Address
	options postgres.Options
	table   string
	plan    scenarios.Plan
	clock   work.Clock
	log     *slog.Logger
	sql     statements
	keys    keys.Range
	m       handles

	// openEnded says that there may be more arrivals than were planned for.
	openEnded bool
	// created says that the table may exist.
	created bool
	// written counts the rows of fill.
	written atomic.Int64
	pool    *postgres.Pool
	workers []worker
	// buffers holds what a batch needs; a connection has at most one in use.
	buffers sync.Pool
	account account
	// kept are the inserts that stay in the table, as a ring of their numbers
	// plus one; nil where all do.
	kept     []atomic.Int64
	nextKept atomic.Int64
	floor    *floor
	pace     scenarios.Pace
	// stage is the stage of the newest arrival, which reconnects count for.
	stage atomic.Int64
}

// worker is the state of one worker.
type worker struct {
	params  *postgres.Params
	payload []byte
	expect  []byte
	_       [64]byte
}

// buffer is what a batch needs.
type buffer struct {
	params   *postgres.Params
	payloads []byte
	source   *source
}

// handles are the scenario's metrics.
type handles struct {
	wait, transaction, reconnectTime *metrics.Trend
	query                            [opCount]*metrics.Trend
	// modeQuery, batch and rows are by insert mode.
	modeQuery, batch [modeCount]*metrics.Trend
	rows             [modeCount]*metrics.Counter
	reconnects       *metrics.Counter
	trim             *metrics.Trend
	trimmed          *metrics.Counter
	retries          postgres.Tries
	ends             postgres.Ends
	gauges           postgres.Gauges
}

func newScenario(env scenarios.Env) (*scenario, error) {
	cfg, err := readConfig(env.Values, env.Plan)
	if err != nil {
		return nil, err
	}
	s := &scenario{
		cfg: cfg, address: env.Targets.Postgres, table: postgres.TableName(tablePrefix, env.RunID), plan: env.Plan, clock: env.Clock, log: env.Log, pace: env.Pace,
		workers: make([]worker, max(env.Plan.Workers, 1)), openEnded: env.Plan.OpenEnded,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.sql = newStatements(s.table)
	s.sql.prepareMultiRow(s.table, s.cfg.stages)
	s.options = postgres.Options{Run: env.RunID, Log: env.Log, Size: cfg.pool, StatementTimeout: cfg.statement, LockTimeout: cfg.lock, Isolation: cfg.isolation,
		Statements: s.sql.all, Warm: s.warm, Reconnected: s.restored}
	s.account.inserts = postgres.NewOutcomes(env.Plan.Arrivals)
	s.account.trims = postgres.NewOutcomes(0)
	if cfg.keep > 0 {
		s.kept = make([]atomic.Int64, cfg.keep)
	}
	s.account.deletes = postgres.NewOutcomes(cfg.reserve)
	for i := range s.workers {
		s.workers[i] = worker{params: postgres.NewParams(insertParams), payload: make([]byte, cfg.payload), expect: make([]byte, cfg.payload)}
	}
	s.buffers.New = func() any {
		return &buffer{postgres.NewParams(insertParams * int(cfg.stride)), make([]byte, int(cfg.stride)*cfg.payload), newSource(cfg.payload)}
	}
	s.declareMetrics(env)
	return s, nil
}

func (s *scenario) declareMetrics(env scenarios.Env) {
	s.m = handles{
		wait:          env.Metrics.Trend(postgres.PoolWait, env.Tags("")),
		transaction:   env.Metrics.Trend(postgres.TransactionDuration, env.Tags("")),
		reconnectTime: env.Metrics.Trend(postgres.ReconnectDuration, env.Tags("")),
		reconnects:    env.Metrics.Counter(postgres.Reconnects, env.Tags("")),
		gauges:        postgres.NewGauges(env.Metrics, env.Tags("")),
	}
	s.m.trim = env.Metrics.Trend(postgres.QueryDuration, env.Tags("trim"))
	s.m.trimmed = env.Metrics.Counter(rowsTrimmed, env.Tags("trim"))
	s.floor = &floor{trend: env.Metrics.Trend(roundTrip, env.Tags(""))}
	s.m.retries, s.m.ends = postgres.NewTries(env.Metrics, env.Tags("")), postgres.NewEnds(env.Metrics, env.Tags(""))
	for op, name := range opNames {
		s.m.query[op] = env.Metrics.Trend(postgres.QueryDuration, env.Tags(name))
	}
	for mode, name := range modeNames {
		s.m.batch[mode] = env.Metrics.Trend(batchDuration, env.Tags(name))
		s.m.rows[mode] = env.Metrics.Counter(rowsInserted, env.Tags(name))
		s.m.modeQuery[mode] = s.m.query[opInsert]
		if mode != modeSingle {
			// A batch is not an insert of one row, and has a series of its own.
			s.m.modeQuery[mode] = env.Metrics.Trend(postgres.QueryDuration, env.Tags(name))
		}
	}
}

// Setup makes the table, writes the rows that are there from the start, opens
// every connection and prepares every statement.
func (s *scenario) Setup(ctx context.Context) error {
	c, err := postgres.Connect(ctx, s.address, s.options)
	if err != nil {
		return err
	}
	err = s.fill(ctx, c)
	_ = c.Close(ctx)
	if err != nil {
		return err
	}
	return s.open(ctx)
}

// Shares says that the table is the whole run's.
func (s *scenario) Shares() string { return "its table" }

// HandOver has nothing to tell: the run's identity names the table.
func (s *scenario) HandOver() ([]byte, error) { return nil, nil }

// Join opens every connection to the table that the first shard made.
func (s *scenario) Join(ctx context.Context, _ []byte) error {
	s.written.Store(s.cfg.table + s.cfg.reserve) // by the first shard
	return s.open(ctx)
}

// open opens the connections.
func (s *scenario) open(ctx context.Context) (err error) {
	s.keys = keys.New(s.cfg.table)
	if s.pool, err = postgres.Open(ctx, s.address, s.options); err != nil {
		return err
	}
	if !s.plan.First() {
		return nil // a round trip is timed once for all shards
	}
	return s.floor.open(ctx, s)
}

// restored counts a reconnect.
func (s *scenario) restored(took time.Duration) {
	stage := int(s.stage.Load())
	s.m.reconnects.Add(stage, 1)
	s.m.reconnectTime.Record(stage, took)
}

// Sample reads the pool and times a round trip.
func (s *scenario) Sample(ctx context.Context) {
	s.m.gauges.Read(s.pool)
	s.floor.sample(ctx, s)
}

// Close closes the pool and drops the table.
func (s *scenario) Close(ctx context.Context) error {
	errs := []error{s.floor.close(ctx)}
	if s.pool != nil {
		errs = append(errs, s.pool.Close(ctx))
	}
	if s.created {
		if err := s.drop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("table %s is left in %s, perfctl reset removes it: %w", s.table, s.address, err))
		}
	}
	return errors.Join(errs...)
}

func (s *scenario) drop(ctx context.Context) error {
	c, err := postgres.Connect(ctx, s.address, s.options)
	if err != nil {
		return err
	}
	return errors.Join(postgres.Drop(ctx, c, s.table), c.Close(ctx))
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

// identifier returns the table's name as the driver wants it.
func (s *scenario) identifier() pgx.Identifier {
	return strings.SplitN(s.table, ".", 2)
}
