package httpapi

import (
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// The metrics that every scenario with requests emits.
var (
	Reqs     = metrics.Desc{Name: "http_reqs", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Help: "requests that were answered, whatever the status"}
	Duration = metrics.Desc{Name: "http_req_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "sending + waiting + receiving: from a connection in hand until the body ended; of requests with an expected status only, and so are the phases"}
	Blocked = metrics.Desc{Name: "http_req_blocked", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from asking for a connection until it was in hand, opening it and its TLS handshake apart"}
	Connecting = metrics.Desc{Name: "http_req_connecting", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "opening the TCP connection; 0 where one was reused"}
	Handshaking = metrics.Desc{Name: "http_req_tls_handshaking", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "the TLS handshake; 0 where there was none"}
	Sending = metrics.Desc{Name: "http_req_sending", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from a connection in hand until the request was written"}
	Waiting = metrics.Desc{Name: "http_req_waiting", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from the request written until the first byte of the answer"}
	Receiving = metrics.Desc{Name: "http_req_receiving", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from the first byte of the answer until its body ended"}
	DataSent     = metrics.Desc{Name: "data_sent", Kind: metrics.KindCounter, Unit: metrics.UnitBytes, Help: "bytes written to connections, TLS included"}
	DataReceived = metrics.Desc{Name: "data_received", Kind: metrics.KindCounter, Unit: metrics.UnitBytes, Help: "bytes read from connections, TLS included"}
	Connections  = metrics.Desc{Name: "http_connections", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Help: "connections opened since the start"}
	Retries      = metrics.Desc{Name: "http_retries", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "requests that were sent again on another connection because the server certainly had not read them: it had closed the kept one before, or said so (HTTP/2: GOAWAY, REFUSED_STREAM)"}
)

// Metrics lists the descriptions above.
func Metrics() []metrics.Desc {
	return []metrics.Desc{Reqs, Duration, Blocked, Connecting, Handshaking, Sending, Waiting, Receiving, DataSent, DataReceived, Connections, Retries}
}

// Phases are the metrics of the requests of one operation.
type Phases struct {
	reqs, retries                                                         *metrics.Counter
	duration, blocked, connecting, handshaking, sending, waiting, receive *metrics.Trend
}

// NewPhases declares them under the tags.
func NewPhases(m *metrics.Registry, t metrics.Tags) *Phases {
	return &Phases{
		reqs: m.Counter(Reqs, t), retries: m.Counter(Retries, t),
		duration: m.Trend(Duration, t), blocked: m.Trend(Blocked, t), connecting: m.Trend(Connecting, t),
		handshaking: m.Trend(Handshaking, t), sending: m.Trend(Sending, t), waiting: m.Trend(Waiting, t), receive: m.Trend(Receiving, t),
	}
}

// Count counts an answered request, whatever its status.
func (p *Phases) Count(stage int, x *Exchange) {
	p.reqs.Add(stage, 1)
	p.Resent(stage, x)
}

// Resent counts how often a request was sent again, be it answered or not. Count
// does it as well.
func (p *Phases) Resent(stage int, x *Exchange) {
	if n := x.got.Load(); n > 1 {
		p.retries.Add(stage, n-1)
	}
}

// Record records the phases of a request that succeeded: a server that fails fast
// must not look fast. A connection that was dialled for this request and then
// taken by another one leaves phases that are not this request's, and they count
// as 0.
func (p *Phases) Record(stage int, x *Exchange) {
	var connect, shake time.Duration
	if !x.reused.Load() {
		connect, shake = max(x.connected.get()-x.connectStart.get(), 0), max(x.shookOff.get()-x.handshakeStart.get(), 0)
	}
	got, first := x.gotConn.get(), x.firstByte.get()
	// The answer may begin before the request is fully written.
	wrote := min(max(x.wrote.get(), got), first)
	p.connecting.Record(stage, connect)
	p.handshaking.Record(stage, shake)
	p.blocked.Record(stage, got-x.getConn.get()-connect-shake)
	p.sending.Record(stage, wrote-got)
	p.waiting.Record(stage, first-wrote)
	p.receive.Record(stage, x.end-first)
	p.duration.Record(stage, x.end-got)
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
