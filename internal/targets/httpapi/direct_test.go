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
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// plain serves each connection by a function, so that a server may do what
// net/http's would not. It returns the server's address.
func plain(t *testing.T, serve func(n int, c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(n, c, bufio.NewReader(c))
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/"
}

// request reads one request, and says whether there was one.
func request(r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err == nil
}

func client(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	o.Connections = 4
	c := New(o)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// get returns the answer's status and body.
func get(t *testing.T, c *Client, method, url, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestAnswersOfEveryForm(t *testing.T) {
	long := strings.Repeat("0123456789", 10_000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/echo":
			fmt.Fprintf(w, "%s %s", r.Method, body)
		case "/long":
			_, _ = io.WriteString(w, long)
		case "/chunked":
			for range 10 {
				_, _ = io.WriteString(w, long)
				w.(http.Flusher).Flush()
			}
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/hints":
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = io.WriteString(w, "after hints")
		case "/moved":
			http.Redirect(w, r, "/echo", http.StatusFound)
		}
	}))
	defer srv.Close()
	c := client(t, Options{})
	for range 3 { // and each leaves the connection fit for the next
		for _, x := range []struct {
			method, path, send, want string
			status                   int
		}{
			{"GET", "/echo", "", "GET ", 200},
			{"POST", "/echo", "hello", "POST hello", 200},
			{"PUT", "/echo", long, "PUT " + long, 200},
			{"HEAD", "/long", "", "", 200},
			{"GET", "/long", "", long, 200},
			{"GET", "/chunked", "", strings.Repeat(long, 10), 200},
			{"DELETE", "/empty", "", "", 204},
			{"GET", "/hints", "", "after hints", 200},
			{"GET", "/moved", "", "<a href=\"/echo\">Found</a>.\n\n", 302},
		} {
			status, body, err := get(t, c, x.method, srv.URL+x.path, x.send)
			if err != nil || status != x.status || body != x.want {
				t.Fatalf("%s %s: %d %.60q %v, want %d %.60q", x.method, x.path, status, body, err, x.status, x.want)
			}
		}
	}
	if n := c.Dials(); n != 1 {
		t.Errorf("%d connections were opened for requests that followed one another", n)
	}
}

func TestTLSConnectionsAreReused(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer srv.Close()
	c := client(t, Options{})
	c.Transport.(*direct).tls = srv.Client().Transport.(*http.Transport).TLSClientConfig
	for range 3 {
		if status, body, err := get(t, c, "GET", srv.URL, ""); err != nil || status != 200 || body != "ok" {
			t.Fatalf("%d %q %v", status, body, err)
		}
	}
	if n := c.Dials(); n != 1 {
		t.Errorf("%d connections were opened", n)
	}
	if _, _, err := get(t, client(t, Options{}), "GET", srv.URL, ""); !isCertificate(err) {
		t.Errorf("an untrusted certificate: %v", err)
	}
}

func isCertificate(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// A server that closes connections after an answer, without a word, fails no
// request: neither one that may be repeated nor one that may not.
func TestAClosedIdleConnectionIsNoFailure(t *testing.T) {
	closed := make(chan bool, 8)
	url := plain(t, func(_ int, c net.Conn, r *bufio.Reader) {
		if request(r) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
		_ = c.Close()
		closed <- true
	})
	c := client(t, Options{})
	for _, method := range []string{"GET", "POST", "POST", "GET"} {
		if status, body, err := get(t, c, method, url, ""); err != nil || status != 200 || body != "ok" {
			t.Fatalf("%s: %d %q %v", method, status, body, err)
		}
		<-closed
	}
	if n := c.Dials(); n != 4 {
		t.Errorf("%d connections were opened for 4 requests", n)
	}
}

// A request that the server has read, or may have read, is never sent again, however
// its connection ends.
func TestARequestThatWasReadIsNotSentAgain(t *testing.T) {
	for name, end := range map[string]func(c *net.TCPConn){
		"closed": func(c *net.TCPConn) { _ = c.Close() },
		"reset":  func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
		"half":   func(c *net.TCPConn) { _ = c.CloseWrite() },
	} {
		serve := func(_ int, c net.Conn, r *bufio.Reader) {
			if request(r) {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
			if request(r) { // read, and never answered
				end(c.(*net.TCPConn))
			}
		}
		for _, method := range []string{"GET", "POST"} {
			c, url := client(t, Options{}), plain(t, serve)
			if _, _, err := get(t, c, method, url, "body"); err != nil {
				t.Fatal(err)
			}
			got, err := tries(t, c, method, url, nil)
			if kind := work.KindOf(Classify(err)); kind != work.KindClosed || got != 1 {
				t.Errorf("%s, %s: %v (%s) after %d tries", method, name, err, kind, got)
			}
		}
	}
}

// tries sends a request, and returns how many connections it got; met is called for
// each, before the request is sent.
func tries(t *testing.T, c *Client, method, url string, met func(n int)) (got int, err error) {
	t.Helper()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if got++; met != nil {
			met(got)
		}
	}})
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(strings.Repeat("body", 5000)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	return got, err
}

// A server that closes an idle connection at the instant at which a request is about
// to be sent over it has read nothing, and the request is sent again, whatever its
// method.
func TestARequestThatMetAClosingConnectionIsSentAgain(t *testing.T) {
	for name, end := range map[string]func(c *net.TCPConn){
		"closed": func(c *net.TCPConn) { _ = c.Close() },
		"reset":  func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
	} {
		for _, method := range []string{"GET", "POST"} {
			stop, stopped, served := make(chan bool), make(chan bool), atomic.Int64{}
			url := plain(t, func(n int, c net.Conn, r *bufio.Reader) {
				for request(r) {
					served.Add(1)
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
					if n == 0 {
						<-stop
						end(c.(*net.TCPConn))
						stopped <- true
						return
					}
				}
			})
			c := client(t, Options{})
			if _, _, err := get(t, c, method, url, "body"); err != nil {
				t.Fatal(err)
			}
			got, err := tries(t, c, method, url, func(n int) {
				if n == 1 {
					stop <- true
					<-stopped
				}
			})
			if err != nil || got != 2 || served.Load() != 2 {
				t.Errorf("%s, %s: %v after %d tries, the server read %d requests", method, name, err, got, served.Load())
			}
		}
	}
}

func TestAnAnswerBeforeTheRequestWasRead(t *testing.T) {
	url := plain(t, func(_ int, c net.Conn, _ *bufio.Reader) {
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	})
	status, body, err := get(t, client(t, Options{}), "POST", url, strings.Repeat("x", 1<<20))
	if err != nil || status != 413 || body != "big" {
		t.Fatalf("%d %q %v", status, body, err)
	}
}

func TestWhatFollowsAnAnswerUnaskedIsNoAnswer(t *testing.T) {
	url := plain(t, func(n int, c net.Conn, r *bufio.Reader) {
		for request(r) {
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%dHTTP/1.1 500 Unasked\r\n\r\n", n)
		}
	})
	c := client(t, Options{})
	for n := range 3 {
		if status, body, err := get(t, c, "GET", url, ""); err != nil || status != 200 || body != fmt.Sprint(n) {
			t.Fatalf("%d %q %v", status, body, err)
		}
	}
}

func TestBrokenAnswersAreErrors(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing": "", "no HTTP": "hello\r\n\r\n", "half a head": "HTTP/1.1 200 OK\r\nContent-", "half a body": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
		"only hints": strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 20),
	} {
		url := plain(t, func(_ int, c net.Conn, r *bufio.Reader) {
			if request(r) {
				_, _ = io.WriteString(c, answer)
			}
		})
		if status, body, err := get(t, client(t, Options{}), "GET", url, ""); err == nil {
			t.Errorf("%s: %d %q and no error", name, status, body)
		}
	}
}

// silent never answers.
func silent(t *testing.T) string {
	return plain(t, func(_ int, c net.Conn, _ *bufio.Reader) { _, _ = io.Copy(io.Discard, c) })
}

func TestATimeoutEndsARequest(t *testing.T) {
	_, _, err := get(t, client(t, Options{Timeout: 50 * time.Millisecond}), "GET", silent(t), "")
	if k := Classify(err); !isTimeout(err) {
		t.Fatalf("got %v", k)
	}
}

func TestTheContextEndsARequest(t *testing.T) {
	cause := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := client(t, Options{})
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { cancel(cause) },
	}), http.MethodGet, silent(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, cause) {
		t.Fatalf("got %v", err)
	}
}

// What ends with one request's context is no matter of the next one.
func TestAContextThatEndedLaterSpoilsNoRequest(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer srv.Close()
	c := client(t, Options{})
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		cancel()
	}
}

func TestFreshConnections(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	c := client(t, Options{Fresh: true})
	for range 3 {
		if _, _, err := get(t, c, "GET", srv.URL, ""); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.Dials(); n != 3 {
		t.Errorf("%d connections were opened for 3 requests", n)
	}
}

func BenchmarkGet(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer srv.Close()
	c := New(Options{Connections: 1, Timeout: 30 * time.Second})
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		resp, err := c.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
