package httpapi

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
)

// streams serves HTTP/2 without TLS by hand. After the first request of a connection,
// refuse says that the next one was not processed; the second connection answers all.
func streams(t *testing.T, refuse func(f *http2.Framer, stream uint32)) (url string, answered *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	answered = &atomic.Int64{}
	go func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serveStreams(c, n > 0, answered, refuse)
		}
	}()
	return "http://" + l.Addr().String() + "/", answered
}

func serveStreams(c net.Conn, willing bool, answered *atomic.Int64, refuse func(f *http2.Framer, stream uint32)) {
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	_ = f.WriteSettings()
	seen := 0
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		ended := false
		switch x := frame.(type) {
		case *http2.SettingsFrame:
			if !x.IsAck() {
				_ = f.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			ended = x.StreamEnded()
		case *http2.DataFrame:
			ended = x.StreamEnded()
		}
		if !ended {
			continue
		}
		stream := frame.Header().StreamID
		if seen++; seen > 1 && !willing {
			refuse(f, stream)
			willing = true // of a connection that goes on
			continue
		}
		answered.Add(1)
		var head bytes.Buffer
		_ = hpack.NewEncoder(&head).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: head.Bytes(), EndHeaders: true, EndStream: true})
	}
}

// A request that the server says it has not processed is sent again with its body,
// and counted.
func TestRequestsThatWereNotProcessedAreSentAgain(t *testing.T) {
	for name, refuse := range map[string]func(f *http2.Framer, stream uint32){
		"GOAWAY":         func(f *http2.Framer, stream uint32) { _ = f.WriteGoAway(stream-2, http2.ErrCodeNo, nil) },
		"REFUSED_STREAM": func(f *http2.Framer, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream) },
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			url, answered := streams(t, refuse)
			c := New(Options{HTTP2: true, Connections: 1, Timeout: 10 * time.Second})
			t.Cleanup(c.CloseIdleConnections)
			reg := metrics.NewRegistry([]string{"only"})
			phases, x := NewPhases(reg, metrics.Tags{}), NewExchange(c, work.NewClock())
			for range 2 {
				req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
				if err != nil {
					t.Fatal(err)
				}
				body := []byte(nil)
				if method == http.MethodPost {
					body = []byte(strings.Repeat("x", 3000))
				}
				resp, _, err := x.Send(t.Context(), req, body, false) //nolint:bodyclose // Send closed it
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatalf("%s %s: %v", method, name, err)
				}
				phases.Count(0, x)
			}
			if n := x.got.Load(); n != 2 || answered.Load() != 2 {
				t.Errorf("%s %s: the second request was sent %d times, %d were answered", method, name, n, answered.Load())
			}
		}
	}
}

func TestAnswersThatAreNotHTTPHaveTheirKind(t *testing.T) {
	for name, answer := range map[string]string{
		"no HTTP": "hello\r\n\r\n", "no status": "HTTP/1.1 OK\r\n\r\n", "a bad header": "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
		"a bad length": "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "a bad chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	} {
		for _, second := range []bool{false, true} {
			url := plain(t, func(_ int, c net.Conn, r *bufio.Reader) {
				if request(r) {
					_, _ = io.WriteString(c, answer)
				}
			})
			c := New(Options{HTTP2: second, Connections: 1, Timeout: 10 * time.Second})
			x := NewExchange(c, work.NewClock())
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = x.Send(t.Context(), req, nil, false) //nolint:bodyclose // there is none
			c.CloseIdleConnections()
			if second {
				answer += strings.Repeat("x", 100)
			}
			if kind := work.KindOf(err); kind != KindMalformed {
				t.Errorf("%s, HTTP/2 %t: %v has kind %s", name, second, err, kind)
			}
		}
	}
}
