// Package httpapi reaches an HTTP API with a client that does not falsify a
// measurement, and explains why one cannot be reached. It holds no scenario.
package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

// Options are what a client needs besides the address.
type Options struct {
	// Connections bounds the idle connections that are kept: one for each
	// worker, so that none is closed because another one is idle too.
	Connections int
	// Timeout bounds one request, from its start to its body's end.
	Timeout time.Duration
	// HTTP2 asks for HTTP/2, over TLS by negotiation and else by prior
	// knowledge.
	HTTP2 bool
	// Fresh opens a connection for each request.
	Fresh bool
	// TLS is how servers are trusted; nil for the system's way.
	TLS *tls.Config
	// Show, where it is not nil, returns the certificates that are shown to a host that
	// asks for one, besides those of TLS. HTTP/2 does not ask it.
	Show func(host string) []tls.Certificate
	// Address, where it is not nil, says what address to dial in place of another.
	Address func(addr string) string
	// Guard, where it is not nil, is asked before a connection is opened: the host
	// as it was asked for, and the address that it leads to.
	Guard func(host string, ip netip.Addr) error
	// Socket is a Unix socket that every connection goes to, whatever the address;
	// empty for none.
	Socket string
	// Route is by which way connections are opened.
	Route targets.Route
	// Proxy returns the proxy for a URL, a nil URL for none. It may be nil.
	Proxy func(*url.URL) (*url.URL, error)
}

// Client is an HTTP client that counts bytes and connections.
type Client struct {
	http.Client
	sent, received, dials atomic.Int64
}

// dialTimeout bounds opening one connection.
const dialTimeout = 5 * time.Second

// New returns a client. What net/http does on its own is off: compression,
// proxies of the environment, redirects, and the limit of two idle connections.
func New(o Options) *Client {
	c := &Client{}
	dialer := newDialer(o.Socket)
	dialer.guard, dialer.route = o.Guard, o.Route
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dialer.open(ctx, network, addr, o.Address)
		if err != nil {
			return nil, err
		}
		c.dials.Add(1)
		return &countedConn{Conn: conn, c: c}, nil
	}
	security := o.TLS
	if security == nil {
		security = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if !o.HTTP2 {
		c.Transport = &direct{dial: dial, tls: security, show: o.Show, timeout: o.Timeout, fresh: o.Fresh, keep: o.Connections, proxy: o.Proxy}
		return c
	}
	t := &http.Transport{
		DialContext: dial, DisableCompression: true, DisableKeepAlives: o.Fresh,
		MaxIdleConns: o.Connections, MaxIdleConnsPerHost: o.Connections, IdleConnTimeout: 0,
		TLSHandshakeTimeout: dialTimeout, TLSClientConfig: security, Protocols: new(http.Protocols),
	}
	if o.Proxy != nil {
		t.Proxy = func(r *http.Request) (*url.URL, error) { return o.Proxy(r.URL) }
	}
	t.Protocols.SetHTTP2(true)
	t.Protocols.SetUnencryptedHTTP2(true)
	c.Transport, c.Timeout = t, o.Timeout
	return c
}

// Bytes returns how much went over the connections since the last call.
func (c *Client) Bytes() (sent, received int64) { return c.sent.Swap(0), c.received.Swap(0) }

// Dials returns how many connections were opened.
func (c *Client) Dials() int64 { return c.dials.Load() }

// countedConn counts the bytes of a connection.
type countedConn struct {
	net.Conn
	c *Client
	// written is how many bytes the kernel took.
	written atomic.Int64
}

// SyscallConn returns the socket, so that an idle one can be looked at.
func (x *countedConn) SyscallConn() (syscall.RawConn, error) {
	sys, ok := x.Conn.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return sys.SyscallConn()
}

func (x *countedConn) Read(b []byte) (int, error) {
	n, err := x.Conn.Read(b)
	x.c.received.Add(int64(n))
	return n, err
}

func (x *countedConn) Write(b []byte) (int, error) {
	n, err := x.Conn.Write(b)
	x.c.sent.Add(int64(n))
	x.written.Add(int64(n))
	return n, err
}

// KindMalformed is the failure of an answer that is not HTTP, or not the HTTP that
// was asked for.
const KindMalformed work.Kind = "malformed"

// Classify gives the error of a request its kind.
func Classify(err error) error {
	err = unwrapURL(err)
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		return work.Fail(work.KindTimeout, err)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return work.Fail("dns", err)
	}
	var record tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	if errors.As(err, &record) || errors.As(err, &cert) {
		return work.Fail("tls", err)
	}
	return work.Fail(work.KindOf(err), err)
}

// unwrapURL drops the address from an error: it may hold a secret, and the
// report names the target already.
func unwrapURL(err error) error {
	u, ok := errors.AsType[*url.Error](err)
	switch {
	case !ok:
		return err
	case u.Timeout():
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, u.Err)
	}
	return u.Err
}
