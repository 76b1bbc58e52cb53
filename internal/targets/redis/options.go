package redis

import (
	"context"
	"net"

	driver "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// options turns off what the driver does on its own: retries, which hide
// failures and repeat writes; lazy dialling, identification and maintenance
// notices, which put other commands into the measurement; a second pool for
// pipelines.
func (c *Client) options(o Options) *driver.Options {
	opts := &driver.Options{
		Network: "tcp", Password: c.to.Password, Username: c.to.User, DB: c.to.DB,
		MaxRetries: -1, DialerRetries: 1, DialTimeout: dialTimeout, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout,
		PoolSize: o.Connections, MinIdleConns: o.Connections, PoolTimeout: o.Timeout, ConnMaxIdleTime: -1,
		Protocol: 2, DisableIdentity: true, PipelinePoolSize: -1, ContextTimeoutEnabled: false,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		Dialer:                   c.lazily,
		OnConnect: func(ctx context.Context, x *driver.Conn) error {
			_ = x.ClientSetName(ctx, o.Name).Err() // a user who may not do it works all the same
			if c.sentinels != nil {
				return onlyPrimary(ctx, x)
			}
			return nil
		},
	}
	switch {
	case c.to.Socket != "":
		opts.Network, opts.Addr = "unix", c.to.Socket
	case c.sentinels != nil:
		// Which server that is, the Sentinels say whenever one is dialled.
		opts.Addr = c.to.Hosts[0]
	default:
		opts.Addr = c.to.Hosts[0]
	}
	return opts
}

// lazily returns a connection that is dialled by its first use.
func (c *Client) lazily(_ context.Context, network, address string) (net.Conn, error) {
	return &conn{remote: hostPort(address), dial: func(ctx context.Context) (net.Conn, error) {
		return c.dial(ctx, network, address)
	}}, nil
}
