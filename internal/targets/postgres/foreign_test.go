package postgres

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/tlstest"
)

// answering listens until the test ends, and answers whoever comes with a text, or
// hangs up at once where that is empty.
func answering(t *testing.T, text string) string {
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
				_, _ = c.Read(make([]byte, 64))
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

// refused checks that an address cannot be opened, within the 15 s that a user is
// promised, and that the error holds every word of want.
func refused(t *testing.T, text string, want ...string) {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	p, err := Open(ctx, targets.Address{Kind: targets.Postgres, URL: u}, Options{Run: "test", Size: 2})
	if err == nil {
		_ = p.Close(ctx)
		t.Fatalf("%s was opened", u)
	}
	if ctx.Err() != nil {
		t.Errorf("it took longer than 15 s: %v", err)
	}
	for _, w := range append(want, "next: ") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v lacks %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v shows the password", err)
	}
}

func TestSomethingElseOnThePort(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for name, at := range map[string]string{
		"an HTTP server": plain.Listener.Addr().String(), "an HTTPS server": secure.Listener.Addr().String(),
		"RabbitMQ": answering(t, "AMQP\x00\x00\x09\x01"), "SSH": answering(t, "SSH-2.0-OpenSSH_9.2\r\n"), "MySQL": answering(t, "\x4a\x00\x00\x00\x0a8.0.36\x00"),
		"who hangs up": answering(t, ""),
	} {
		t.Run(name, func(t *testing.T) {
			want := "something else than PostgreSQL"
			if name == "an HTTP server" {
				want = "no answer in time" // it waits for the end of a line
			}
			refused(t, fmt.Sprintf("postgres://u:s3cret@%s/x_test?sslmode=disable", at), want)
			refused(t, fmt.Sprintf("postgres://u:s3cret@%s/x_test", at), want)
		})
	}
}

func TestAPortThatSaysNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	refused(t, fmt.Sprintf("postgres://u:s3cret@%s,%[1]s,%[1]s/x_test", l.Addr()), "no answer in time")
}

func TestAnExpiredCertificateOfTheServer(t *testing.T) {
	own := tlstest.New(t)
	cert, key := own.Issue(t, "expired", time.Now().Add(-time.Hour))
	at := tlstest.ServePostgres(t, cert, key)
	refused(t, fmt.Sprintf("postgres://u:s3cret@%s/x_test?sslmode=verify-full&sslrootcert=%s", at, own.CA), "renew it")
}
