package rabbitmq

import (
	"errors"
	"sync/atomic"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

// outage is the failure of what was to be sent while there is no connection. It is made
// once; what keeps the connection from coming back is added as it is found out.
type outage struct{ cause atomic.Pointer[string] }

func (o *outage) Error() string { return ErrNoConnection.Error() }

func (o *outage) Unwrap() error { return ErrNoConnection }

// Why says what kept the last attempt to connect from succeeding; "" before there was
// one.
func (o *outage) Why() string {
	if text := o.cause.Load(); text != nil {
		return *text
	}
	return ""
}

// failure returns the outage as an arrival's failure.
func (o *outage) failure() error { return work.Fail(work.KindClosed, o) }

// note keeps why an attempt failed.
func (o *outage) note(err error) {
	if u, ok := errors.AsType[*targets.UnreachableError](err); ok {
		err = u.Cause // what to do about it is said elsewhere
	}
	text := err.Error()
	o.cause.Store(&text)
}
