package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// The kinds of failure that a database adds to those of package work.
const (
	// KindSerialization: the server gave up a transaction because of another
	// one (a conflict or a deadlock), and asks for it to be tried again.
	KindSerialization work.Kind = "serialization"
	// KindConstraint: the data broke a constraint.
	KindConstraint work.Kind = "constraint"
)

// Fail returns err as a failure of its kind: nil for nil, and what is a
// *work.Failure already as it is.
func Fail(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*work.Failure](err); ok {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Detail != "" {
		err = &detailed{err, e.Detail}
	}
	return work.Fail(KindOf(err), err)
}

// detailed is an error with the detail that the server gave, which the driver leaves
// out of its text.
type detailed struct {
	err    error
	detail string
}

// maxDetail bounds how much of a detail is told, in characters.
const maxDetail = 200

func (e *detailed) Error() string {
	detail := []rune(e.detail)
	if len(detail) > maxDetail {
		detail = append(detail[:maxDetail-1], '…')
	}
	return e.err.Error() + ": " + string(detail)
}

func (e *detailed) Unwrap() error { return e.err }

// KindOf returns why a statement failed, by the class of its SQLSTATE where
// the server said one.
func KindOf(err error) work.Kind {
	if f, ok := errors.AsType[*work.Failure](err); ok {
		return f.Kind
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return kindOfState(e.Code)
	}
	switch {
	case errors.Is(err, context.Canceled), pgconn.Timeout(err):
		return work.KindTimeout
	case errors.Is(err, errReconnecting), errors.Is(err, pgconn.ErrConnClosed):
		return work.KindClosed
	case errors.Is(err, errRolledBack):
		return work.KindRejected
	}
	return work.KindOf(err)
}

// StateOf returns the SQLSTATE that the server gave, empty where it gave none.
func StateOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

func kindOfState(code string) work.Kind {
	switch code {
	case "57014", "55P03": // query_canceled by a timeout, lock_not_available
		return work.KindTimeout
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return KindSerialization
	}
	if len(code) < 3 {
		return work.KindRejected
	}
	switch code[:2] {
	case "08": // connection_exception
		return work.KindClosed
	case "23": // integrity_constraint_violation
		return KindConstraint
	}
	if code[:3] == "57P" { // shutting down, starting up
		return work.KindClosed
	}
	return work.KindRejected
}

// Definite says of a write that failed whether it certainly has no effect: the
// server said so, or nothing was sent. Everything else is of unknown outcome
// until somebody looks.
func Definite(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.SeverityUnlocalized == "ERROR"
	}
	return errors.Is(err, errRolledBack) || errors.Is(err, errReconnecting) || pgconn.SafeToRetry(err)
}
