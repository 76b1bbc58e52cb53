package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

type scenario struct {
	env     scenarios.Env
	client  *httpapi.Client
	stages  []stage
	workers []worker
	// current is the stage of the latest arrival, for bytes, which no arrival
	// owns.
	current atomic.Int64

	reqs, sent, received, retried                                        *metrics.Counter
	duration, blocked, connecting, handshaking, sending, waiting, receiv *metrics.Trend
	connections                                                          *metrics.Gauge
}

// stage is the request of one stage.
type stage struct {
	request *http.Request
	body    string
	expect  statusRange
}

// worker traces one request at a time.
type worker struct {
	clock work.Clock      // never changes: a dial that nobody waits for reads it late
	ctx   context.Context // of the run, with the trace
	of    context.Context // the one that ctx was made from
	buf   []byte

	// The instants are set by the transport's own goroutines, and a connection
	// that was dialled for a request and given to another one sets some late.
	getConn, gotConn, wrote, firstByte                instant
	connectStart, connected, handshakeStart, shookOff instant
	got                                               atomic.Int64
	reused                                            atomic.Bool
}

// instant is a reading of the run's clock; 0 for none.
type instant struct{ ns atomic.Int64 }

func (i *instant) set(c work.Clock)   { i.ns.Store(int64(c.Now())) }
func (i *instant) get() time.Duration { return time.Duration(i.ns.Load()) }

func newScenario(e scenarios.Env) *scenario {
	m, tags := e.Metrics, e.Tags("")
	s := &scenario{
		env: e, workers: make([]worker, e.Plan.Workers),
		reqs: m.Counter(reqs, tags), sent: m.Counter(dataSent, tags), received: m.Counter(dataReceived, tags), retried: m.Counter(retries, tags),
		duration: m.Trend(duration, tags), blocked: m.Trend(blocked, tags), connecting: m.Trend(connecting, tags),
		handshaking: m.Trend(handshaking, tags), sending: m.Trend(sending, tags), waiting: m.Trend(waiting, tags),
		receiv: m.Trend(receiving, tags), connections: m.Gauge(connections, tags),
	}
	for i := range s.workers {
		s.workers[i].clock = e.Clock
	}
	s.client = httpapi.New(httpapi.Options{
		Connections: e.Plan.Workers, Timeout: e.Values.Duration(0, "timeout"),
		HTTP2: e.Values.Text(0, "http_version") == "2", Fresh: !e.Values.Bool(0, "reuse"),
	})
	return s
}

// Setup reaches the API and makes the stages' requests.
func (s *scenario) Setup(ctx context.Context) error {
	addr := s.env.Targets.API
	headers, err := parseHeaders(s.env.Values.Text(0, "headers"))
	if err != nil {
		return err
	}
	for i := range s.env.Plan.Stages {
		base := strings.TrimSuffix(addr.URL.String(), "/")
		req, err := http.NewRequestWithContext(ctx, s.env.Values.Text(i, "method"), base+s.env.Values.Text(i, "path"), nil)
		if err != nil {
			return fmt.Errorf("make the request: %w", err)
		}
		req.Header = headers
		if host := headers.Get("Host"); host != "" {
			req.Host = host
		}
		expect, err := parseStatus(s.env.Values.Text(i, "expect_status"))
		if err != nil {
			return err
		}
		s.stages = append(s.stages, stage{req, s.env.Values.Text(i, "body"), expect})
	}
	if err := s.client.Reach(ctx, addr); err != nil {
		return err
	}
	s.client.Bytes() // what came before the first arrival is not the run's
	return nil
}

// Do sends the stage's request and reads the answer to its end.
func (s *scenario) Do(ctx context.Context, a *work.Arrival) error {
	if s.current.Load() != int64(a.Stage) {
		s.current.Store(int64(a.Stage))
	}
	st, w := &s.stages[a.Stage], &s.workers[a.Worker]
	w.begin(ctx)
	req := st.request.WithContext(w.ctx)
	if st.body != "" {
		req.Body = io.NopCloser(strings.NewReader(st.body))
		req.ContentLength = int64(len(st.body))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return httpapi.Classify(err)
	}
	err = w.drain(resp.Body)
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return httpapi.Classify(err)
	}
	end := s.env.Clock.Now()
	s.count(a.Stage, w)
	if !st.expect.holds(resp.StatusCode) {
		return work.Fail(statusKind(resp.StatusCode), errStatus(resp.StatusCode))
	}
	s.record(a.Stage, w, end)
	return nil
}

// drain reads a body to its end, without which the connection is not reused.
func (w *worker) drain(body io.Reader) error {
	if w.buf == nil {
		w.buf = make([]byte, 16<<10)
	}
	for {
		_, err := body.Read(w.buf)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// errStatus is an answer with a status that is not expected.
type errStatus int

func (e errStatus) Error() string {
	return fmt.Sprintf("status %d %s", int(e), http.StatusText(int(e)))
}

func statusKind(code int) work.Kind {
	switch code / 100 {
	case 4:
		return "status_4xx"
	case 5:
		return "status_5xx"
	}
	return "status"
}

// begin readies the worker for a request. The trace is attached to the run's
// context once, not for each request.
func (w *worker) begin(ctx context.Context) {
	for _, i := range [...]*instant{&w.getConn, &w.gotConn, &w.wrote, &w.firstByte, &w.connectStart, &w.connected, &w.handshakeStart, &w.shookOff} {
		i.ns.Store(0)
	}
	w.got.Store(0)
	w.reused.Store(false)
	if w.of == ctx {
		return
	}
	w.of = ctx
	w.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.getConn.set(w.clock) },
		GotConn: func(i httptrace.GotConnInfo) {
			w.gotConn.set(w.clock)
			w.reused.Store(i.Reused)
			w.got.Add(1)
		},
		ConnectStart:         func(string, string) { w.connectStart.set(w.clock) },
		ConnectDone:          func(string, string, error) { w.connected.set(w.clock) },
		TLSHandshakeStart:    func() { w.handshakeStart.set(w.clock) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { w.shookOff.set(w.clock) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { w.wrote.set(w.clock) },
		GotFirstResponseByte: func() { w.firstByte.set(w.clock) },
	})
}

// count counts an answered request, whatever its status.
func (s *scenario) count(i int, w *worker) {
	s.reqs.Add(i, 1)
	if n := w.got.Load(); n > 1 {
		s.retried.Add(i, n-1)
	}
}

// record records the phases of a request that succeeded: a server that fails
// fast must not look fast. A connection that was
// dialled for this request and then taken by another one leaves phases that
// are not this request's, and they count as 0.
func (s *scenario) record(i int, w *worker, end time.Duration) {
	var connect, shake time.Duration
	if !w.reused.Load() {
		connect, shake = max(w.connected.get()-w.connectStart.get(), 0), max(w.shookOff.get()-w.handshakeStart.get(), 0)
	}
	got, first := w.gotConn.get(), w.firstByte.get()
	// The answer may begin before the request is fully written.
	wrote := min(max(w.wrote.get(), got), first)
	s.connecting.Record(i, connect)
	s.handshaking.Record(i, shake)
	s.blocked.Record(i, got-w.getConn.get()-connect-shake)
	s.sending.Record(i, wrote-got)
	s.waiting.Record(i, first-wrote)
	s.receiv.Record(i, end-first)
	s.duration.Record(i, end-got)
}

// Sample counts bytes and connections.
func (s *scenario) Sample(context.Context) {
	sent, received := s.client.Bytes()
	s.sent.Add(int(s.current.Load()), sent)
	s.received.Add(int(s.current.Load()), received)
	s.connections.Set(float64(s.client.Dials()))
}

// Drain counts the last bytes.
func (s *scenario) Drain(ctx context.Context) error {
	s.Sample(ctx)
	return nil
}

// Close closes the connections.
func (s *scenario) Close(context.Context) error {
	s.client.CloseIdleConnections()
	return nil
}
