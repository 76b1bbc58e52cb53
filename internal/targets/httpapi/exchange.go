package httpapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// Exchange sends requests, one at a time, and notes the instants of each.
type Exchange struct {
	client *Client
	clock  work.Clock      // never changes: a dial that nobody waits for reads it late
	ctx    context.Context // of the run, with the trace
	of     context.Context // the one that ctx was made from
	buf    []byte
	body   bytes.Reader
	sent   []byte // what body reads
	again  func() (io.ReadCloser, error)
	end    time.Duration
	head   []byte // the beginning of the body, of the last answer
	size   int64

	// The instants are set by the transport's own goroutines, and a connection
	// that was dialled for a request and given to another one sets some late.
	getConn, gotConn, wrote, firstByte                instant
	connectStart, connected, handshakeStart, shookOff instant
	lookupStart, lookedUp                             instant
	got                                               atomic.Int64
	reused                                            atomic.Bool
	port                                              atomic.Uint32 // the own one
}

// instant is a reading of the run's clock; 0 for none.
type instant struct{ ns atomic.Int64 }

func (i *instant) set(c work.Clock)   { i.ns.Store(int64(c.Now())) }
func (i *instant) get() time.Duration { return time.Duration(i.ns.Load()) }

// NewExchange returns an exchange over the client's connections.
func NewExchange(c *Client, clock work.Clock) *Exchange {
	x := &Exchange{client: c, clock: clock}
	// A reader of its own: the first one may still be in use.
	x.again = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(x.sent)), nil }
	return x
}

// MaxBody bounds a body that is kept, in bytes; what is beyond is read and left
// out.
const MaxBody = 16 << 20

// Send sends the request with the body, empty for none, and reads the answer to
// its end, without which the connection is not reused. It returns the answer, and
// where keep is set its body, which is good until the next call. The error has its
// kind.
func (x *Exchange) Send(ctx context.Context, req *http.Request, body []byte, keep bool) (*http.Response, []byte, error) {
	x.begin(ctx)
	resp, err := x.client.Do(x.prepare(req, body))
	if err != nil {
		return nil, nil, x.classify(err)
	}
	kept, err := x.drain(resp.Body, keep)
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, nil, x.classify(err)
	}
	x.end = x.clock.Now()
	return resp, kept, nil
}

// prepare returns the request with its body and the trace.
func (x *Exchange) prepare(req *http.Request, body []byte) *http.Request {
	req = req.WithContext(x.ctx)
	if len(body) > 0 {
		x.sent = body
		x.body.Reset(body)
		req.Body, req.GetBody = io.NopCloser(&x.body), x.again
		req.ContentLength = int64(len(body))
	}
	return req
}

// classify gives the error of a request its kind. What is wrong once the request was
// written, and is no matter of the connection, is the answer.
func (x *Exchange) classify(err error) error {
	err = Classify(err)
	if work.KindOf(err) != work.KindOther {
		return err
	}
	if f, ok := errors.AsType[*work.Failure](err); ok {
		err = f.Err
	}
	// HTTP/2 has no types for them outside of its package.
	switch text := err.Error(); {
	case strings.HasPrefix(text, "http2: ") && (strings.Contains(text, "frame") || strings.Contains(text, "could not be established")):
		return work.Fail(KindMalformed, err)
	case strings.HasPrefix(text, "stream error:"), strings.HasPrefix(text, "http2: "):
		return work.Fail(work.KindClosed, err)
	case x.wrote.get() == 0:
		return work.Fail(work.KindOther, err)
	}
	return work.Fail(KindMalformed, err)
}

// drain reads a body to its end.
func (x *Exchange) drain(body io.Reader, keep bool) ([]byte, error) {
	if x.buf == nil {
		x.buf = make([]byte, 16<<10)
	}
	kept, first := 0, true
	x.head, x.size = nil, 0
	for {
		if kept == len(x.buf) && kept < MaxBody {
			x.buf = append(x.buf, make([]byte, kept)...)
		}
		into := x.buf[kept:]
		if !keep && !first {
			into = x.buf[headBytes:] // what is noted of the answer stays
		}
		if len(into) == 0 {
			into = make([]byte, 16<<10) // beyond MaxBody
		}
		n, err := body.Read(into)
		if x.size += int64(n); first {
			x.head, first = into[:min(n, headBytes)], n == 0
		}
		if keep && kept < len(x.buf) {
			kept += n
		}
		if errors.Is(err, io.EOF) {
			return x.buf[:kept], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// begin readies the exchange for a request. The trace is attached to the run's
// context once, not for each request.
func (x *Exchange) begin(ctx context.Context) {
	for _, i := range [...]*instant{&x.getConn, &x.gotConn, &x.wrote, &x.firstByte, &x.connectStart, &x.connected, &x.handshakeStart, &x.shookOff, &x.lookupStart, &x.lookedUp} {
		i.ns.Store(0)
	}
	x.got.Store(0)
	x.reused.Store(false)
	if x.of == ctx {
		return
	}
	x.of = ctx
	x.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { x.getConn.set(x.clock) },
		GotConn: func(i httptrace.GotConnInfo) {
			x.gotConn.set(x.clock)
			x.reused.Store(i.Reused)
			if own, ok := i.Conn.LocalAddr().(*net.TCPAddr); ok {
				x.port.Store(uint32(own.Port))
			}
			x.got.Add(1)
		},
		DNSStart:             func(httptrace.DNSStartInfo) { x.lookupStart.set(x.clock) },
		DNSDone:              func(httptrace.DNSDoneInfo) { x.lookedUp.set(x.clock) },
		ConnectStart:         func(string, string) { x.connectStart.set(x.clock) },
		ConnectDone:          func(string, string, error) { x.connected.set(x.clock) },
		TLSHandshakeStart:    func() { x.handshakeStart.set(x.clock) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { x.shookOff.set(x.clock) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { x.wrote.set(x.clock) },
		GotFirstResponseByte: func() { x.firstByte.set(x.clock) },
	})
}
