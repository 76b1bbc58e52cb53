package postgres

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/perfctl/perfctl/internal/targets"
)

type cancelHandler = ctxwatch.Handler

// boundedConn ends a read or a write that takes longer than limit. The server
// keeps the statement timeout, but a server that is gone without a word keeps
// nothing, and an arrival without an end would hold its worker for ever.
type boundedConn struct {
	net.Conn
	dialled time.Time
	limit   time.Duration
	// mu belongs to this connection alone: the driver's watcher of contexts
	// sets deadlines from a goroutine of its own.
	mu    sync.Mutex
	outer time.Time
}

func dialer(a targets.Address, limit time.Duration) pgconn.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		start := time.Now()
		c, err := a.Dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &boundedConn{Conn: c, dialled: start, limit: limit}, nil
	}
}

// until returns the deadline for what begins now; mu is held.
func (c *boundedConn) until() time.Time {
	own := time.Now().Add(c.limit)
	if !c.outer.IsZero() && c.outer.Before(own) {
		return c.outer
	}
	return own
}

func (c *boundedConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	err := c.SetReadDeadline(c.until())
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c *boundedConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	err := c.SetWriteDeadline(c.until())
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// SetDeadline sets the deadline that the driver asks for.
func (c *boundedConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outer = t
	return c.Conn.SetDeadline(t)
}

// sinceDial returns how long ago a connection was dialled.
func sinceDial(c net.Conn) time.Duration {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if b, ok := c.(*boundedConn); ok {
		return time.Since(b.dialled)
	}
	return 0
}
