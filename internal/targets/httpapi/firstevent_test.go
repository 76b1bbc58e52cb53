//go:build timing

package httpapi

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// The first event of a stream is when its last byte came, and not when a later one, a
// comment before it or the begin of the answer did. A server whose events are scripted
// notes when it writes each, on the same machine's clock. Run it with
// go test -tags timing ./internal/targets/httpapi -run TestFirstEvent -v
func TestFirstEventIsTrueWithinAFifthOfAMillisecond(t *testing.T) {
	clock := work.NewClock()
	var wrote atomic.Int64 // when the first event's last byte was written, on the clock
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		out := http.NewResponseController(w)
		send := func(s string) { _, _ = io.WriteString(w, s); _ = out.Flush() }
		rest := func() { time.Sleep(time.Duration(rand.IntN(4000)) * time.Microsecond) }
		send(": a comment that is no event\n\n")
		rest()
		send("event: token\ndata: {\"tok")
		rest()
		send("en\": \"a\"}\n")
		rest()
		wrote.Store(int64(clock.Now()))
		send("\n")
		for i := range 5 {
			rest()
			send(fmt.Sprintf("data: %d\n\n", i))
		}
	}))
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Config.Protocols.SetHTTP1(true)
	srv.Start()
	defer srv.Close()
	for _, http2 := range []bool{false, true} {
		c := New(Options{Connections: 1, Timeout: 5 * time.Second, HTTP2: http2})
		defer c.CloseIdleConnections()
		x := NewExchange(c, clock)
		var off []time.Duration
		for range 500 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			n, at := 0, time.Duration(0)
			resp, _, events, err := x.Stream(t.Context(), req, nil, func(e Event) bool { //nolint:bodyclose // Stream closed it
				if n++; n == 1 {
					at = e.At
				}
				return true
			})
			if err != nil || !events || n != 6 || resp.StatusCode != http.StatusOK {
				t.Fatalf("%d events, %v", n, err)
			}
			off = append(off, at-time.Duration(wrote.Load()))
		}
		slices.Sort(off)
		t.Logf("HTTP/2 %v: first event against the server's clock: p50 %v, p95 %v, p99 %v, max %v", http2, off[250], off[475], off[495], off[499])
		if off[0] < 0 || off[250] > 200*time.Microsecond {
			t.Errorf("half of the first events are off by more than %v; the earliest by %v", off[250], off[0])
		}
	}
}
