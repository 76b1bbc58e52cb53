package rabbitmq

import (
	"context"
	"testing"
)

// What the broker refused or never got it does not have; what became of the rest is
// unknown.
func TestWhatTheBrokerMayHave(t *testing.T) {
	for err, want := range map[error]bool{
		ErrNoConnection: false, errUnsent: false, errNacked: false, ErrReturned: false,
		errStalled: true, errHeld: true, errBlocked: true, errCut: true, errLost: true, errLate: true, context.Canceled: true,
	} {
		if MayHave(err) != want {
			t.Errorf("%v: %t", err, !want)
		}
	}
}
