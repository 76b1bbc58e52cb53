package httpapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"syscall"
	"time"

	"github.com/perfctl/perfctl/internal/targets"
)

// conn is one connection of a direct RoundTripper. One request at a time uses
// it.
type conn struct {
	d    *direct
	host *host
	raw  net.Conn // below TLS
	net  net.Conn
	r    *bufio.Reader
	w    *bufio.Writer

	// proxied says that a proxy is on the other side, to which authorization is said.
	proxied       bool
	authorization string
	// answered counts its answers.
	answered int
	// deadline is what the connection's deadline is set to.
	deadline time.Time
	// done is the context's channel that ends the connection's waits, and
	// unwatch stops watching it.
	done    <-chan struct{}
	unwatch func() bool
	// brief says that the context has a deadline of its own: it ends with its request,
	// and must not end what the connection does next.
	brief bool
}

// errUnread says that the server had closed a connection that was used before, and
// certainly read nothing of the request.
var errUnread = errors.New("the server closed an idle connection")

// unread says whether nothing was read of what was written since the connection had
// written so much. A server that has closed a connection acknowledges nothing that
// comes after (RFC 9293, 3.10.7.1), so it is all still in the queue of what was
// sent; one that reads a request, and ends without an answer, has acknowledged it.
func (c *conn) unread(since int64) bool {
	counted, ok := c.raw.(*countedConn)
	if !ok || c.answered == 0 {
		return false
	}
	handed := counted.written.Load() - since
	if handed == 0 {
		return true
	}
	queued, known := unacknowledged(counted)
	return known && queued >= handed
}

// failed returns the error of a request of which no answer came.
func (c *conn) failed(err error, since int64) error {
	if !isTimeout(err) && c.unread(since) {
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	return err
}

// past ends every wait of a connection at once.
var past = time.Unix(1, 0)

func newConn(d *direct, h *host, raw net.Conn) *conn {
	c := &conn{d: d, host: h, raw: raw}
	c.use(raw)
	return c
}

func (c *conn) use(n net.Conn) {
	c.net = n
	c.r, c.w = bufio.NewReaderSize(n, 4<<10), bufio.NewWriterSize(n, 4<<10)
}

func (c *conn) shakeHands(ctx context.Context, trace *httptrace.ClientTrace) error {
	cfg := c.d.tls.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = c.host.name
	}
	if c.d.show != nil {
		cfg.Certificates = append(c.d.show(c.host.name), cfg.Certificates...)
	}
	if trace != nil && trace.TLSHandshakeStart != nil {
		trace.TLSHandshakeStart()
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	t := tls.Client(c.raw, cfg)
	err := t.HandshakeContext(ctx)
	if trace != nil && trace.TLSHandshakeDone != nil {
		trace.TLSHandshakeDone(t.ConnectionState(), err)
	}
	if err != nil {
		return targets.Handshake(err)
	}
	c.use(t)
	return nil
}

// quiet says whether an idle connection is open with nothing to read: one that
// the server has closed must not be taken for one that fails, and what it says
// unasked, such as a 408, belongs to no request.
func (c *conn) quiet() bool {
	sys, ok := c.raw.(syscall.Conn)
	if !ok {
		return true
	}
	rc, err := sys.SyscallConn()
	if err != nil {
		return false
	}
	open := false
	err = rc.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, e := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		// A fresh TLS connection may have session tickets to read.
		open = errors.Is(e, syscall.EAGAIN) || c.host.scheme == "https" && c.answered == 0 && e == nil
		return true
	})
	return err == nil && open
}

// spoilt says that the context of the connection's last request has ended since, and
// with it every wait of the connection.
func (c *conn) spoilt() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// exchange sends the request and reads the answer's head.
func (c *conn) exchange(req *http.Request, trace *httptrace.ClientTrace, deadline time.Time) (*http.Response, error) {
	if err := c.bound(req.Context(), deadline); err != nil {
		return nil, err
	}
	since := int64(0)
	if counted, ok := c.raw.(*countedConn); ok {
		since = counted.written.Load()
	}
	werr := c.write(req)
	if werr == nil {
		werr = c.w.Flush()
	}
	if trace != nil && trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{Err: werr})
	}
	// A server may answer before it has read a request, and then close: the
	// answer tells more than the write that failed.
	if _, err := c.r.Peek(1); err != nil {
		if werr != nil {
			err = werr
		}
		return nil, c.failed(err, since)
	}
	if trace != nil && trace.GotFirstResponseByte != nil {
		trace.GotFirstResponseByte()
	}
	resp, err := c.head(req)
	if err != nil {
		return nil, err
	}
	c.answered++
	resp.Body = &body{ReadCloser: resp.Body, c: c, reuse: werr == nil && !resp.Close && !req.Close && !c.d.fresh}
	return resp, nil
}

// write writes a request, to a proxy with its whole address.
func (c *conn) write(req *http.Request) error {
	if !c.proxied {
		return req.Write(c.w)
	}
	if c.authorization != "" {
		h := req.Header.Clone()
		if h == nil {
			h = http.Header{}
		}
		h.Set("Proxy-Authorization", c.authorization)
		req = req.WithContext(req.Context()) // a copy
		req.Header = h
	}
	return req.WriteProxy(c.w)
}

// head reads the answer's head and skips those that only inform.
func (c *conn) head(req *http.Request) (*http.Response, error) {
	for range 8 {
		resp, err := http.ReadResponse(c.r, req)
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) || isTimeout(err) {
				return nil, err
			}
			return nil, fmt.Errorf("read the answer's head: %w", err)
		}
		if resp.StatusCode == http.StatusSwitchingProtocols || resp.StatusCode >= 200 {
			return resp, nil
		}
	}
	return nil, errors.New("the server sent only informational answers")
}

// bound gives the request its deadline and lets the context's end end it.
// Setting a deadline touches the runtime's timers, so it is set a thirty-second
// late and then left alone for as long as it is late enough.
func (c *conn) bound(ctx context.Context, deadline time.Time) error {
	if own, ok := ctx.Deadline(); ok && own.Before(deadline) {
		c.deadline, c.brief = own, true
		if err := c.net.SetDeadline(own); err != nil {
			return err
		}
	} else if slack := c.d.timeout / 32; c.deadline.Before(deadline) || c.deadline.After(deadline.Add(slack)) {
		c.deadline = deadline.Add(slack)
		if err := c.net.SetDeadline(c.deadline); err != nil {
			return err
		}
	}
	if done := ctx.Done(); c.done != done {
		if c.unwatch != nil {
			ended := !c.unwatch()
			if c.unwatch = nil; ended {
				return fmt.Errorf("%w: its last request's context ended", errUnread)
			}
		}
		c.done = done
		if done != nil {
			c.unwatch = context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(past) })
		}
	}
	return nil
}

func (c *conn) close() {
	if c.unwatch != nil {
		c.unwatch()
	}
	_ = c.net.Close()
}

// forget stops watching a context; false where that has ended the connection's waits
// already.
func (c *conn) forget() bool {
	alive := c.unwatch == nil || c.unwatch()
	c.done, c.unwatch, c.deadline, c.brief = nil, nil, time.Time{}, false
	return alive
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
