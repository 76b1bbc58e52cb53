package rabbitmq

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// stallConn gives every write a deadline and remembers the first error of the
// transport, which the driver's handshake replaces by a guess.
type stallConn struct {
	net.Conn
	stall time.Duration
	// born is when the connection was made: deadlines count from it, by a clock that
	// nobody sets.
	born time.Time
	// armed is the write deadline now set, fixed the one that the driver asked
	// for; nanoseconds since born, 0 for none.
	armed, fixed atomic.Int64
	first        atomic.Pointer[error]
}

func newStallConn(c net.Conn, stall time.Duration) *stallConn {
	return &stallConn{Conn: c, stall: stall, born: time.Now()}
}

// Write writes with a deadline. The deadline is moved only when a good part of
// it has passed, which spares the runtime's timers at thousands of writes a
// second; a stalled write fails after three quarters of the bound at least.
func (c *stallConn) Write(b []byte) (int, error) {
	now := time.Since(c.born)
	if left := c.armed.Load() - int64(now); left < int64(c.stall)*3/4 {
		until := int64(now + c.stall)
		if fixed := c.fixed.Load(); fixed != 0 && fixed < until {
			until = fixed
		}
		if err := c.Conn.SetWriteDeadline(c.born.Add(time.Duration(until))); err != nil {
			return 0, c.note(err)
		}
		c.armed.Store(until)
	}
	n, err := c.Conn.Write(b)
	if err != nil && timedOut(err) && closedWindow(c.Conn) {
		err = errFlow
	}
	return n, c.note(err)
}

// errFlow is a write that made no headway because the broker reads nothing, though it
// acknowledges what it is sent: its own flow control, and not the network.
var errFlow = errors.New("the broker reads nothing (flow control)")

// Read reads and remembers an error.
func (c *stallConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.note(err)
}

// SetDeadline sets both deadlines; later writes keep to it.
func (c *stallConn) SetDeadline(t time.Time) error {
	c.fix(t)
	return c.Conn.SetDeadline(t)
}

// SetWriteDeadline sets the write deadline; later writes keep to it.
func (c *stallConn) SetWriteDeadline(t time.Time) error {
	c.fix(t)
	return c.Conn.SetWriteDeadline(t)
}

func (c *stallConn) fix(t time.Time) {
	c.armed.Store(0)
	if t.IsZero() {
		c.fixed.Store(0)
		return
	}
	c.fixed.Store(int64(t.Sub(c.born)))
}

func (c *stallConn) note(err error) error {
	if err != nil && !errors.Is(err, net.ErrClosed) {
		c.first.CompareAndSwap(nil, &err)
	}
	return err
}

// noting is TLS over a stallConn, which it tells what it meets: an alert is an error of
// TLS, and none of the transport below.
type noting struct {
	net.Conn
	below *stallConn
}

// Read reads and remembers an error.
func (c *noting) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.below.note(err)
}

// seen returns the first error of the transport.
func (c *stallConn) seen() error {
	if p := c.first.Load(); p != nil {
		return *p
	}
	return nil
}
