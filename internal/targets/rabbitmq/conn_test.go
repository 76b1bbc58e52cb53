package rabbitmq

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// deadlines notes what write deadlines a connection is given.
type deadlines struct {
	net.Conn
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

func (d *deadlines) Write(b []byte) (int, error) { return len(b), nil }

// A machine's clock may be set while a run goes on: a deadline by its time would end a
// connection that is well.
func TestNoDeadlineIsByAClockThatMayBeSet(t *testing.T) {
	d := &deadlines{}
	c := newStallConn(d, 10*time.Second)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if len(d.set) != 1 || !strings.Contains(d.set[0].String(), " m=") {
		t.Errorf("the deadlines are %v: none of them, or one without a reading of the monotonic clock", d.set)
	}
}

func TestADeadlineIsMovedWhenAQuarterOfItHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deadlines{}
		c := newStallConn(d, 10*time.Second)
		began := time.Now()
		for range 6 { // at 0, 1, … 5 s
			if _, err := c.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		var at []time.Duration
		for _, x := range d.set {
			at = append(at, x.Sub(began))
		}
		if len(at) != 2 || at[0] != 10*time.Second || at[1] != 13*time.Second {
			t.Errorf("deadlines at %v", at)
		}
		if err := c.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if last := time.Until(d.set[len(d.set)-1]); last != time.Second {
			t.Errorf("the driver's own deadline is moved to %v", last)
		}
	})
}
