package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Statement is an SQL text that is prepared under one name on every connection
// of a pool.
type Statement struct {
	Name, SQL string
	// sd is the same for every connection: the name, the types, the columns.
	sd atomic.Pointer[pgconn.StatementDescription]
}

// NewStatement returns a statement that is not prepared yet.
func NewStatement(name, sql string) *Statement { return &Statement{Name: name, SQL: sql} }

// prepare prepares the statement under its name; without one, where a pooler hands
// out another connection of the server for each transaction, it only asks for the
// types.
func (s *Statement) prepare(ctx context.Context, c *pgx.Conn, named bool) error {
	if !named {
		if s.sd.Load() != nil {
			return nil
		}
		sd, err := c.PgConn().Prepare(ctx, "", s.SQL, nil)
		if err != nil {
			return fmt.Errorf("describe %s: %w", s.Name, err)
		}
		s.sd.CompareAndSwap(nil, sd)
		return nil
	}
	sd, err := c.Prepare(ctx, s.Name, s.SQL)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", s.Name, err)
	}
	s.sd.CompareAndSwap(nil, sd)
	return nil
}

// Params are the values of a statement's parameters, in binary form. They
// belong to one worker and are filled anew for every execution.
type Params struct {
	values [][]byte
	store  []byte
}

// NewParams returns room for n parameters.
func NewParams(n int) *Params {
	return &Params{values: make([][]byte, n), store: make([]byte, 8*n)}
}

// First returns the first n parameters, which share their values with p.
func (p *Params) First(n int) *Params { return &Params{values: p.values[:n:n], store: p.store} }

// Int64 sets parameter i, from 0, of type bigint.
func (p *Params) Int64(i int, v int64) {
	b := p.store[8*i : 8*i+8 : 8*i+8]
	binary.BigEndian.PutUint64(b, uint64(v))
	p.values[i] = b
}

// Int32 sets parameter i, from 0, of type integer.
func (p *Params) Int32(i int, v int32) {
	b := p.store[8*i : 8*i+4 : 8*i+4]
	binary.BigEndian.PutUint32(b, uint32(v))
	p.values[i] = b
}

// Text sets parameter i, from 0, of type text. The bytes are not copied.
func (p *Params) Text(i int, v []byte) { p.values[i] = v }

// Int64Of returns a bigint or an integer as the server sends it in binary
// form; ok is false for anything else.
func Int64Of(b []byte) (v int64, ok bool) {
	switch len(b) {
	case 8:
		return int64(binary.BigEndian.Uint64(b)), true
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b))), true
	}
	return 0, false
}

// binaryFormat says that every parameter, or every column, is in binary form.
var binaryFormat = []int16{1}

// Query executes a prepared statement, one round trip. The reader must be
// closed; its error is the statement's. Columns are in binary form.
func (c Conn) Query(ctx context.Context, s *Statement, p *Params) *pgconn.ResultReader {
	return c.execute(ctx, s.sd.Load(), p.values, binaryFormat, binaryFormat)
}

// execute executes a statement by its name, or with its text where it has none.
func (c Conn) execute(ctx context.Context, sd *pgconn.StatementDescription, values [][]byte, formats, results []int16) *pgconn.ResultReader {
	if text, ok := c.commented(sd.SQL); ok {
		return c.pg.ExecParams(ctx, text, values, sd.ParamOIDs, formats, results)
	}
	if sd.Name == "" {
		return c.pg.ExecParams(ctx, sd.SQL, values, sd.ParamOIDs, formats, results)
	}
	return c.pg.ExecStatement(ctx, sd, values, formats, results)
}

// send is execute within a pipeline.
func (c Conn) send(pipe *pgconn.Pipeline, sd *pgconn.StatementDescription, values [][]byte, formats, results []int16) {
	if text, ok := c.commented(sd.SQL); ok {
		pipe.SendQueryParams(text, values, sd.ParamOIDs, formats, results)
		return
	}
	send(pipe, sd, values, formats, results)
}

// send is execute within a pipeline, without a word of the trace.
func send(pipe *pgconn.Pipeline, sd *pgconn.StatementDescription, values [][]byte, formats, results []int16) {
	if sd.Name == "" {
		pipe.SendQueryParams(sd.SQL, values, sd.ParamOIDs, formats, results)
		return
	}
	pipe.SendQueryStatement(sd, values, formats, results)
}

// QueryText executes a prepared statement with parameters in text form, nil for
// NULL, one round trip. The reader must be closed; its error is the statement's.
// Columns are in text form.
func (c Conn) QueryText(ctx context.Context, s *Statement, values [][]byte) *pgconn.ResultReader {
	return c.execute(ctx, s.sd.Load(), values, nil, nil)
}

// Exec executes a prepared statement, one round trip and a transaction of its
// own, and returns the number of rows that it touched.
func (c Conn) Exec(ctx context.Context, s *Statement, p *Params) (int64, error) {
	tag, err := c.Query(ctx, s, p).Close()
	return tag.RowsAffected(), err
}

// Batch executes a prepared statement n times in one round trip. fill sets the
// parameters of execution i. The server does all or none of it, in one
// transaction.
func (c Conn) Batch(ctx context.Context, s *Statement, n int, p *Params, fill func(i int)) (int64, error) {
	pipe := c.pg.StartPipeline(ctx)
	sd := s.sd.Load()
	for i := range n {
		fill(i)
		c.send(pipe, sd, p.values, binaryFormat, binaryFormat)
	}
	err := pipe.Sync()
	var rows int64
	for i := 0; i < n && err == nil; i++ {
		var got int64
		got, err = result(pipe)
		rows += got
	}
	if closed := pipe.Close(); err == nil {
		err = closed
	}
	return rows, err
}

// result reads the result of the next statement of a pipeline.
func result(pipe *pgconn.Pipeline) (int64, error) {
	rows, _, err := valueOf(pipe)
	return rows, err
}

// valueOf is result with the number in the first column of the last row; 0 where there
// is none.
func valueOf(pipe *pgconn.Pipeline) (rows, value int64, err error) {
	r, err := pipe.GetResults()
	if err != nil {
		return 0, 0, err
	}
	reader, ok := r.(*pgconn.ResultReader)
	if !ok {
		return 0, 0, fmt.Errorf("the server answered %T where a statement's result was due", r)
	}
	for reader.NextRow() {
		if v := reader.Values(); len(v) > 0 {
			value, _ = Int64Of(v[0])
		}
	}
	tag, err := reader.Close()
	return tag.RowsAffected(), value, err
}
