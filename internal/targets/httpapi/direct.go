package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// direct is an http.RoundTripper for HTTP/1.1 that writes the request and reads
// the answer in the goroutine that asks. net/http's own Transport hands both
// over to two goroutines for each connection, which costs two wake-ups a request
// and adds them to what is measured. Parsing is net/http's all the same.
type direct struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	tls  *tls.Config
	show func(host string) []tls.Certificate
	// timeout bounds a request from its start to its body's end.
	timeout time.Duration
	// fresh opens a connection for each request.
	fresh bool
	// proxy returns the proxy for a URL; nil for none at all.
	proxy func(*url.URL) (*url.URL, error)
	// keep bounds the idle connections of a host.
	keep int

	last  atomic.Pointer[host] // nearly always there is only one
	mu    sync.Mutex
	hosts map[string]*host
}

// host holds the idle connections to one scheme and address. The one used last
// is taken first, so that those that are not needed grow old and are noticed.
type host struct {
	scheme, addr, name string
	mu                 sync.Mutex
	idle               []*conn
}

// host returns the host of a request.
func (d *direct) host(req *http.Request) *host {
	u := req.URL
	if h := d.last.Load(); h != nil && h.scheme == u.Scheme && h.addr == u.Host {
		return h
	}
	key := u.Scheme + "://" + u.Host
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hosts[key]
	if h == nil {
		h = &host{scheme: u.Scheme, addr: u.Host, name: u.Hostname()}
		if d.hosts == nil {
			d.hosts = map[string]*host{}
		}
		d.hosts[key] = h
	}
	d.last.Store(h)
	return h
}

// dialAddr returns the address with its port.
func (h *host) dialAddr() string {
	if _, _, err := net.SplitHostPort(h.addr); err == nil {
		return h.addr
	}
	if h.scheme == "https" {
		return net.JoinHostPort(h.name, "443")
	}
	return net.JoinHostPort(h.name, "80")
}

// take returns an idle connection, or nil.
func (h *host) take() *conn {
	for {
		h.mu.Lock()
		n := len(h.idle)
		if n == 0 {
			h.mu.Unlock()
			return nil
		}
		c := h.idle[n-1]
		h.idle[n-1], h.idle = nil, h.idle[:n-1]
		h.mu.Unlock()
		if !c.spoilt() && c.quiet() {
			return c
		}
		c.close() // the server has closed it, or says what nobody asked for
	}
}

// give keeps a connection for the next request.
func (d *direct) give(c *conn) {
	h := c.host
	h.mu.Lock()
	if len(h.idle) < d.keep {
		h.idle = append(h.idle, c)
		c = nil
	}
	h.mu.Unlock()
	if c != nil {
		c.close()
	}
}

// RoundTrip sends a request and returns the answer with its body still to be
// read. A request that met a connection which the server had closed meanwhile is
// sent again over a new one, whatever its method, since the server certainly has
// not read it (RFC 9110, 9.2.2). One that the server may have read is not: a server
// that loses requests must not look like one that answers them late.
func (d *direct) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := check(req); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	trace := httptrace.ContextClientTrace(req.Context())
	h := d.host(req)
	deadline := time.Now().Add(d.timeout)
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(h.addr)
	}
	for {
		c, err := d.connection(req.Context(), h, trace, deadline)
		if err != nil {
			if req.Body != nil {
				_ = req.Body.Close()
			}
			return nil, err
		}
		resp, err := c.exchange(req, trace, deadline)
		if err == nil {
			return resp, nil
		}
		c.close()
		if ctxErr := context.Cause(req.Context()); ctxErr != nil {
			return nil, ctxErr
		}
		if again := errors.Is(err, errUnread) && replayable(req); !again {
			return nil, err
		}
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// check refuses what this RoundTripper cannot do.
func check(req *http.Request) error {
	switch {
	case req.URL == nil || req.URL.Host == "":
		return errors.New("the request's URL has no host")
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return errors.New("the request's URL is neither http nor https")
	}
	return nil
}

// replayable says whether a request's body is there a second time.
func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// connection returns a connection for a request: an idle one, or a new one.
func (d *direct) connection(ctx context.Context, h *host, trace *httptrace.ClientTrace, deadline time.Time) (*conn, error) {
	if !d.fresh {
		if c := h.take(); c != nil {
			if trace != nil && trace.GotConn != nil {
				trace.GotConn(httptrace.GotConnInfo{Conn: c.net, Reused: true, WasIdle: true})
			}
			return c, nil
		}
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	addr, proxy, err := d.through(h)
	if err != nil {
		return nil, err
	}
	raw, err := d.dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := newConn(d, h, raw)
	if proxy != nil && h.scheme == "http" {
		c.proxied, c.authorization = true, authorization(proxy)
	}
	if h.scheme == "https" {
		if proxy != nil {
			if err := tunnel(ctx, raw, h, proxy); err != nil {
				_ = raw.Close()
				return nil, err
			}
		}
		if err := c.shakeHands(ctx, trace); err != nil {
			_ = raw.Close()
			return nil, err
		}
	}
	if trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: c.net})
	}
	return c, nil
}

// CloseIdleConnections closes the connections that no request is using.
func (d *direct) CloseIdleConnections() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range d.hosts {
		h.mu.Lock()
		for _, c := range h.idle {
			c.close()
		}
		h.idle = nil
		h.mu.Unlock()
	}
}
