package work

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// Kind names why an arrival failed. Kinds are few and fixed, so that failures
// can be counted by kind without building strings.
type Kind string

// The kinds that every scenario shares. A scenario may add kinds of its own.
const (
	// KindTimeout: no answer within the time allowed.
	KindTimeout Kind = "timeout"
	// KindRefused: the target refused the connection.
	KindRefused Kind = "refused"
	// KindClosed: the connection was lost or is closed.
	KindClosed Kind = "connection"
	// KindRejected: the target answered that it will not do it.
	KindRejected Kind = "rejected"
	// KindWrong: the target answered, and the answer is not what it must be.
	KindWrong Kind = "wrong_answer"
	// KindExhausted: the generator ran out of ports, files or connections.
	KindExhausted Kind = "exhausted"
	// KindOther: anything else.
	KindOther Kind = "error"
)

// Failure is an error of a known kind.
type Failure struct {
	// Kind is why.
	Kind Kind
	// Err is the cause; its text must hold no secret.
	Err error
}

// Error returns the cause's text.
func (f *Failure) Error() string { return string(f.Kind) + ": " + f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Fail returns err as a failure of the given kind, nil for a nil error.
func Fail(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Failure{Kind: kind, Err: err}
}

// KindOf returns the kind of an error: its own where it is a Failure, else
// what can be told from the standard library's errors.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Kind
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return KindTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return KindRefused
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EADDRNOTAVAIL):
		return KindExhausted
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return KindClosed
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		return KindTimeout
	}
	return KindOther
}
