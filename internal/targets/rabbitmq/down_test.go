package rabbitmq

import (
	"errors"
	"testing"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

// A failure for want of a connection says what keeps it from coming back, as a password
// that was changed, and what to do is left to who says it.
func TestAnOutageSaysWhyItLasts(t *testing.T) {
	o := &outage{}
	err := o.failure()
	if work.KindOf(err) != work.KindClosed || !errors.Is(err, ErrNoConnection) || o.Why() != "" {
		t.Errorf("%v is of kind %s, because of %q", err, work.KindOf(err), o.Why())
	}
	a := address(t, "amqp://u:hunter2@localhost")
	o.note(targets.Unreachable(a, "connect", errors.New(`Exception (403) Reason: "username or password not allowed"`), "check the password"))
	var later interface{ Why() string }
	if !errors.As(err, &later) || later.Why() != `Exception (403) Reason: "username or password not allowed"` {
		t.Errorf("the failure is because of %q", o.Why())
	}
}
