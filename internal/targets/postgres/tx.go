package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// Tx is a transaction with as few round trips as its statements allow: BEGIN
// travels with the first statement and COMMIT with the last, and yet each
// result is read, and can be timed, as soon as the server has it.
//
//	tx := conn.Begin(ctx)
//	rows, err := tx.Exec(first, p)     // BEGIN and first, one round trip
//	rows, err = tx.ExecLast(second, q) // second and COMMIT are sent, second's result is read
//	err = tx.End(err)                  // COMMIT's result is read, or all is taken back
type Tx struct {
	ctx  context.Context
	conn Conn
	pipe *pgconn.Pipeline
	// begun says that BEGIN's result was read, committing that COMMIT was sent.
	begun, committing bool
}

// errRolledBack is a COMMIT that the server answered with ROLLBACK.
var errRolledBack = errors.New("the server rolled the transaction back at its commit")

// Begin starts a transaction. Nothing is sent yet.
func (c Conn) Begin(ctx context.Context) Tx {
	t := Tx{ctx: ctx, conn: c, pipe: c.pg.StartPipeline(ctx)}
	send(t.pipe, c.pool.begin.sd.Load(), nil, nil, nil)
	if limits := c.pool.limits; limits != nil {
		send(t.pipe, limits.sd.Load(), nil, nil, nil)
	}
	return t
}

// Exec executes a statement within the transaction and returns the number of
// rows that it touched.
func (t *Tx) Exec(s *Statement, p *Params) (int64, error) {
	t.conn.send(t.pipe, s.sd.Load(), p.values, binaryFormat, binaryFormat)
	t.pipe.SendFlushRequest()
	if err := t.pipe.Flush(); err != nil {
		return 0, err
	}
	return t.read()
}

// ExecLast is Exec with the COMMIT sent behind the statement, so that no lock
// that the statement takes is held for a round trip.
func (t *Tx) ExecLast(s *Statement, p *Params) (int64, error) {
	t.conn.send(t.pipe, s.sd.Load(), p.values, binaryFormat, binaryFormat)
	t.pipe.SendFlushRequest()
	if err := t.sendCommit(); err != nil {
		return 0, err
	}
	return t.read()
}

// ExecLastValue is ExecLast of a statement that returns a number with each row that it
// touched; value is that of the last one.
func (t *Tx) ExecLastValue(s *Statement, p *Params) (rows, value int64, err error) {
	t.conn.send(t.pipe, s.sd.Load(), p.values, binaryFormat, binaryFormat)
	t.pipe.SendFlushRequest()
	if err := t.sendCommit(); err != nil {
		return 0, 0, err
	}
	if err := t.readBegin(); err != nil {
		return 0, 0, err
	}
	return valueOf(t.pipe)
}

func (t *Tx) sendCommit() error {
	send(t.pipe, t.conn.pool.commit.sd.Load(), nil, nil, nil)
	t.committing = true
	return t.pipe.Sync()
}

func (t *Tx) read() (int64, error) {
	if err := t.readBegin(); err != nil {
		return 0, err
	}
	return result(t.pipe)
}

// readBegin reads what the statements before the first one came to, once.
func (t *Tx) readBegin() error {
	if t.begun {
		return nil
	}
	if _, err := result(t.pipe); err != nil {
		return err
	}
	if t.conn.pool.limits != nil {
		if _, err := result(t.pipe); err != nil {
			return err
		}
	}
	t.begun = true
	return nil
}

// End ends the transaction: where err is nil it commits and returns what the
// commit ended with, else it rolls back and returns err.
func (t *Tx) End(err error) error {
	if err == nil {
		return t.Commit()
	}
	t.Rollback()
	return err
}

// Outcome returns what became of the transaction, which ended with err. One
// whose COMMIT was never sent has no effect, whatever else happened.
func (t *Tx) Outcome(err error) Outcome {
	if !t.committing {
		return Refused
	}
	return OutcomeOf(err)
}

// Commit waits until the transaction is committed, and asks for it first where
// ExecLast did not.
func (t *Tx) Commit() error {
	if !t.committing {
		if err := t.sendCommit(); err != nil {
			return errors.Join(err, t.pipe.Close())
		}
	}
	r, err := t.pipe.GetResults()
	if reader, ok := r.(*pgconn.ResultReader); ok {
		var tag pgconn.CommandTag
		if tag, err = reader.Close(); err == nil && tag.String() == "ROLLBACK" {
			err = errRolledBack
		}
	}
	if closed := t.pipe.Close(); err == nil {
		err = closed
	}
	return err
}

// Rollback ends the transaction without its effects, and keeps the connection
// where the server still answers. Where it cannot, the server rolls back by
// itself when it sees the connection go.
func (t *Tx) Rollback() {
	if !t.committing {
		_ = t.pipe.Sync()
	}
	_ = t.pipe.Close()
	if !t.conn.pg.IsClosed() && t.conn.pg.TxStatus() != 'I' {
		_, _ = t.conn.execute(t.ctx, t.conn.pool.rollback.sd.Load(), nil, nil, nil).Close()
	}
}
