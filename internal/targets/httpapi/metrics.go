package httpapi

import (
	"github.com/perfctl/perfctl/internal/metrics"
)

// The metrics that every scenario with requests emits.
var (
	Reqs     = metrics.Desc{Name: "http_reqs", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleRequests, Help: "requests that were answered, whatever the status; of a script those without an answer, too, as in k6"}
	Duration = metrics.Desc{Name: "http_req_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleLatency,
		Help: "sending + waiting + receiving: from a connection in hand until the body ended; of requests with an expected status only, and so are the phases"}
	Blocked = metrics.Desc{Name: "http_req_blocked", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from asking for a connection until it was in hand, opening it and its TLS handshake apart"}
	Connecting = metrics.Desc{Name: "http_req_connecting", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "opening the TCP connection; 0 where one was reused"}
	Handshaking = metrics.Desc{Name: "http_req_tls_handshaking", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "the TLS handshake; 0 where there was none"}
	Sending = metrics.Desc{Name: "http_req_sending", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from a connection in hand until the request was written"}
	Waiting = metrics.Desc{Name: "http_req_waiting", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Part: "the HTTP API",
		Help: "from the request written until the first byte of the answer"}
	Receiving = metrics.Desc{Name: "http_req_receiving", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from the first byte of the answer until its body ended"}
	DataSent     = metrics.Desc{Name: "data_sent", Kind: metrics.KindCounter, Unit: metrics.UnitBytes, Help: "bytes written to connections, TLS included"}
	DataReceived = metrics.Desc{Name: "data_received", Kind: metrics.KindCounter, Unit: metrics.UnitBytes, Help: "bytes read from connections, TLS included"}
	Connections  = metrics.Desc{Name: "http_connections", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Role: metrics.RoleConnectionsOpened, Help: "connections opened since the start"}
	Redirects    = metrics.Desc{Name: "http_redirects", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "redirects that were followed, each of which is a request of http_reqs as well"}
	// What is measured of streams of events.
	FirstEvent = metrics.Desc{Name: "http_first_event", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from a connection in hand until the first server-sent event was read to its end"}
	EventGap = metrics.Desc{Name: "http_event_gap", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from one server-sent event to the next of its answer"}
	Events = metrics.Desc{Name: "http_events", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "server-sent events that were read"}
	Retries = metrics.Desc{Name: "http_retries", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleRetries,
		Help: "requests that were sent again on another connection because the server certainly had not read them: it had closed the kept one before, or said so (HTTP/2: GOAWAY, REFUSED_STREAM)"}
)

// Metrics lists the descriptions above.
func Metrics() []metrics.Desc {
	return []metrics.Desc{Reqs, Duration, Blocked, Connecting, Handshaking, Sending, Waiting, Receiving, DataSent, DataReceived, Connections, Retries, Redirects}
}

// Phases are the metrics of the requests of one operation.
type Phases struct {
	reqs, retries, redirects                                              *metrics.Counter
	duration, blocked, connecting, handshaking, sending, waiting, receive *metrics.Trend
}

// NewPhases declares them under the tags.
func NewPhases(m *metrics.Registry, t metrics.Tags) *Phases {
	return &Phases{
		reqs: m.Counter(Reqs, t), retries: m.Counter(Retries, t), redirects: m.Counter(Redirects, t),
		duration: m.Trend(Duration, t), blocked: m.Trend(Blocked, t), connecting: m.Trend(Connecting, t),
		handshaking: m.Trend(Handshaking, t), sending: m.Trend(Sending, t), waiting: m.Trend(Waiting, t), receive: m.Trend(Receiving, t),
	}
}

// Count counts an answered request, whatever its status.
func (p *Phases) Count(stage int, x *Exchange) {
	p.reqs.Add(stage, 1)
	p.Resent(stage, x)
}

// Redirected counts and records a request whose answer is a redirect that is
// followed.
func (p *Phases) Redirected(stage int, x *Exchange) {
	p.Count(stage, x)
	p.Record(stage, x)
	p.redirects.Add(stage, 1)
}

// Resent counts how often a request was sent again, be it answered or not. Count
// does it as well.
func (p *Phases) Resent(stage int, x *Exchange) {
	if n := x.got.Load(); n > 1 {
		p.retries.Add(stage, n-1)
	}
}

// Record records the phases of a request that succeeded: a server that fails fast
// must not look fast.
func (p *Phases) Record(stage int, x *Exchange) { p.RecordTimings(stage, x.Timings()) }

// RecordTimings is Record for a request whose exchange has gone on to another one.
func (p *Phases) RecordTimings(stage int, t Timings) {
	p.connecting.Record(stage, t.Connecting)
	p.handshaking.Record(stage, t.Handshaking)
	p.blocked.Record(stage, t.Blocked)
	p.sending.Record(stage, t.Sending)
	p.waiting.Record(stage, t.Waiting)
	p.receive.Record(stage, t.Receiving)
	p.duration.Record(stage, t.Duration)
}

// CountTimings is Count for a request whose exchange has gone on to another one.
func (p *Phases) CountTimings(stage int, t Timings) {
	p.reqs.Add(stage, 1)
	if t.Retries > 0 {
		p.retries.Add(stage, t.Retries)
	}
}

// Traffic counts what no request owns: bytes and connections.
type Traffic struct {
	sent, received *metrics.Counter
	connections    *metrics.Gauge
}

// NewTraffic declares the metrics under the tags.
func NewTraffic(m *metrics.Registry, t metrics.Tags) *Traffic {
	return &Traffic{sent: m.Counter(DataSent, t), received: m.Counter(DataReceived, t), connections: m.Gauge(Connections, t)}
}

// Sample counts the bytes since the last call for a stage, and the connections.
func (t *Traffic) Sample(stage int, c *Client) {
	sent, received := c.Bytes()
	t.sent.Add(stage, sent)
	t.received.Add(stage, received)
	t.connections.Set(float64(c.Dials()))
}
