package targets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// UnreachableError says why a target cannot be used: it names the target
// without secrets, what was tried, the cause and the next step.
type UnreachableError struct {
	Kind Kind
	// Target is the redacted address.
	Target string
	// Tried is what was being done, as in "connect".
	Tried string
	// Cause is the error; its text holds no secret.
	Cause error
	// Next is what the user can do about it.
	Next string
}

// Error returns all of it, the next step on a line of its own.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s at %s: cannot %s: %v\n  next: %s", e.Kind.Title(), e.Target, e.Tried, e.Cause, e.Next)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Cause }

// Unreachable wraps what went wrong with a target. next is the step that fits
// the cause; where it is empty, it is found from the cause alone.
func Unreachable(a Address, tried string, cause error, next string) error {
	if cause == nil {
		return nil
	}
	if _, ok := errors.AsType[*UnreachableError](cause); ok {
		return cause
	}
	if next == "" {
		next = nextStep(a, cause)
	}
	return &UnreachableError{a.Kind, a.String(), tried, redacted{cause, Redact(cause.Error(), a)}, next}
}

// redacted keeps an error's identity and replaces its text.
type redacted struct {
	err  error
	text string
}

func (r redacted) Error() string { return r.text }
func (r redacted) Unwrap() error { return r.err }

// Redact removes the address's password from a text, as it is and as it would
// stand in a URL.
func Redact(text string, a Address) string {
	if a.URL == nil || a.URL.User == nil {
		return text
	}
	p := a.Password()
	if p == "" || p == a.URL.User.Username() {
		// A password equal to the user's name cannot be told from it.
		return strings.ReplaceAll(text, a.URL.User.String()+"@", a.URL.User.Username()+"@")
	}
	text = strings.ReplaceAll(text, a.URL.User.String(), a.URL.User.Username()+":xxx")
	return strings.ReplaceAll(text, p, "xxx")
}

func nextStep(a Address, cause error) string {
	name := map[Kind]string{
		RabbitMQ: "RABBITMQ_HOST and RABBITMQ_PORT (or RABBITMQ_URL)",
		Postgres: "DB_HOST and DB_PORT (or DATABASE_URL)",
		Redis:    "REDIS_HOST and REDIS_PORT (or REDIS_URL)",
		API:      "API_BASE_URL",
	}[a.Kind]
	lab := ", or use --lab to start throwaway servers"
	if a.Kind == API {
		lab = ""
	}
	var dns *net.DNSError
	switch {
	case errors.Is(cause, syscall.ECONNREFUSED):
		return fmt.Sprintf("nothing listens there: start %s or set %s%s", a.Kind.Title(), name, lab)
	case errors.As(cause, &dns):
		return fmt.Sprintf("the host name is unknown: set %s%s", name, lab)
	case errors.Is(cause, context.DeadlineExceeded), errors.Is(cause, os.ErrDeadlineExceeded):
		return fmt.Sprintf("no answer in time: check that %s is healthy and that %s is right%s", a.Kind.Title(), name, lab)
	}
	return fmt.Sprintf("check %s%s", name, lab)
}
