package proxy

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/faults"
)

// server echoes, and keeps the connections that it accepted and what it got.
type server struct {
	net.Listener
	accepted chan net.Conn
	mu       sync.Mutex
	got      []byte
}

func newServer(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l, accepted: make(chan net.Conn, 2000)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.accepted <- c
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for {
					n, err := c.Read(buf)
					s.mu.Lock()
					s.got = append(s.got, buf[:n]...)
					s.mu.Unlock()
					if _, failed := c.Write(buf[:n]); err != nil || failed != nil {
						return
					}
				}
			}()
		}
	}()
	return s
}

func (s *server) received() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.got)
}

func newSet(t *testing.T, texts ...string) *Set {
	t.Helper()
	var list []faults.Fault
	for _, text := range texts {
		f, err := faults.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	s := New(list, 1)
	t.Cleanup(s.Close)
	return s
}

func (s *server) dial(t *testing.T, set *Set) net.Conn {
	t.Helper()
	c, err := set.Dial(t.Context(), new(net.Dialer).DialContext, "redis", "tcp", s.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// say writes and reads the echo.
func say(c net.Conn, text string) (string, error) {
	if _, err := c.Write([]byte(text)); err != nil {
		return "", err
	}
	return hear(c, len(text))
}

// patience is how long what must come may take, silence how long what must not come
// is waited for.
const (
	patience = 20 * time.Second
	silence  = 60 * time.Millisecond
)

func hear(c net.Conn, n int) (string, error) {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, n)
	m, err := io.ReadFull(c, buf)
	return string(buf[:m]), err
}

func silent(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(silence))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %d bytes, %v; want nothing", n, err)
	}
}

func mustSay(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if got, err := say(c, text); err != nil || got != text {
		t.Fatalf("got %q, %v; want %q", got, err, text)
	}
}

func TestBytesPassUnchanged(t *testing.T) {
	for _, text := range []string{"redis: delay 1ms", "redis: delay 2ms±2ms both", "redis: bandwidth 50MB/s", "redis: slow-start 50MB/s"} {
		for _, on := range []bool{false, true} {
			s, set := newServer(t), newSet(t, text)
			c := s.dial(t, set)
			if on {
				set.Begin(0)
			}
			want := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
			go func() {
				for part := want; len(part) > 0; {
					n := min(len(part), 1+len(part)%7001)
					if _, err := c.Write(part[:n]); err != nil {
						return
					}
					part = part[n:]
				}
				_ = c.(*net.TCPConn).CloseWrite()
			}()
			_ = c.SetReadDeadline(time.Now().Add(patience))
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, on %t: got %d of %d bytes, %v", text, on, len(got), len(want), err)
			}
		}
	}
}

func TestTLSPassesUntouched(t *testing.T) {
	pair := selfSigned(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go echo(l)
	set := newSet(t, "redis: delay 1ms")
	set.Begin(0)
	raw, err := set.Dial(t.Context(), new(net.Dialer).DialContext, "redis", "tcp", l.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the certificate compared is below
	mustSay(t, c, "hello")
	if got := c.ConnectionState().PeerCertificates[0].Raw; !bytes.Equal(got, pair.Certificate[0]) {
		t.Error("the certificate is not the server's own")
	}
}

func TestADelayHoldsAnswersAndItsEndReleasesThem(t *testing.T) {
	s, set := newServer(t), newSet(t, "redis: delay 40ms", "redis: delay 10h up")
	c := s.dial(t, set)
	mustSay(t, c, "a")
	set.Begin(0)
	start := time.Now()
	mustSay(t, c, "b")
	if took := time.Since(start); took < 40*time.Millisecond {
		t.Errorf("an answer delayed by 40 ms came after %v", took)
	}
	set.End(0)
	set.Begin(1)
	if _, err := c.Write([]byte("c")); err != nil {
		t.Fatal(err)
	}
	silent(t, c)
	set.End(1)
	if got, err := hear(c, 1); got != "c" {
		t.Errorf("after the end of the delay: %q, %v", got, err)
	}
}

func TestRefuse(t *testing.T) {
	s, set := newServer(t), newSet(t, "redis: refuse")
	c := s.dial(t, set)
	mustSay(t, c, "a")
	set.Begin(0)
	if _, err := say(c, "b"); err == nil {
		t.Error("a connection outlived its server")
	}
	_, err := set.Dial(t.Context(), new(net.Dialer).DialContext, "redis", "tcp", s.Addr().String(), "")
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection: %v", err)
	}
	set.End(0)
	mustSay(t, s.dial(t, set), "c")
	if set.faults[0].touched.Load() != 2 {
		t.Errorf("%d connections were touched, want 2", set.faults[0].touched.Load())
	}
}

func TestReset(t *testing.T) {
	s, set := newServer(t), newSet(t, "redis: reset")
	old := s.dial(t, set)
	mustSay(t, old, "a")
	set.Begin(0)
	if _, err := hear(old, 1); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("an open connection: %v", err)
	}
	if _, err := say(s.dial(t, set), "b"); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a new connection: %v", err)
	}
	set.End(0)
	mustSay(t, s.dial(t, set), "c")
}

func TestABlackHoleLosesNothing(t *testing.T) {
	s, set := newServer(t), newSet(t, "redis: blackhole")
	old := s.dial(t, set)
	mustSay(t, old, "a")
	set.Begin(0)
	fresh := s.dial(t, set)
	for _, c := range []net.Conn{old, fresh} {
		if _, err := c.Write([]byte("b")); err != nil {
			t.Fatal(err)
		}
		silent(t, c)
	}
	if got := s.received(); got != "a" {
		t.Errorf("the server got %q through the hole", got)
	}
	set.End(0)
	for _, c := range []net.Conn{old, fresh} {
		if got, err := hear(c, 1); got != "b" {
			t.Errorf("after the end: %q, %v", got, err)
		}
		mustSay(t, c, "c")
	}
}

func TestAPartitionHoldsOneDirection(t *testing.T) {
	for text, arrives := range map[string]string{"redis: partition up": "a", "redis: partition down": "ab"} {
		s, set := newServer(t), newSet(t, text)
		c := s.dial(t, set)
		mustSay(t, c, "a")
		set.Begin(0)
		if _, err := c.Write([]byte("b")); err != nil {
			t.Fatal(err)
		}
		silent(t, c)
		if got := s.received(); got != arrives {
			t.Errorf("%s: the server got %q, want %q", text, got, arrives)
		}
		set.End(0)
		if got, err := hear(c, 1); got != "b" {
			t.Errorf("%s: after the end: %q, %v", text, got, err)
		}
	}
}

func TestHalfOpen(t *testing.T) {
	s, set := newServer(t), newSet(t, "redis: half-open")
	old := s.dial(t, set)
	mustSay(t, old, "a")
	side := <-s.accepted
	set.Begin(0)
	_ = side.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, err := side.Read(make([]byte, 1)); err != nil {
			break // the server's side is gone
		}
	}
	for range 3 {
		if _, err := old.Write([]byte("b")); err != nil {
			t.Fatalf("the client was told: %v", err)
		}
	}
	silent(t, old)
	mustSay(t, s.dial(t, set), "c")
	set.End(0)
	if _, err := hear(old, 1); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client learns of it at last: %v", err)
	}
	if got := s.received(); got != "ac" {
		t.Errorf("the server got %q", got)
	}
}

func TestCut(t *testing.T) {
	s, set := newServer(t), newSet(t, "redis: cut 10B")
	c := s.dial(t, set)
	mustSay(t, c, "before, and more than ten bytes")
	set.Begin(0)
	if got, err := say(c, "0123456789abcdef"); got != "0123456789" || err == nil {
		t.Errorf("got %q, %v", got, err)
	}
	mustSay(t, s.dial(t, set), "012345678")
}

func TestBandwidthAndSlowStartTakeTheirTime(t *testing.T) {
	for text, least := range map[string]time.Duration{
		// 4000 bytes: 100 ms; and within the first second of a slow start the same.
		"redis: bandwidth 40kB/s down": 80 * time.Millisecond, "redis: slow-start 40kB/s down": 80 * time.Millisecond,
	} {
		s, set := newServer(t), newSet(t, text)
		c := s.dial(t, set)
		set.Begin(0)
		start := time.Now()
		mustSay(t, c, string(bytes.Repeat([]byte("x"), 4000)))
		if took := time.Since(start); took < least {
			t.Errorf("%s: 4000 bytes came within %v", text, took)
		}
	}
}

func TestAShareOfConnectionsIsTheSameForOneSeed(t *testing.T) {
	counts := map[int64]bool{}
	for range 2 {
		s, set := newServer(t), newSet(t, "redis: blackhole share 30%")
		for range 300 {
			mustSay(t, s.dial(t, set), "a")
		}
		set.Begin(0)
		n := set.faults[0].touched.Load()
		if n < 60 || n > 120 { // 30 % of 300, give or take four standard deviations
			t.Errorf("30 %% of 300 connections are %d", n)
		}
		counts[n] = true
	}
	if len(counts) != 1 {
		t.Errorf("one seed, two shares: %v", counts)
	}
}

func TestOneEndpointOfSeveral(t *testing.T) {
	a, b := newServer(t), newServer(t)
	set := newSet(t, "redis@"+a.Addr().String()+": refuse")
	set.Begin(0)
	if _, err := set.Dial(t.Context(), new(net.Dialer).DialContext, "redis", "tcp", a.Addr().String(), ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the endpoint: %v", err)
	}
	mustSay(t, b.dial(t, set), "another one")
	if set.Covers("postgres") || !set.Covers("redis") {
		t.Error("a target without a fault has a proxy")
	}
}

func TestErrorsAreTheServersOwn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	_ = l.Close()
	set := newSet(t, "redis: delay 1ms")
	refused := errors.New("the guard says no")
	guarded := &net.Dialer{Control: func(_, to string, _ syscall.RawConn) error {
		if to != at {
			t.Errorf("the guard was asked about %s, not %s", to, at)
		}
		return refused
	}}
	if _, err := set.Dial(t.Context(), guarded.DialContext, "redis", "tcp", at, ""); !errors.Is(err, refused) {
		t.Errorf("what the guard refuses: %v", err)
	}
	if _, err := set.Dial(t.Context(), new(net.Dialer).DialContext, "redis", "tcp", at, ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestAStrangerIsNotServed(t *testing.T) {
	s, set := newServer(t), newSet(t, "redis: delay 1ms")
	c := s.dial(t, set)
	mustSay(t, c, "a")
	at := c.RemoteAddr().String()
	if host, _, _ := net.SplitHostPort(at); !net.ParseIP(host).IsLoopback() {
		t.Fatalf("the proxy listens on %s", at)
	}
	stranger, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if got, err := say(stranger, "let me in"); err == nil {
		t.Errorf("a stranger was answered: %q", got)
	}
	// A driver that cancels by dialling its peer is served.
	again, err := set.Dial(t.Context(), new(net.Dialer).DialContext, "redis", "tcp", at, "")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	mustSay(t, again, "b")
}

func TestCloseEndsAll(t *testing.T) {
	s, set := newServer(t), newSet(t, "redis: blackhole")
	c := s.dial(t, set)
	mustSay(t, c, "a")
	set.Begin(0)
	_, _ = c.Write([]byte("b"))
	set.Close()
	if _, err := hear(c, 1); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection outlived the set: %v", err)
	}
	if _, err := set.Dial(t.Context(), new(net.Dialer).DialContext, "redis", "tcp", s.Addr().String(), ""); err == nil {
		t.Error("a closed set dials")
	}
}

func TestCostIsMeasured(t *testing.T) {
	cost, err := Cost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the proxy adds %v to a round trip at the median", cost)
}
