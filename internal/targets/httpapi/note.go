package httpapi

import (
	"net/http"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// headBytes is how much of an answer's body may be noted.
const headBytes = 192

// Note notes of an operation the phases of the request that was sent last; resp is its
// answer, nil for none. What of a connection was dialled for it and taken by another
// request is left out.
func (x *Exchange) Note(o *work.Op, resp *http.Response) {
	if o == nil {
		return
	}
	if !x.reused.Load() {
		o.Lookup = max(x.lookedUp.get()-x.lookupStart.get(), 0)
		o.Connect = max(x.connected.get()-x.connectStart.get(), 0)
		o.TLS = max(x.shookOff.get()-x.handshakeStart.get(), 0)
	}
	if o.Connect == 0 && x.connectStart.get() > 0 && x.gotConn.get() == 0 { // it was never there
		o.Connect = max(x.clock.Now()-x.connectStart.get(), 0)
	}
	if o.Lookup == 0 && x.lookupStart.get() > 0 && x.gotConn.get() == 0 {
		o.Lookup = max(x.clock.Now()-x.lookupStart.get(), 0)
	}
	o.On(x.gotConn.get(), x.port.Load(), 0)
	o.Sent, o.First = x.wrote.get(), x.firstByte.get()
	if n := int(x.got.Load()); n > 1 {
		o.Retries, o.Reconnects = n-1, n-1
	}
	if resp == nil {
		return
	}
	o.Status, o.Bytes, o.Done = resp.StatusCode, x.size, x.end
	if resp.Header.Get("Content-Encoding") == "" {
		o.Answered(x.head)
	}
}

// Head returns the beginning of the last answer's body as it was sent, good until the
// next request; nil where it is encoded.
func (x *Exchange) Head(resp *http.Response) []byte {
	if resp.Header.Get("Content-Encoding") != "" {
		return nil
	}
	return x.head
}
