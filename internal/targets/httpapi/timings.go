package httpapi

import "time"

// Timings are the phases of one request, as the metrics of the same names define
// them.
type Timings struct {
	Blocked, Connecting, Handshaking, Sending, Waiting, Receiving time.Duration
	// Duration is sending, waiting and receiving.
	Duration time.Duration
	// Retries is how often the request was sent again because a kept connection was
	// found closed.
	Retries int64
}

// Timings returns the phases of the request that was sent last and answered. A
// connection that was dialled for this request and then taken by another one leaves
// phases that are not this request's, and they count as 0.
func (x *Exchange) Timings() Timings {
	var t Timings
	if !x.reused.Load() {
		t.Connecting, t.Handshaking = max(x.connected.get()-x.connectStart.get(), 0), max(x.shookOff.get()-x.handshakeStart.get(), 0)
	}
	got, first := x.gotConn.get(), x.firstByte.get()
	// The answer may begin before the request is fully written.
	wrote := min(max(x.wrote.get(), got), first)
	t.Blocked = got - x.getConn.get() - t.Connecting - t.Handshaking
	t.Sending, t.Waiting, t.Receiving = wrote-got, first-wrote, x.end-first
	t.Duration = x.end - got
	t.Retries = max(x.got.Load()-1, 0)
	return t
}
