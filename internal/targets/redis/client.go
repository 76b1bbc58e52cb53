// Package redis reaches a Redis or Valkey server, a cluster of them or the
// primary that Sentinels name, with a driver that does not falsify a measurement;
// it explains why one cannot be reached, and reads what the servers count. It
// holds no scenario.
package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/targets"
)

// Options are what a client needs besides the address.
type Options struct {
	// Connections is how many connections there are, to each primary of a
	// cluster; all of them are open from the start.
	Connections int
	// Timeout bounds one command, waiting for a connection included apart.
	Timeout time.Duration
	// Name is what the server lists the connections as.
	Name string
}

// Client is a pool of connections of fixed size, to one server or to each primary
// of a cluster.
type Client struct {
	driver.UniversalClient
	addr      targets.Address
	to        targets.RedisAddress
	secure    *tls.Config // nil for none
	sentinels *sentinels  // nil for none
	cluster   *driver.ClusterClient
	dials     atomic.Int64
	want      int64
	redirects atomic.Int64
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
	c := &Client{addr: addr}
	var err error
	if c.to, err = addr.Redis(); err != nil {
		return nil, targets.Unreachable(addr, "read the address", err, "check REDIS_URL: redis://user:password@host:port/db")
	}
	if c.to.TLS != nil {
		if c.secure, err = c.to.TLS.Config(""); err != nil {
			return nil, targets.Unreachable(addr, "set up TLS", err, "check REDIS_TLS_CA, REDIS_TLS_CERT and REDIS_TLS_KEY (or the query of REDIS_URL)")
		}
	}
	if c.to.Master != "" {
		c.sentinels = newSentinels(c)
	}
	if c.to.Cluster {
		err = c.openCluster(ctx, o)
	} else {
		err = c.openServer(ctx, o)
	}
	if err != nil {
		if c.UniversalClient != nil {
			_ = c.Close() // the error that matters is the one above
		}
		return nil, Explain(addr, "connect", err)
	}
	c.want = c.dials.Load()
	return c, nil
}

// openServer opens the connections to one server; where that is a node of a
// cluster, to the cluster.
func (c *Client) openServer(ctx context.Context, o Options) error {
	opts := c.options(o)
	one := driver.NewClient(opts)
	c.UniversalClient = one
	conns := make([]*driver.Conn, 0, o.Connections)
	// Holding every connection at once is what opens each.
	release := func() {
		for _, x := range conns {
			_ = x.Close() // gives it back to the pool
		}
		conns = nil
	}
	defer release()
	for i := range o.Connections {
		x := one.Conn()
		conns = append(conns, x)
		if err := x.Ping(ctx).Err(); err != nil {
			return c.sentinels.why(ctx, err)
		}
		if i > 0 {
			continue
		}
		switch modeOf(ctx, x) {
		case "sentinel":
			return errIsSentinel
		case "cluster":
			release()
			_ = one.Close() // nothing was sent on it but questions
			c.dials.Store(0)
			return c.openCluster(ctx, o)
		}
	}
	return nil
}

// errIsSentinel is what answers where a server was expected.
var errIsSentinel = errors.New("what answers is a Sentinel, which holds no data")

// modeOf returns what a server says that it is: standalone, cluster or sentinel;
// empty where the user may not ask.
func modeOf(ctx context.Context, x *driver.Conn) string {
	text, err := x.Info(ctx, "server").Result()
	if err != nil {
		return ""
	}
	return modeIn(text)
}

// modeIn reads the mode in INFO, which Valkey calls otherwise since version 8.
func modeIn(info string) string {
	return cmp.Or(infoField(info, "redis_mode"), infoField(info, "server_mode"))
}

// dial opens a connection and counts it.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.sentinels != nil {
		var err error
		if address, err = c.sentinels.primary(ctx); err != nil {
			return nil, err
		}
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil && network != "unix" {
		return nil, err
	}
	if c.cluster != nil || c.sentinels != nil {
		// The address is one that a server named.
		if err := c.addr.Permit(ctx, host); err != nil {
			return nil, err
		}
	}
	x, err := c.connect(ctx, network, address, host)
	if err == nil {
		c.dials.Add(1)
	}
	return x, err
}

// connect opens a connection, with TLS where that is asked for.
func (c *Client) connect(ctx context.Context, network, address, host string) (net.Conn, error) {
	x, err := c.addr.Dial(ctx, network, address)
	if err != nil || c.secure == nil {
		return x, err
	}
	secure := c.secure
	if secure.ServerName == "" {
		secure = secure.Clone()
		secure.ServerName = host
	}
	t := tls.Client(x, secure)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = x.Close() // the handshake's error is the one that matters
		return nil, targets.Handshake(err)
	}
	return t, nil
}

// Reconnects returns how many connections were opened beyond the first ones.
func (c *Client) Reconnects() int64 { return c.dials.Load() - c.want }

// Redirects returns how many commands another node of the cluster had to be asked
// for (MOVED, ASK).
func (c *Client) Redirects() int64 { return c.redirects.Load() }

// IsCluster says whether the keys are spread over the nodes of a cluster.
func (c *Client) IsCluster() bool { return c.cluster != nil }

// EachPrimary calls f with a client of every server that holds keys, of several
// at once.
func (c *Client) EachPrimary(ctx context.Context, f func(context.Context, *driver.Client) error) error {
	if c.cluster == nil {
		return f(ctx, c.UniversalClient.(*driver.Client))
	}
	return c.eachMaster(ctx, f)
}
