package httpapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

func TestClassify(t *testing.T) {
	wrap := func(err error) error { return &url.Error{Op: "Get", URL: "http://u:pw@h", Err: err} }
	for _, c := range []struct {
		err  error
		want work.Kind
	}{
		{wrap(context.DeadlineExceeded), work.KindTimeout},
		{wrap(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), work.KindRefused},
		{wrap(io.EOF), work.KindClosed},
		{wrap(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), work.KindClosed},
		{wrap(&net.OpError{Op: "dial", Err: syscall.EADDRNOTAVAIL}), work.KindExhausted},
		{wrap(&net.DNSError{Err: "no such host"}), "dns"},
	} {
		got := Classify(c.err)
		if work.KindOf(got) != c.want {
			t.Errorf("%v is %s, want %s", c.err, work.KindOf(got), c.want)
		}
		if strings.Contains(got.Error(), "pw") {
			t.Errorf("%v shows the address's password", got)
		}
	}
}

func TestAnUntrustedCertificateNamesTheStep(t *testing.T) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := New(Options{Connections: 1, Timeout: 5 * time.Second})
	defer c.CloseIdleConnections()
	err = c.Reach(t.Context(), targets.Address{Kind: targets.API, URL: u})
	if _, ok := errors.AsType[*targets.UnreachableError](err); !ok || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

func TestAnyStatusIsReachable(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := New(Options{Connections: 1, Timeout: 5 * time.Second})
	defer c.CloseIdleConnections()
	if err := c.Reach(t.Context(), targets.Address{Kind: targets.API, URL: u}); err != nil {
		t.Error(err)
	}
	if sent, received := c.Bytes(); sent == 0 || received == 0 {
		t.Errorf("%d bytes sent and %d received were counted", sent, received)
	}
}
