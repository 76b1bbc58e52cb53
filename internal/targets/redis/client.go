// Package redis reaches a Redis or Valkey server with a driver that does not
// falsify a measurement, explains why one cannot be reached, and reads what the
// server counts. It holds no scenario.
package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	driver "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/perfctl/perfctl/internal/targets"
)

// Options are what a client needs besides the address.
type Options struct {
	// Connections is how many connections there are, all of them open from the
	// start.
	Connections int
	// Timeout bounds one command, waiting for a connection included apart.
	Timeout time.Duration
	// Name is what the server lists the connections as.
	Name string
}

// Client is a pool of connections of fixed size.
type Client struct {
	*driver.Client
	addr  targets.Address
	dials atomic.Int64
	want  int
}

// dialTimeout bounds opening one connection.
const dialTimeout = 5 * time.Second

func init() { driver.SetLogger(silence{}) }

// silence keeps the driver's own log off the terminal: errors are returned,
// counted and shown once.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// Open opens every connection and returns when each has answered. The error is
// a *targets.UnreachableError.
func Open(ctx context.Context, addr targets.Address, o Options) (*Client, error) {
	opts, err := options(addr, o)
	if err != nil {
		return nil, targets.Unreachable(addr, "read the address", err, "check REDIS_URL: redis://:password@host:port/db")
	}
	c := &Client{addr: addr, want: o.Connections}
	opts.Dialer = func(_ context.Context, network, address string) (net.Conn, error) {
		return &conn{remote: hostPort(address), dial: func(ctx context.Context) (net.Conn, error) {
			return c.dial(ctx, network, address, opts.TLSConfig)
		}}, nil
	}
	c.Client = driver.NewClient(opts)
	if err := c.warmUp(ctx); err != nil {
		_ = c.Close() // the error that matters is the one above
		return nil, Explain(addr, "connect", err)
	}
	c.dials.Store(int64(o.Connections))
	return c, nil
}

// dial opens a connection and counts it.
func (c *Client) dial(ctx context.Context, network, address string, secure *tls.Config) (net.Conn, error) {
	var dialer net.Dialer
	x, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if secure != nil {
		t := tls.Client(x, secure)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = x.Close() // the handshake's error is the one that matters
			return nil, err
		}
		x = t
	}
	c.dials.Add(1)
	return x, nil
}

// options turns off what the driver does on its own: retries, which hide
// failures and repeat writes; lazy dialling, identification and maintenance
// notices, which put other commands into the measurement; a second pool for
// pipelines.
func options(addr targets.Address, o Options) (*driver.Options, error) {
	u := addr.URL
	opts := &driver.Options{
		Addr: addr.HostPort(), Password: addr.Password(), Username: u.User.Username(), ClientName: o.Name,
		MaxRetries: -1, DialerRetries: 1, DialTimeout: dialTimeout, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout,
		PoolSize: o.Connections, MinIdleConns: o.Connections, PoolTimeout: o.Timeout, ConnMaxIdleTime: -1,
		Protocol: 2, DisableIdentity: true, PipelinePoolSize: -1, ContextTimeoutEnabled: false,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		n, err := strconv.Atoi(db)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is not the number of a database", db)
		}
		opts.DB = n
	}
	if u.Scheme == "rediss" {
		opts.TLSConfig = &tls.Config{ServerName: addr.Host(), MinVersion: tls.VersionTLS12}
	}
	return opts, nil
}

// warmUp holds every connection at once, so that each is opened.
func (c *Client) warmUp(ctx context.Context) error {
	conns := make([]*driver.Conn, 0, c.want)
	defer func() {
		for _, x := range conns {
			_ = x.Close() // gives it back to the pool
		}
	}()
	for range c.want {
		x := c.Conn()
		conns = append(conns, x)
		if err := x.Ping(ctx).Err(); err != nil {
			return err
		}
	}
	return nil
}

// Reconnects returns how many connections were opened beyond the first ones.
func (c *Client) Reconnects() int64 { return c.dials.Load() - int64(c.want) }
