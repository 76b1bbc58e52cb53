package targets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/perfctl/perfctl/internal/secrets"
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

// Redact hides the address's secrets in a text: where they stand as such, and
// anywhere where they are long enough to be told from words.
func Redact(text string, a Address) string {
	var r secrets.Redactor
	r.Add(a.Secrets()...)
	return r.Text(text)
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

// CommonSteps returns what is known of the errors that every kind of target may
// show.
func CommonSteps() []Step {
	return []Step{
		{Sign: "connection refused", Cause: "nothing listens on that host and port", Next: "start the server, set its HOST and PORT settings (or its URL), or use --lab to start throwaway servers"},
		{Sign: "no such host", Cause: "the host's name is unknown", Next: "correct the HOST setting (or the URL)"},
		{Sign: "no answer in time", Cause: "something listens and does not answer", Next: "check that the server is healthy, and that the port is its own"},
		{Sign: "is not a URL of the form", Cause: "signs of the password part the URL", Next: percent},
		{Sign: "is a host with a port in it", Cause: "HOST:PORT stands in a HOST setting", Next: "put the host into the HOST setting and the port into the PORT setting, or use the URL setting"},
		{Sign: "unknown parameter", Cause: "nobody reads a parameter behind ? of the URL", Next: "remove it, or correct its name as the message proposes"},
		{Sign: "HOST is not this machine", Cause: "the host was not allowed to be loaded", Next: "if it is yours to load, say so with --allow-target HOST"},
	}
}
