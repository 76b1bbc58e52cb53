package crud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
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
	op := st.mix.pick(a.Uniform(streamOp))
	note := a.Begin(string(targets.Postgres), opNames[op], a.Started)
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		note.Ended(s.clock.Now(), err)
		return postgres.Fail(err)
	}
	defer c.Release()
	ready := s.clock.Now()
	s.m.wait.Record(a.Stage, ready-a.Started)
	c.Note(note, ready, s.text(op, st))
	err = s.once(ctx, c, a, w, st, op)
	s.ended(a.Stage, err)
	for try := 0; err != nil && try < s.cfg.retries && s.m.retries.Again(a.Stage, err); try++ {
		note.Tried()
		err = s.once(ctx, c, a, w, st, op)
		s.ended(a.Stage, err)
	}
	a.End(s.clock, err)
	if err != nil {
		return s.asked(op, st, err)
	}
	if op == opInsert && s.kept != nil {
		return s.trim(ctx, c, a, w)
	}
	return nil
}

// text returns the statement of an operation, empty where it is none.
func (s *scenario) text(op int, st *stage) string {
	switch op {
	case opSelect:
		return s.sql.read.SQL
	case opUpdate:
		return s.sql.update.SQL
	case opInsert:
		if st.mode == modeSingle {
			return s.sql.insert.SQL
		}
		return modeNames[st.mode]
	}
	return s.sql.remove.SQL
}

// asked is an error with the statement that it came of.
func (s *scenario) asked(op int, st *stage, err error) error {
	return work.Asked(opNames[op]+" ("+work.Statement(s.text(op, st))+")", err)
}

// once tries the operation.
func (s *scenario) once(ctx context.Context, c postgres.Conn, a *work.Arrival, w *worker, st *stage, op int) (err error) {
	now := s.clock.Now()
	switch op {
	case opInsert:
		if st.transaction && st.mode == modeSingle {
			return s.insertAndUpdate(ctx, c, a, w, st)
		}
		return s.insert(ctx, c, a, w, st)
	case opSelect:
		err = s.read(ctx, c, w, s.keyOf(a, st))
	case opUpdate:
		err = s.update(ctx, c, w, s.keyOf(a, st), a.K)
	default:
		err = s.remove(ctx, c, w)
	}
	return s.done(a, op, now, err)
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
	return 1 + s.keys.Pick(st.distribution, a.Uniform(streamKey), a.Uniform(streamKey2))
}

// read selects a row and compares it with what must have been written.
func (s *scenario) read(ctx context.Context, c postgres.Conn, w *worker, id int64) error {
	w.params.Int64(0, id)
	r := c.Query(ctx, s.sql.read, w.params.First(1))
	bad := errNoRow
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
	s.account.updated(rows, postgres.OutcomeOf(err))
	if err == nil && rows != 1 {
		return errNoRow
	}
	return err
}

// Spent says that the rows that were written to be deleted are, but for those that
// other arrivals may be about to delete.
func (s *scenario) Spent(*work.Arrival) string {
	if !s.openEnded || s.cfg.reserve == 0 || s.account.nextDelete.Load() < int64(s.plan.Portion(int(s.cfg.reserve)))-int64(len(s.workers)) {
		return ""
	}
	return fmt.Sprintf("the %d rows that were prepared to be deleted are deleted; a stage with iterations prepares as many as it needs", s.cfg.reserve)
}

// ownsReserve says whether a row that was written to be deleted is this shard's to
// delete, by its place among them.
func (s *scenario) ownsReserve(place int64) bool {
	return s.plan.Shards <= 1 || place%int64(s.plan.Shards) == int64(s.plan.Shard)
}

// remove deletes the next row of those that were written for it.
func (s *scenario) remove(ctx context.Context, c postgres.Conn, w *worker) error {
	n := (s.account.nextDelete.Add(1)-1)*int64(max(s.plan.Shards, 1)) + int64(s.plan.Shard)
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
func (s *scenario) insert(ctx context.Context, c postgres.Conn, a *work.Arrival, w *worker, st *stage) error {
	id := s.cfg.idOf(a.N)
	s.account.inserts.Set(a.N, postgres.Unknown, st.batch)
	var (
		rows int64
		sent time.Duration
		err  error
	)
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
	s.account.modes[st.mode].add(rows, took)
	s.m.modeQuery[st.mode].Record(a.Stage, took)
	s.m.transaction.Record(a.Stage, took)
	s.m.batch[st.mode].Record(a.Stage, took)
	s.m.rows[st.mode].Add(a.Stage, rows)
	return nil
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
func (s *scenario) insertAndUpdate(ctx context.Context, c postgres.Conn, a *work.Arrival, w *worker, st *stage) error {
	s.account.inserts.Set(a.N, postgres.Unknown, 1)
	s.fillRow(w, s.cfg.idOf(a.N), a.K)
	began := s.clock.Now()
	tx := c.Begin(ctx)
	inserted, err := tx.Exec(s.sql.insert, w.params)
	between := s.clock.Now()
	a.Last().Ended(between, err)
	var updated int64
	at := opInsert
	if err == nil {
		at = opUpdate
		c.Note(a.Begin(string(targets.Postgres), opNames[opUpdate], between), between, s.sql.update.SQL)
		s.fillRow(w, s.keyOf(a, st), a.K)
		updated, err = tx.ExecLast(s.sql.update, w.params)
	}
	answered, written := s.clock.Now(), err == nil
	err = tx.End(err)
	outcome := tx.Outcome(err)
	s.account.inserts.Set(a.N, outcome, 1)
	s.account.updated(updated, outcome)
	if err == nil {
		s.account.modes[st.mode].add(inserted, between-began)
	}
	switch {
	case err != nil && written:
		return work.Asked("COMMIT", postgres.Fail(err))
	case err != nil:
		return s.asked(at, st, postgres.Fail(err))
	case inserted != 1:
		return errRowCount
	case updated != 1:
		return s.asked(opUpdate, st, errNoRow)
	}
	s.m.query[opInsert].Record(a.Stage, between-began)
	s.m.query[opUpdate].Record(a.Stage, answered-between)
	s.m.transaction.Record(a.Stage, s.clock.Now()-began)
	s.m.batch[st.mode].Record(a.Stage, between-began)
	s.m.rows[st.mode].Add(a.Stage, 1)
	return nil
}

// fillRow sets the worker's parameters to a row.
func (s *scenario) fillRow(w *worker, id, token int64) {
	fillPayload(w.payload, id, token)
	setRow(w.params, 0, id, token, w.payload)
}
