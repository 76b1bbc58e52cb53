package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"github.com/perfctl/perfctl/internal/targets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func broker(t *testing.T) targets.Address {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	s, err := targets.Resolve(func(name string) (string, string, bool) {
		v, ok := os.LookupEnv(name)
		return v, "environment", ok
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.RabbitMQ
}

func address(t *testing.T, text string) targets.Address {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return targets.Address{Kind: targets.RabbitMQ, URL: u}
}

func bounded(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// serve answers every connection with f and returns the host and port.
func serve(t *testing.T, f func(net.Conn)) string {
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
			f(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestDialExplainsWhatListensThere(t *testing.T) {
	http := httptest.NewServer(nil)
	defer http.Close()
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	silent := serve(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 8)); _, _ = c.Read(make([]byte, 8)) })
	other := serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 8))
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
	})
	hangup := serve(t, func(net.Conn) {})
	for name, c := range map[string]struct{ url, want string }{
		"an HTTP server":          {"amqp://u:s3cret@" + other, "something else than AMQP 0-9-1"},
		"who hangs up":            {"amqp://u:s3cret@" + hangup, "something else than AMQP 0-9-1"},
		"a silent server":         {"amqp://u:s3cret@" + silent, "no answer in time"},
		"an unknown authority":    {"amqps://u:s3cret@" + secure.Listener.Addr().String(), "?cacertfile=FILE"},
		"HTTP where TLS is meant": {"amqps://u:s3cret@" + http.Listener.Addr().String(), "does not speak TLS"},
		"a file that is missing":  {"amqps://u:s3cret@" + secure.Listener.Addr().String() + "/?cacertfile=/nowhere/ca.pem", "check RABBITMQ_TLS_CA"},
		"nobody":                  {"amqp://u:s3cret@127.0.0.1:1", "nothing listens there"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Dial(t.Context(), address(t, c.url), Options{Timeout: 300 * time.Millisecond})
			if _, ok := errors.AsType[*targets.UnreachableError](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an UnreachableError with %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	silent := serve(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 8)); _, _ = c.Read(make([]byte, 8)) })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := Dial(ctx, address(t, "amqp://"+silent), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestNextStepFitsTheBrokersAnswer(t *testing.T) {
	a := address(t, "amqp://ann:pw@broker.example/shop")
	guest := address(t, "amqp://guest:guest@broker.example")
	for _, c := range []struct {
		address targets.Address
		err     *amqp.Error
		want    string
	}{
		{a, amqp.ErrCredentials, "RABBITMQ_PASSWORD"},
		{guest, amqp.ErrCredentials, "guest in from its own machine only"},
		{a, &amqp.Error{Code: amqp.NotAllowed, Reason: "NOT_ALLOWED - vhost shop not found"}, `add_vhost "shop"`},
		{a, &amqp.Error{Code: amqp.NotAllowed, Reason: "NOT_ALLOWED - access to vhost 'shop' refused for user 'ann'"}, `set_permissions -p "shop" "ann"`},
		{guest, &amqp.Error{Code: amqp.AccessRefused, Reason: "ACCESS_REFUSED - access to queue refused"}, `set_permissions -p "/" "guest"`},
		{a, &amqp.Error{Code: amqp.NotAllowed, Reason: "NOT_ALLOWED - connection limit (1) is reached"}, "no more connections"},
		{a, &amqp.Error{Code: amqp.PreconditionFailed, Reason: "inequivalent arg"}, "perfctl reset"},
	} {
		err := Explain(c.address, "connect", c.err)
		if u, ok := errors.AsType[*targets.UnreachableError](err); !ok || !strings.Contains(u.Next, c.want) {
			t.Errorf("%v: got %v, want a next step with %q", c.err, err, c.want)
		}
	}
}

func TestDialExplainsTheBrokersRefusal(t *testing.T) {
	a := broker(t)
	missing := *a.URL
	missing.Path, missing.RawPath = "/no-such-vhost", ""
	plain := *a.URL
	plain.Scheme = "amqps"
	for name, c := range map[string]struct {
		url  url.URL
		want string
	}{
		"missing vhost":   {missing, `add_vhost "no-such-vhost"`},
		"TLS on TCP port": {plain, "does not speak TLS"},
	} {
		_, err := Dial(bounded(t, 10*time.Second), targets.Address{Kind: a.Kind, URL: &c.url}, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestWriteThatStallsFailsAsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer func() { _, _ = near.Close(), far.Close() }()
		c := newStallConn(near, 4*time.Second)
		go func() { _, _ = far.Read(make([]byte, 5)) }()
		if _, err := c.Write([]byte("first")); err != nil {
			t.Fatal(err)
		}
		// Nobody reads any more.
		start := time.Now()
		_, err := c.Write([]byte("second"))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want %v", err, os.ErrDeadlineExceeded)
		}
		if d := time.Since(start); d < 3*time.Second || d > 4*time.Second {
			t.Errorf("gave up after %v, want three quarters of 4s to 4s", d)
		}
		if !errors.Is(c.seen(), os.ErrDeadlineExceeded) {
			t.Errorf("the transport's error is %v", c.seen())
		}
	})
}

func TestIdleConnectionMayStillBeWrittenTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer func() { _, _ = near.Close(), far.Close() }()
		c := newStallConn(near, time.Second)
		go func() {
			for {
				if _, err := far.Read(make([]byte, 5)); err != nil {
					return
				}
			}
		}()
		for range 3 {
			if _, err := c.Write([]byte("tick")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestLinkComesBackWithASessionOfItsOwn(t *testing.T) {
	a := broker(t)
	type session struct{ number int }
	conns := make(chan *amqp.Connection, 4)
	back := make(chan time.Duration, 4)
	number := 0
	l, err := OpenLink(bounded(t, 10*time.Second), LinkConfig[session]{
		Address: a, Options: Options{Name: "perfctl/test"},
		Prepare: func(_ context.Context, c *amqp.Connection, _ func()) (*session, error) {
			conns <- c
			number++
			if number == 2 {
				return nil, errors.New("the broker is not ready yet")
			}
			return &session{number}, nil
		},
		Reconnected: func(took time.Duration) { back <- took },
	})
	if err != nil {
		t.Fatal(err)
	}
	first := l.Session()
	_ = (<-conns).Close()
	if took := <-back; took <= 0 {
		t.Errorf("reconnected after %v", took)
	}
	if second := l.Session(); first.number != 1 || second == nil || second.number != 3 {
		t.Errorf("sessions %v, then %v; want the first and the third", first, second)
	}
	if err := l.Close(bounded(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	if l.Session() != nil {
		t.Error("there is a session after Close")
	}
}

func TestLengthOfAQueueAndOfAMissingOne(t *testing.T) {
	a := broker(t)
	ctx := bounded(t, 20*time.Second)
	c := control(t, a)
	queue := fmt.Sprintf("perfctl.test-%x", time.Now().UnixNano())
	for range 2 {
		// The broker closes the channel that asks for a missing queue.
		if _, err := c.Length(ctx, queue); err == nil {
			t.Fatal("a missing queue has a length")
		}
	}
	err := c.Do(ctx, func(ch *amqp.Channel) error {
		if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
			return err
		}
		if err := ch.Confirm(false); err != nil {
			return err
		}
		dc, err := ch.PublishWithDeferredConfirm("", queue, false, false, amqp.Publishing{Body: []byte("x")})
		if err == nil {
			_, err = dc.WaitContext(ctx)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Length(ctx, queue); n != 1 || err != nil {
		t.Errorf("length %d, %v; want 1", n, err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Length(done, queue); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	if err := c.Delete(ctx, queue); err != nil {
		t.Error(err)
	}
	if err := c.Delete(ctx, queue); err != nil {
		t.Errorf("deleting a missing queue: %v", err)
	}
}

func TestRecordsOfSeveralRunsDoNotDisturbEachOther(t *testing.T) {
	a := broker(t)
	ctx := bounded(t, 30*time.Second)
	prefix := fmt.Sprintf("perfctl.test-%x.", time.Now().UnixNano())
	errs := make(chan error, 4)
	for i := range 4 {
		c := control(t, a)
		queue := fmt.Sprintf("%s%d", prefix, i)
		go func() {
			err := c.Record(ctx, queue)
			if err == nil {
				err = c.Do(ctx, func(ch *amqp.Channel) error {
					_, err := ch.QueueDeclare(queue, true, false, false, false, nil)
					return err
				})
			}
			if err == nil && i%2 == 0 {
				err = errors.Join(c.Delete(ctx, queue), c.Forget(ctx, queue))
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	removed, err := control(t, a).Reset(ctx, prefix)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(removed, "\n")
	if len(removed) != 2 || !strings.Contains(text, prefix+"1 ") || !strings.Contains(text, prefix+"3 ") {
		t.Errorf("removed %q, want %s1 and %s3", removed, prefix, prefix)
	}
}

func control(t *testing.T, a targets.Address) *Control {
	t.Helper()
	c, err := OpenControl(bounded(t, 10*time.Second), a, Options{Name: "perfctl/test"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}
