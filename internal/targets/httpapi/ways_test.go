package httpapi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func TestTheAddressesOfANameAreUsedInTurn(t *testing.T) {
	var dialled []string
	d := newDialer("")
	d.lookup = func(context.Context, string) ([]string, error) {
		return []string{"10.0.0.1", "10.0.0.2", "::2", "10.0.0.3"}, nil
	}
	d.dial = func(_ context.Context, _, addr string) (net.Conn, error) {
		dialled = append(dialled, addr)
		if addr == "10.0.0.2:80" {
			return nil, errors.New("refused")
		}
		return nil, nil //nolint:nilnil // nobody uses it
	}
	for range 4 {
		if _, err := d.DialContext(t.Context(), "tcp", "api.test:80"); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.3:80", "10.0.0.1:80"}
	if !slices.Equal(dialled, want) {
		t.Errorf("dialled %v, want %v", dialled, want)
	}
}

func TestAUnixSocketTakesThePlaceOfTheAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	srv.Listener = l
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetHTTP1(true)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	defer srv.Close()
	for _, second := range []bool{false, true} {
		c := client(t, Options{Socket: path, HTTP2: second})
		for range 2 {
			if status, body, err := get(t, c, "GET", "http://api.invalid:1/", ""); err != nil || status != 200 || body != "api.invalid:1" {
				t.Errorf("HTTP/2 %t: %d %q %v", second, status, body, err)
			}
		}
		if n := c.Dials(); n != 1 {
			t.Errorf("HTTP/2 %t: %d connections for 2 requests", second, n)
		}
	}
}

// proxy is one for requests and for tunnels, which asks for a password.
func proxy(t *testing.T) (u *url.URL, used *atomic.Int64) {
	t.Helper()
	used = &atomic.Int64{}
	at := plain(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			used.Add(1)
			if req.Header.Get("Proxy-Authorization") != "Basic bWU6cHc=" {
				_, _ = io.WriteString(c, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
				continue
			}
			if req.Method == http.MethodConnect {
				to, err := net.Dial("tcp", req.Host)
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
				go func() { _, _ = io.Copy(to, r) }()
				_, _ = io.Copy(c, to)
				return
			}
			req.Header.Del("Proxy-Authorization")
			req.RequestURI = ""
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				return
			}
			_ = resp.Write(c)
			_ = resp.Body.Close()
		}
	})
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("me", "pw")
	return u, used
}

func TestRequestsGoThroughAProxy(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.String()) }))
	defer srv.Close()
	safe := httptest.NewTLSServer(srv.Config.Handler)
	defer safe.Close()
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	u, used := proxy(t)
	c := client(t, Options{Proxy: func(*url.URL) (*url.URL, error) { return u, nil }, TLS: safe.Client().Transport.(*http.Transport).TLSClientConfig})
	for _, to := range []string{srv.URL, srv.URL, safe.URL, safe.URL} {
		if status, body, err := get(t, c, "GET", to+"/a?b=c", ""); err != nil || status != 200 || body != "/a?b=c" {
			t.Errorf("%s: %d %q %v", to, status, body, err)
		}
	}
	if n := used.Load(); n != 3 {
		t.Errorf("the proxy saw %d requests, want 2 and a tunnel", n)
	}
	u.User = nil
	if _, _, err := get(t, client(t, Options{Proxy: func(*url.URL) (*url.URL, error) { return u, nil }}), "GET", safe.URL, ""); !errors.Is(err, errNoProxy) {
		t.Errorf("a proxy that refuses: %v", err)
	}
}

func TestProxiesOfTheEnvironment(t *testing.T) {
	p := Proxies(func(name string) (string, bool) {
		v, ok := map[string]string{"HTTP_PROXY": "http://proxy.test:3128", "NO_PROXY": "inside.test"}[name]
		return v, ok
	})
	for to, want := range map[string]bool{"http://outside.test": true, "http://inside.test": false, "http://127.0.0.1:80": false, "http://localhost": false, "https://outside.test": false} {
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p(u); err != nil || (got != nil) != want {
			t.Errorf("%s: %v (%v), want one: %t", to, got, err, want)
		}
	}
}

func TestBodiesAreDecoded(t *testing.T) {
	const text = `{"ok":true}`
	pack := map[string]func(io.Writer) io.WriteCloser{
		"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, "deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		"br":   func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
		"zstd": func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z },
	}
	packed := func(name, text string) []byte {
		var b bytes.Buffer
		w := pack[name](&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return b.Bytes()
	}
	for name := range pack {
		body := packed(name, text)
		if got, err := Decode(strings.ToUpper(name), body); err != nil || string(got) != text {
			t.Errorf("%s: %q %v", name, got, err)
		}
		if _, err := Decode(name, body[:len(body)/2]); work.KindOf(err) != KindEncoding {
			t.Errorf("half of %s: %v", name, err)
		}
		if _, err := Decode(name, packed(name, strings.Repeat("x", MaxBody+1))); work.KindOf(err) != KindEncoding {
			t.Errorf("a bomb of %s: %v", name, err)
		}
	}
	if got, err := Decode("gzip, br", packed("br", string(packed("gzip", text)))); err != nil || string(got) != text {
		t.Errorf("two: %q %v", got, err)
	}
	if got, err := Decode("identity", []byte(text)); err != nil || string(got) != text {
		t.Errorf("none: %q %v", got, err)
	}
	if _, err := Decode("snappy", nil); work.KindOf(err) != KindEncoding {
		t.Errorf("an unknown one: %v", err)
	}
}

// Events come out as they went in, however they are cut, and each at the instant at
// which its last byte came.
func TestEventsAreReadAsTheyCome(t *testing.T) {
	const text = "\xef\xbb\xbf: a comment\nevent: token\r\nid: 7\r\ndata: {\"t\":\r\ndata:1}\r\n\r\ndata\n\nevent: none\n\nretry: 5\ndata:  last\n\ndata: no end"
	for size := 1; size < len(text); size++ {
		p := eventParser{name: "message"}
		var got []string
		for at, rest := time.Duration(0), text; rest != ""; at++ {
			n := min(size, len(rest))
			if _, err := p.feed([]byte(rest[:n]), at, func(e Event) bool {
				if want := time.Duration((len(text) - len(rest)) / size); e.At != want {
					t.Errorf("an event is at %d, its last byte at %d", e.At, want)
				}
				got = append(got, e.Name+"/"+e.ID+"/"+string(e.Data))
				return true
			}); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if want := []string{"token/7/{\"t\":\n1}", "message/7/", "message/7/ last"}; !slices.Equal(got, want) {
			t.Fatalf("in pieces of %d: got %q, want %q", size, got, want)
		}
	}
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte("data: a\n\ndata: b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, parts := 0, 0
		p, q := eventParser{name: "message"}, eventParser{name: "message"}
		_, _ = p.feed(b, 0, func(Event) bool { whole++; return true })
		for i := range b {
			_, _ = q.feed(b[i:i+1], 0, func(Event) bool { parts++; return true })
		}
		if whole != parts {
			t.Errorf("%d events at once, %d byte by byte", whole, parts)
		}
	})
}

func TestEventsThatAreCompressedAreRefused(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, "data: x\n\n")
		_ = z.Close()
	}))
	defer srv.Close()
	c := New(Options{Connections: 1, Timeout: 5 * time.Second})
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, _, err = NewExchange(c, work.NewClock()).Stream(t.Context(), req, nil, func(Event) bool { return true }) //nolint:bodyclose // Stream closed it
	if work.KindOf(err) != KindEncoding || !strings.Contains(err.Error(), "Accept-Encoding") {
		t.Errorf("got %v", err)
	}
}

func TestAStreamThatIsCutFails(t *testing.T) {
	for _, kind := range []string{"text/event-stream", "text/plain"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = c.Close()
			}
		}))
		c := New(Options{Connections: 1, Timeout: 5 * time.Second})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err = NewExchange(c, work.NewClock()).Stream(t.Context(), req, nil, func(Event) bool { return true }); err == nil { //nolint:bodyclose // Stream closed it
			t.Errorf("%s: a stream that was cut is no failure", kind)
		}
		c.CloseIdleConnections()
		srv.Close()
	}
}
