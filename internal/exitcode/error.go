package exitcode

import (
	"errors"
	"fmt"
)

// Error is an error that decides the exit code of the command that returns it.
type Error struct {
	Code int
	Err  error
}

// Error returns the text of the error that it holds.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the error that it holds.
func (e *Error) Unwrap() error { return e.Err }

// With gives an error an exit code, unless it has one already. It returns nil for
// nil.
func With(code int, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &Error{code, err}
}

// UsageError is an error about the command line: an unknown flag or a value that
// it cannot have.
func UsageError(format string, args ...any) error {
	return &Error{Usage, fmt.Errorf(format, args...)}
}

// ConfigError gives an error about a file or a setting its exit code.
func ConfigError(err error) error { return With(InvalidConfig, err) }

// Of returns the exit code of an error: its own, Pass for nil, else Unexpected.
func Of(err error) int {
	if err == nil {
		return Pass
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Unexpected
}
