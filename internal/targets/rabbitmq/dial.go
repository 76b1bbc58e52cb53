// Package rabbitmq reaches RabbitMQ: it dials within a bound and explains what
// went wrong, keeps a connection alive over losses, reads a queue's length and
// keeps the record of the queues that perfctl made. What is published and
// consumed lives in the scenarios.
package rabbitmq

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/targets"
)

// Options say how to dial. Zero values mean the defaults.
type Options struct {
	// Name is the connection's name in the broker's listings; by convention
	// "perfctl/" and the run's identity.
	Name string
	// Timeout bounds the whole of connecting: TCP, TLS and AMQP. Default 10 s.
	Timeout time.Duration
	// WriteStall is how long a write may make no headway before the connection
	// counts as dead. The driver itself would wait for ever on a broker that
	// stops reading. Default 5 s.
	WriteStall time.Duration
	// Heartbeat is the interval of AMQP heartbeats. Default 10 s.
	Heartbeat time.Duration
}

// The defaults of Options.
const (
	DefaultTimeout    = 10 * time.Second
	DefaultWriteStall = 5 * time.Second
	DefaultHeartbeat  = 10 * time.Second
)

func (o Options) filled() Options {
	if o.Name == "" {
		o.Name = "perfctl"
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.WriteStall <= 0 {
		o.WriteStall = DefaultWriteStall
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = DefaultHeartbeat
	}
	return o
}

// Conn is a connection whose end is bounded.
type Conn struct {
	*amqp.Connection
	raw net.Conn
}

// End closes the connection, with a farewell to the broker for which it waits
// that long at most. The driver's own deadline does not hold: its heartbeats
// move it on.
func (c *Conn) End(wait time.Duration) {
	cut := time.AfterFunc(wait, func() { _ = c.raw.Close() })
	defer cut.Stop()
	_ = c.CloseDeadline(time.Now().Add(wait))
}

// Dial connects, to the first of several hosts that lets it. Its error is a
// *targets.UnreachableError, or several, that holds no secret. The driver's own
// recovery stays off: it would restart delivery tags and consumers behind the
// measurement; see Link.
func Dial(ctx context.Context, a targets.Address, o Options) (*Conn, error) {
	o = o.filled()
	r, err := a.Rabbit()
	if err != nil {
		return nil, targets.Unreachable(a, "read the address", err, "check RABBITMQ_URL: amqp://user:password@host:port/vhost")
	}
	// Each has a share of the time, so that one that is silent leaves some.
	o.Timeout /= time.Duration(len(r.Hosts))
	var errs []error
	for _, host := range r.Hosts {
		one, u := a, *a.URL
		u.Host = host
		one.URL = &u
		c, err := dialOne(ctx, one, r.TLS, o)
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 1 {
		return nil, errs[0]
	}
	return nil, errors.Join(errs...)
}

// dialOne connects to one host.
func dialOne(ctx context.Context, a targets.Address, files *targets.TLSFiles, o Options) (*Conn, error) {
	deadline := time.Now().Add(o.Timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	var secure *tls.Config
	if files != nil {
		var err error
		if secure, err = files.Config(a.Host()); err != nil {
			return nil, targets.Unreachable(a, "set up TLS", err, filesStep)
		}
	}

	var raw atomic.Pointer[stallConn]
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(o.Name)
	config := amqp.Config{
		Heartbeat:  o.Heartbeat,
		Properties: properties,
		Dial: func(network, addr string) (net.Conn, error) {
			c, err := a.Dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			s := newStallConn(c, o.WriteStall)
			raw.Store(s)
			// The driver clears this deadline once the handshake is over.
			if err := s.SetDeadline(deadline); err != nil {
				_ = s.Close()
				return nil, err
			}
			if secure == nil {
				return s, nil
			}
			t := tls.Client(s, secure)
			if err := t.HandshakeContext(ctx); err != nil {
				_ = s.Close()
				return nil, targets.Handshake(err)
			}
			return &noting{t, s}, nil
		},
	}
	stop := context.AfterFunc(ctx, func() {
		if s := raw.Load(); s != nil {
			_ = s.Close()
		}
	})
	defer stop()
	c, err := amqp.DialConfig(driverURL(a), config)
	if err == nil {
		return &Conn{c, raw.Load()}, nil
	}
	var seen error
	if s := raw.Load(); s != nil {
		// A handshake that failed in the driver may leave its reader waiting.
		seen = s.seen()
		_ = s.Close()
	}
	if ctx.Err() != nil {
		seen = context.Cause(ctx)
	}
	return nil, explainDial(a, err, seen)
}

// driverURL is the address as the driver is to read it: TLS is set up here, and of the
// parameters it gets those that are its own.
func driverURL(a targets.Address) string {
	u := *a.URL
	if u.Scheme == "amqps" {
		u.Host, u.Scheme = a.HostPort(), "amqp"
	}
	q := u.Query()
	for name := range q {
		if name != "auth_mechanism" && name != "heartbeat" {
			q.Del(name)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}
