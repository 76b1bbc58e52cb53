package crud

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// fill makes the table and its first rows.
func (s *scenario) fill(ctx context.Context, c *pgx.Conn) error {
	s.created = true
	if err := postgres.Create(ctx, c, s.options.Run, postgres.Table{Name: s.table, Columns: columns}); err != nil {
		return postgres.Explain(s.address, "make table "+s.table, err)
	}
	rows := newSource(s.cfg.payload)
	rows.reset(1, s.cfg.table+s.cfg.reserve, preloaded)
	if _, err := c.CopyFrom(ctx, s.identifier(), columnNames, &counted{source: rows, n: &s.written, wait: func() error { return s.pace.Wait(ctx, 1) }}); err != nil {
		return postgres.Explain(s.address, fmt.Sprintf("write %d rows to %s", rows.n, s.table), err)
	}
	_, err := c.Exec(ctx, "ANALYZE "+s.table)
	return postgres.Explain(s.address, "analyse "+s.table, err)
}

// counted counts the rows that a source hands out, none before its time.
type counted struct {
	*source
	n    *atomic.Int64
	wait func() error
	err  error
}

// Next goes on to the next row.
func (c *counted) Next() bool {
	if c.err = c.wait(); c.err != nil {
		return false
	}
	c.n.Add(1)
	return c.source.Next()
}

// Err says why there is no next row.
func (c *counted) Err() error { return c.err }

// Tell tells how many rows are written, as long as some are not.
func (s *scenario) Progress() string {
	n, all := s.written.Load(), s.cfg.table+s.cfg.reserve
	if n >= all {
		return ""
	}
	return fmt.Sprintf("%d of %d rows written", n, all)
}

// preloaded is the token of rows that no arrival wrote.
const preloaded = -1

// warmRounds is how often each statement is run on a new connection: from the
// sixth time on, PostgreSQL keeps its plan.
const warmRounds = 6

// warm runs every statement on a connection and takes it back.
func (s *scenario) warm(ctx context.Context, c postgres.Conn, i int) error {
	tx := c.Begin(ctx)
	defer tx.Rollback()
	payload := make([]byte, s.cfg.payload)
	p, one, span := postgres.NewParams(insertParams), postgres.NewParams(1), postgres.NewParams(2)
	for round := range int64(warmRounds) {
		// Rows of its own, for those of another shard may be there and not yet gone.
		id := -(int64(i)*int64(max(s.plan.Shards, 1))+int64(s.plan.Shard))*warmRounds - round - 1
		fillPayload(payload, id, preloaded)
		setRow(p, 0, id, preloaded, payload)
		one.Int64(0, id)
		span.Int64(0, id)
		span.Int64(1, id)
		for _, step := range []struct {
			s *postgres.Statement
			p *postgres.Params
		}{{s.sql.insert, p}, {s.sql.read, one}, {s.sql.update, p}, {s.sql.remove, one}, {s.sql.trim, span}} {
			if _, err := tx.Exec(step.s, step.p); err != nil {
				return err
			}
		}
	}
	return nil
}

// setRow sets the parameters of the row that stands at place i of an insert.
func setRow(p *postgres.Params, i int, id, token int64, payload []byte) {
	p.Int64(insertParams*i, id)
	p.Int64(insertParams*i+1, token)
	p.Text(insertParams*i+2, payload)
}
