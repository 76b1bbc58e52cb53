package redis

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection that is dialled by its first use. To the driver's pool
// opening one never fails: after as many failures as it has connections the
// pool would answer with the last of them, by itself, and look only once a
// second whether the server is back. Up to a second of failures would be blamed
// on a server that is up again.
//
// It also hides the socket's descriptor from the driver, which would peek at it
// before each command: one system call more than the command itself needs.
type conn struct {
	dial   func(context.Context) (net.Conn, error)
	remote net.Addr
	// open is what was dialled, nil before. It is read without the lock.
	open atomic.Pointer[net.Conn]

	mu          sync.Mutex // of what follows
	tried       bool
	failed      error
	closed      bool
	cancel      context.CancelFunc // of the dialling that goes on
	read, write time.Time          // deadlines that were set before it was open
}

// use returns the open connection and dials it before its first use. A
// connection dials once: the driver throws it away after an error.
func (c *conn) use() (net.Conn, error) {
	if x := c.open.Load(); x != nil {
		return *x, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	c.mu.Lock()
	switch {
	case c.closed:
		c.mu.Unlock()
		return nil, net.ErrClosed
	case c.tried:
		defer c.mu.Unlock()
		if x := c.open.Load(); x != nil {
			return *x, nil
		}
		return nil, c.failed
	}
	// Until the dialling is over, a second user would be a fault of the driver.
	c.tried, c.failed, c.cancel = true, net.ErrClosed, cancel
	c.mu.Unlock()

	start := time.Now()
	x, err := c.dial(ctx)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel = nil
	if err == nil && c.closed {
		_ = x.Close() // nobody waits for it any more
		err = net.ErrClosed
	}
	if err != nil {
		c.failed = err
		return nil, err
	}
	// The time allowed for a command does not pass while a connection opens.
	took := time.Since(start)
	if err := setDeadlines(x, later(c.read, took), later(c.write, took)); err != nil {
		_ = x.Close() // the error that matters is the one above
		c.failed = err
		return nil, err
	}
	c.open.Store(&x)
	return x, nil
}

func setDeadlines(x net.Conn, read, write time.Time) error {
	if err := x.SetReadDeadline(read); err != nil {
		return err
	}
	return x.SetWriteDeadline(write)
}

func later(t time.Time, d time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(d)
}

// Read reads from the connection.
func (c *conn) Read(b []byte) (int, error) {
	x, err := c.use()
	if err != nil {
		return 0, err
	}
	return x.Read(b)
}

// Write writes to the connection.
func (c *conn) Write(b []byte) (int, error) {
	x, err := c.use()
	if err != nil {
		return 0, err
	}
	return x.Write(b)
}

// Close closes the connection, or ends its dialling.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.cancel != nil {
		c.cancel()
	}
	if x := c.open.Load(); x != nil {
		return (*x).Close()
	}
	return nil
}

// LocalAddr returns the own address, nil before the first use.
func (c *conn) LocalAddr() net.Addr {
	if x := c.open.Load(); x != nil {
		return (*x).LocalAddr()
	}
	return nil
}

// RemoteAddr returns the server's address.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline bounds reads.
func (c *conn) SetReadDeadline(t time.Time) error {
	if x := c.open.Load(); x != nil {
		return (*x).SetReadDeadline(t)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = t
	return nil
}

// SetWriteDeadline bounds writes.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if x := c.open.Load(); x != nil {
		return (*x).SetWriteDeadline(t)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write = t
	return nil
}

// hostPort is an address as it was given.
type hostPort string

// Network returns "tcp".
func (hostPort) Network() string { return "tcp" }

// String returns the address.
func (h hostPort) String() string { return string(h) }
