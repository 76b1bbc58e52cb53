package httpapi

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/tlstest"
)

// greeter listens until the test ends, and greets whoever comes.
func greeter(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(time.Second))
			_, _ = io.WriteString(c, text)
			if text != "" {
				_, _ = c.Read(make([]byte, 512))
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestWhatCannotBeReachedIsToldInItsOwnWords(t *testing.T) {
	own := tlstest.New(t)
	cert, key := own.Issue(t, "expired", time.Now().Add(-time.Hour))
	other, otherKey := own.Issue(t, "other", time.Now().Add(time.Hour), "other.test")
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer secure.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, c := range map[string]struct{ url, ca, want string }{
		"nobody":                {"http://127.0.0.1:1", "", "nothing listens there"},
		"a silent port":         {"http://" + silent.Addr().String(), "", "no answer in time"},
		"a silent port, TLS":    {"https://" + silent.Addr().String(), "", "does not answer a TLS handshake"},
		"RabbitMQ":              {"http://" + greeter(t, "AMQP\x00\x00\x09\x01"), "", "something else than HTTP"},
		"Redis":                 {"http://" + greeter(t, "-ERR unknown command\r\n"), "", "something else than HTTP"},
		"who hangs up":          {"http://" + greeter(t, ""), "", "something else than HTTP"},
		"HTTPS, asked for HTTP": {"http://" + secure.Listener.Addr().String(), "", "use https://"},
		"HTTP, asked for HTTPS": {"https://" + plain.Listener.Addr().String(), "", "use http://"},
		"an unknown authority":  {"https://" + secure.Listener.Addr().String(), "", "tls_ca"},
		"an expired one":        {"https://" + tlstest.Serve(t, cert, key), own.CA, "renew it"},
		"another name":          {"https://" + tlstest.Serve(t, other, otherKey), own.CA, "tls_server_name"},
	} {
		for _, version := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s, HTTP/%d", name, version), func(t *testing.T) {
				trust, err := TLS{CA: c.ca}.Config()
				if err != nil {
					t.Fatal(err)
				}
				client := New(Options{Connections: 1, Timeout: 700 * time.Millisecond, TLS: trust, HTTP2: version == 2})
				defer client.CloseIdleConnections()
				u, err := url.Parse(c.url)
				if err != nil {
					t.Fatal(err)
				}
				err = client.Reach(t.Context(), targets.Address{Kind: targets.API, URL: u})
				if version == 2 && (name == "HTTPS, asked for HTTP" || name == "a silent port, TLS") {
					c.want = "next: " // what the server says there is no HTTP/2; the timeout of this test is shorter than a handshake's
				}
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
			})
		}
	}
}

// A name may lead elsewhere when it is dialled than when the run was checked.
func TestARequestIsJudgedByTheAddressThatItGoesTo(t *testing.T) {
	guard := func(host string, _ netip.Addr) error {
		return targets.Guard{}.Reaches(host, netip.MustParseAddr("10.0.0.5"))
	}
	for _, http2 := range []bool{false, true} {
		c := New(Options{Connections: 1, Timeout: time.Second, Guard: guard, HTTP2: http2})
		u, err := url.Parse("http://localhost:1/")
		if err != nil {
			t.Fatal(err)
		}
		err = c.Reach(t.Context(), targets.Address{Kind: targets.API, URL: u})
		if err == nil || !strings.Contains(err.Error(), "leads to 10.0.0.5") || !strings.Contains(err.Error(), "--allow-target localhost") {
			t.Errorf("HTTP/2 %v: %v", http2, err)
		}
	}
}
