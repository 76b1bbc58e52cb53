package crud

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// The random streams of an arrival.
const (
	streamOp   = 0x6372756401
	streamKey  = 0x6372756402
	streamKey2 = 0x6372756403
)

// What can be wrong with an answer.
var (
	errNoRow    = work.Fail(work.KindWrong, errors.New("a row that must exist is not there"))
	errBadRow   = work.Fail(work.KindWrong, errors.New("a row does not hold what was written"))
	errRowCount = work.Fail(work.KindWrong, errors.New("the server wrote another number of rows than it was given"))
	errNoStock  = work.Fail(work.KindExhausted, errors.New("more rows were to be deleted than were written for it"))
)

// Do executes one operation, which the seed and the arrival's number decide,
// on a connection of the pool.
func (s *scenario) Do(ctx context.Context, a *work.Arrival) error {
	if s.stage.Load() != int64(a.Stage) {
		s.stage.Store(int64(a.Stage))
	}
	st := s.cfg.stageOf(a.Stage)
	w := &s.workers[a.Worker]
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return postgres.Fail(err)
	}
	defer c.Release()
	now := s.clock.Now()
	s.m.wait.Record(a.Stage, now-a.Started)
	switch op := st.mix.pick(a.Uniform(streamOp)); op {
	case opInsert:
		if st.transaction && st.mode == modeSingle {
			return s.insertAndUpdate(ctx, c, a, w, st, now)
		}
		return s.insert(ctx, c, a, w, st, now)
	case opSelect:
		err = s.read(ctx, c, w, s.keyOf(a, st))
		return s.done(a, op, now, err)
	case opUpdate:
		err = s.update(ctx, c, w, s.keyOf(a, st), a.K)
		return s.done(a, op, now, err)
	default:
		err = s.remove(ctx, c, w)
		return s.done(a, op, now, err)
	}
}

// done records an operation that is a transaction of its own.
func (s *scenario) done(a *work.Arrival, op int, sent time.Duration, err error) error {
	if err != nil {
		return postgres.Fail(err)
	}
	took := s.clock.Now() - sent
	s.m.query[op].Record(a.Stage, took)
	s.m.transaction.Record(a.Stage, took)
	return nil
}

func (s *scenario) keyOf(a *work.Arrival, st *stage) int64 {
	return s.keys.pick(st.distribution, a.Uniform(streamKey), a.Uniform(streamKey2))
}

// read selects a row and compares it with what must have been written.
func (s *scenario) read(ctx context.Context, c postgres.Conn, w *worker, id int64) error {
	w.params.Int64(0, id)
	r := c.Query(ctx, s.sql.read, w.params.First(1))
	var bad error = errNoRow
	for r.NextRow() {
		bad = nil
		v := r.Values()
		token, ok := int64(0), false
		if len(v) == 2 {
			token, ok = postgres.Int64Of(v[0])
		}
		if ok {
			fillPayload(w.expect, id, token)
		}
		if !ok || !bytes.Equal(v[1], w.expect) {
			bad = errBadRow
		}
	}
	if _, err := r.Close(); err != nil {
		return err
	}
	return bad
}

func (s *scenario) update(ctx context.Context, c postgres.Conn, w *worker, id, token int64) error {
	s.fillRow(w, id, token)
	rows, err := c.Exec(ctx, s.sql.update, w.params)
	s.account.updated(rows, err)
	if err == nil && rows != 1 {
		return errNoRow
	}
	return err
}

// remove deletes the next row of those that were written for it.
func (s *scenario) remove(ctx context.Context, c postgres.Conn, w *worker) error {
	n := s.account.nextDelete.Add(1) - 1
	if n >= s.cfg.reserve {
		return errNoStock
	}
	w.params.Int64(0, s.cfg.firstReserve()+n)
	s.account.deletes.Set(n, postgres.Unknown, 1)
	rows, err := c.Exec(ctx, s.sql.remove, w.params.First(1))
	if err == nil && rows != 1 {
		// It deleted nothing: the row was gone before.
		s.account.deletes.Set(n, postgres.Refused, 1)
		return errNoRow
	}
	s.account.deletes.Set(n, postgres.OutcomeOf(err), 1)
	return err
}

// insert writes the rows of an arrival in the stage's mode.
func (s *scenario) insert(ctx context.Context, c postgres.Conn, a *work.Arrival, w *worker, st *stage, sent time.Duration) error {
	id := s.cfg.idOf(a.N)
	s.account.inserts.Set(a.N, postgres.Unknown, st.batch)
	var rows int64
	var err error
	if st.mode == modeSingle {
		s.fillRow(w, id, a.K)
		sent = s.clock.Now()
		rows, err = c.Exec(ctx, s.sql.insert, w.params)
	} else {
		rows, sent, err = s.insertMany(ctx, c, st, id, a.K)
	}
	took := s.clock.Now() - sent
	if err == nil && rows != int64(st.batch) {
		return errRowCount
	}
	s.account.inserts.Set(a.N, postgres.OutcomeOf(err), st.batch)
	if err != nil {
		return postgres.Fail(err)
	}
	s.m.modeQuery[st.mode].Record(a.Stage, took)
	s.m.transaction.Record(a.Stage, took)
	s.inserted(a.Stage, st, took)
	return nil
}

// inserted counts the rows of a committed insert.
func (s *scenario) inserted(stage int, st *stage, took time.Duration) {
	s.m.batch[st.mode].Record(stage, took)
	s.m.rows[st.mode].Add(stage, int64(st.batch))
	s.account.modes[st.mode].add(int64(st.batch), took)
}

// insertMany writes many rows, from id on, in one go. It returns when the
// first of them was sent: making rows is the generator's time.
func (s *scenario) insertMany(ctx context.Context, c postgres.Conn, st *stage, id, token int64) (int64, time.Duration, error) {
	b := s.buffers.Get().(*buffer)
	defer s.buffers.Put(b)
	size := s.cfg.payload
	if st.mode == modeCopy {
		b.source.reset(id, int64(st.batch), token)
		sent := s.clock.Now()
		rows, err := c.Pgx().CopyFrom(ctx, s.identifier(), columnNames, b.source)
		return rows, sent, err
	}
	for i := range st.batch {
		payload := b.payloads[i*size : (i+1)*size]
		fillPayload(payload, id+int64(i), token)
		if st.mode == modeMultiRow {
			setRow(b.params, i, id+int64(i), token, payload)
		}
	}
	sent := s.clock.Now()
	if st.mode == modeMultiRow {
		rows, err := c.Exec(ctx, st.multiRow, b.params.First(insertParams*st.batch))
		return rows, sent, err
	}
	rows, err := c.Batch(ctx, s.sql.insert, st.batch, b.params.First(insertParams), func(i int) {
		setRow(b.params, 0, id+int64(i), token, b.payloads[i*size:(i+1)*size])
	})
	return rows, sent, err
}

// insertAndUpdate writes a row and updates another one, in one transaction.
func (s *scenario) insertAndUpdate(ctx context.Context, c postgres.Conn, a *work.Arrival, w *worker, st *stage, began time.Duration) error {
	s.account.inserts.Set(a.N, postgres.Unknown, 1)
	s.fillRow(w, s.cfg.idOf(a.N), a.K)
	tx := c.Begin(ctx)
	insertTook, updateTook, err := s.insertThenUpdate(&tx, a, w, s.keyOf(a, st), began)
	if err == nil {
		err = tx.Commit()
	} else {
		tx.Rollback()
	}
	wrong := err == errNoRow || err == errRowCount //nolint:errorlint // compared with the two values that insertThenUpdate returns itself
	if wrong {
		s.account.inserts.Set(a.N, postgres.Unknown, 1)
		s.account.unknownUpdates.Add(1)
		return err
	}
	s.account.inserts.Set(a.N, postgres.OutcomeOf(err), 1)
	s.account.updated(1, err)
	if err != nil {
		return postgres.Fail(err)
	}
	s.m.query[opInsert].Record(a.Stage, insertTook)
	s.m.query[opUpdate].Record(a.Stage, updateTook)
	s.m.transaction.Record(a.Stage, s.clock.Now()-began)
	s.inserted(a.Stage, st, insertTook)
	return nil
}

func (s *scenario) insertThenUpdate(tx *postgres.Tx, a *work.Arrival, w *worker, key int64, began time.Duration) (insertTook, updateTook time.Duration, err error) {
	rows, err := tx.Exec(s.sql.insert, w.params)
	inserted := s.clock.Now()
	if err != nil || rows != 1 {
		return 0, 0, errors.Join(err, wrongUnless(rows == 1 || err != nil, errRowCount))
	}
	s.fillRow(w, key, a.K)
	rows, err = tx.ExecLast(s.sql.update, w.params)
	if err != nil || rows != 1 {
		return 0, 0, errors.Join(err, wrongUnless(rows == 1 || err != nil, errNoRow))
	}
	return inserted - began, s.clock.Now() - inserted, nil
}

// fillRow sets the worker's parameters to a row.
func (s *scenario) fillRow(w *worker, id, token int64) {
	fillPayload(w.payload, id, token)
	setRow(w.params, 0, id, token, w.payload)
}
