package cache

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// The back ends.
const (
	simulated = "simulated"
	database  = "database"
)

// tablePrefix begins the name of the back end's table. It is that of the
// scenario crud, whose reset removes what a killed run left of either.
const tablePrefix = "crud_cache_"

// store is the table that misses are fetched from.
type store struct {
	options postgres.Options
	table   string
	rows    int64
	fetch   *postgres.Statement
	pool    *postgres.Pool
	created bool
	params  []*postgres.Params // by worker
}

var errNoRow = work.Fail(work.KindWrong, errors.New("the back end has no such row"))

// newStore returns nil where the back end is simulated.
func (s *scenario) newStore() *store {
	v := s.env.Values
	if v.Text(0, "backend") != database {
		return nil
	}
	d := &store{table: postgres.TableName(tablePrefix, s.env.RunID), rows: int64(v.Int(0, "backend_rows"))}
	d.fetch = postgres.NewStatement("cache_fetch", "SELECT payload FROM "+d.table+" WHERE id = $1")
	d.options = postgres.Options{Run: s.env.RunID, Log: s.env.Log, Size: min(s.env.Plan.Part(v.Int(0, "backend_pool")), max(s.env.Plan.Workers, 1)),
		StatementTimeout: v.Duration(0, "timeout"), Statements: []*postgres.Statement{d.fetch}, Warm: d.warm}
	for range max(s.env.Plan.Workers, 1) {
		d.params = append(d.params, postgres.NewParams(1))
	}
	return d
}

// storeBatch is how many rows one statement writes.
const storeBatch = 50_000

// make makes the table.
func (d *store) make(ctx context.Context, s *scenario) error {
	addr := s.env.Targets.Postgres
	c, err := postgres.Connect(ctx, addr, d.options)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	d.created = true
	if err := postgres.Create(ctx, c, d.options.Run, postgres.Table{Name: d.table, Columns: "id bigint PRIMARY KEY, payload text NOT NULL"}); err != nil {
		return postgres.Explain(addr, "make table "+d.table, err)
	}
	fill := fmt.Sprintf("INSERT INTO %s SELECT i, repeat('x', %d) FROM generate_series($1::bigint, $2::bigint) i", d.table, s.sizes.least)
	batch := int64(s.env.Pace.Batch(storeBatch))
	for from := int64(0); from < d.rows; from += batch {
		to := min(from+batch, d.rows)
		if err := s.env.Pace.Wait(ctx, int(to-from)); err != nil {
			return postgres.Explain(addr, "fill table "+d.table, err)
		}
		if _, err := c.Exec(ctx, fill, from, to-1); err != nil {
			return postgres.Explain(addr, "fill table "+d.table, err)
		}
		s.stored.Store(to)
	}
	if _, err := c.Exec(ctx, "ANALYZE "+d.table); err != nil {
		return postgres.Explain(addr, "analyse table "+d.table, err)
	}
	return nil
}

// open opens the connections.
func (d *store) open(ctx context.Context, s *scenario) (err error) {
	d.pool, err = postgres.Open(ctx, s.env.Targets.Postgres, d.options)
	return err
}

// warm runs the statement often enough for the server to keep its plan.
func (d *store) warm(ctx context.Context, c postgres.Conn, _ int) error {
	p := postgres.NewParams(1)
	for i := range int64(6) {
		p.Int64(0, i%d.rows)
		if _, err := c.Exec(ctx, d.fetch, p); err != nil {
			return err
		}
	}
	return nil
}

// get reads the row that stands for a key.
func (d *store) get(ctx context.Context, a *work.Arrival, clock work.Clock, id int64) error {
	note := a.Begin(string(targets.Postgres), "fetch", clock.Now())
	c, err := d.pool.Acquire(ctx)
	if err != nil {
		note.Ended(clock.Now(), err)
		return postgres.Fail(err)
	}
	defer c.Release()
	c.Note(note, clock.Now(), d.fetch.SQL)
	p := d.params[a.Worker]
	p.Int64(0, id%d.rows)
	rows, err := c.Exec(ctx, d.fetch, p)
	note.Ended(clock.Now(), err)
	switch {
	case err != nil:
		return work.Asked("fetch ("+work.Statement(d.fetch.SQL)+")", postgres.Fail(err))
	case rows != 1:
		return errNoRow
	}
	return nil
}

func (d *store) close(ctx context.Context, s *scenario) error {
	var errs []error
	if d.pool != nil {
		errs = append(errs, d.pool.Close(ctx))
	}
	if d.created {
		c, err := postgres.Connect(ctx, s.env.Targets.Postgres, d.options)
		if err == nil {
			err = errors.Join(postgres.Drop(ctx, c, d.table), c.Close(ctx))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("table %s is left in %s, perfctl reset removes it: %w", d.table, s.env.Targets.Postgres, err))
		}
	}
	return errors.Join(errs...)
}

// fromBackend asks the back end for the value of a key.
func (s *scenario) fromBackend(ctx context.Context, a *work.Arrival, st *stage, w *worker, id int64) error {
	s.fetches.Add(a.Stage, 1)
	if s.store != nil {
		return s.store.get(ctx, a, s.env.Clock, id)
	}
	return w.wait(ctx, st.fetchTime(a))
}

// fetchTime is how long the simulated back end takes for an arrival.
func (st *stage) fetchTime(a *work.Arrival) time.Duration {
	if !st.exponential {
		return st.backendTime
	}
	return time.Duration(-math.Log(1-a.Uniform(streamBackend)) * float64(st.backendTime))
}

// wait passes time without using the processor.
func (w *worker) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if w.timer == nil {
		w.timer = time.NewTimer(d)
	} else {
		w.timer.Reset(d)
	}
	select {
	case <-w.timer.C:
		return nil
	case <-ctx.Done():
		w.timer.Stop()
		return ctx.Err()
	}
}
