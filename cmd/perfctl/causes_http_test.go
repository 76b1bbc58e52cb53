//go:build causes

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// service is an HTTP server of the test's own that can be made to suffer.
type service struct {
	*httptest.Server
	// running is held while it is stopped; paused is for how long it was, so far.
	running sync.RWMutex
	paused  atomic.Int64
	// shake is how long a TLS handshake is held up.
	shake atomic.Int64
	mu    sync.Mutex
	conns map[net.Conn]http.ConnState
}

// newService starts one, over TLS where that is asked for.
func newService(t *testing.T, secure bool) *service {
	t.Helper()
	s := &service{conns: map[net.Conn]http.ConnState{}}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch state {
		case http.StateClosed, http.StateHijacked:
			delete(s.conns, c)
		case http.StateNew, http.StateActive, http.StateIdle:
			s.conns[c] = state
		}
	}
	if secure {
		s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			time.Sleep(time.Duration(s.shake.Load()))
			return nil, nil //nolint:nilnil // the configuration that there is
		}}
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.running.RLock()
	defer s.running.RUnlock()
	if r.URL.Path == "/metrics" {
		fmt.Fprintf(w, "# TYPE jvm_gc_pause_seconds summary\njvm_gc_pause_seconds_sum %g\njvm_gc_pause_seconds_count 1\n", time.Duration(s.paused.Load()).Seconds())
		return
	}
	if r.URL.Path == "/item/7" {
		time.Sleep(60 * time.Millisecond)
	}
	fmt.Fprint(w, "served")
}

// stopTheWorld serves nobody for a while, and says so in its metrics.
func (s *service) stopTheWorld(t *testing.T) (from, to time.Time) {
	t.Helper()
	return meanwhile(func() {
		s.running.Lock()
		defer s.running.Unlock()
		time.Sleep(700 * time.Millisecond)
		s.paused.Add(int64(700 * time.Millisecond))
	})
}

// lose has the kernel drop every segment that arrives on the server's connections, for a
// while: whoever sent them must send them again.
func (s *service) lose(t *testing.T) (from, to time.Time) {
	t.Helper()
	drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	each := func(f func(fd int) error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.conns {
			raw, err := c.(*net.TCPConn).SyscallConn()
			if err != nil {
				continue
			}
			_ = raw.Control(func(fd uintptr) { // a connection that is closed meanwhile loses nothing
				if err := f(int(fd)); err != nil && !errors.Is(err, unix.ENOENT) {
					t.Error(err)
				}
			})
		}
	}
	return meanwhile(func() {
		each(func(fd int) error {
			return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop[0]})
		})
		time.Sleep(500 * time.Millisecond)
		each(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0) })
	})
}

// closeIdle closes the connections that wait for a request.
func (s *service) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, state := range s.conns {
		if state == http.StateIdle {
			_ = c.Close() // the client finds it closed
		}
	}
}

func plantedInHTTP() []planted {
	var s *service
	var names *nameServer
	api := func(secure bool, more ...string) func(t *testing.T) []string {
		return func(t *testing.T) []string {
			s = newService(t, secure)
			return append([]string{"--scenario", "api", "-e", "API_BASE_URL=" + s.URL}, more...)
		}
	}
	return []planted{
		{name: "a garbage collection of the HTTP server", args: func(t *testing.T) []string {
			args := api(false)(t)
			return append(args, "--scrape", "app="+s.URL+"/metrics")
		}, want: `^gc_pause `, plant: func(t *testing.T) (from, to time.Time) { return s.stopTheWorld(t) }},
		{name: "one slow endpoint in ten", standing: true, want: `^operation .*item_7`, args: func(t *testing.T) []string {
			args := api(false)(t)
			return append(args, "--set", "api.requests="+tenEndpoints(t))
		}, plant: func(*testing.T) (from, to time.Time) { return time.Now(), time.Now() }},
		{name: "a burst of lost segments", args: api(false), want: `^retransmits `, plant: func(t *testing.T) (from, to time.Time) { return s.lose(t) }},
		{name: "slow TLS handshakes", rate: 40, args: api(true, "--set", "api.reuse=false", "--set", "api.tls_insecure=true"), want: `^tls `, plant: func(*testing.T) (from, to time.Time) {
			return meanwhile(func() {
				s.shake.Store(int64(500 * time.Millisecond))
				time.Sleep(time.Second)
				s.shake.Store(0)
			})
		}},
		{name: "a reconnect", want: `^(connect|tls|reconnect) `, args: func(t *testing.T) []string {
			args := api(true, "--set", "api.tls_insecure=true")(t)
			s.shake.Store(int64(60 * time.Millisecond)) // as far away as another continent
			return args
		}, plant: func(*testing.T) (from, to time.Time) {
			return meanwhile(func() {
				for range 5 {
					s.closeIdle()
					time.Sleep(200 * time.Millisecond)
				}
			})
		}},
		{name: "a stall of the name server", lasts: 36 * time.Second, rate: 40, want: `^dns `, args: func(t *testing.T) []string {
			names = newNameServer(t)
			args := api(false, "--set", "api.reuse=false", "--allow-target", "causes.test")(t)
			for i := range args {
				args[i] = strings.Replace(args[i], "://127.0.0.1", "://causes.test", 1)
			}
			return args
		}, wrap: ownNames, plant: func(t *testing.T) (from, to time.Time) { return names.stall(t) }},
	}
}

// tenEndpoints writes a file of ten requests, of which one is to a slow endpoint.
func tenEndpoints(t *testing.T) string {
	t.Helper()
	text := "requests:\n"
	for i := range 10 {
		text += fmt.Sprintf("  - {name: item_%d, weight: 1, path: /item/%d}\n", i, i)
	}
	file := filepath.Join(t.TempDir(), "requests.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// nameAddress is where the test's name server listens.
const nameAddress = "127.0.0.153"

// ownNames runs a command that asks the test's name server, in a mount namespace of its
// own.
var ownNames = []string{"unshare", "-m", "sh", "-c", `d=$(mktemp) && echo "nameserver ` + nameAddress + `" >"$d" && mount --bind "$d" /etc/resolv.conf && rm "$d" && exec "$0" "$@"`}

// nameServer answers every question for an IPv4 address with 127.0.0.1.
type nameServer struct {
	held  sync.RWMutex
	asked chan struct{}
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	c, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", nameAddress+":53")
	if err != nil {
		t.Skipf("needs port 53 and mount namespaces: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	n := &nameServer{asked: make(chan struct{}, 1)}
	go func() {
		for {
			text := make([]byte, 1500)
			size, from, err := c.ReadFrom(text)
			if err != nil {
				return
			}
			select {
			case n.asked <- struct{}{}:
			default:
			}
			go n.answer(c, from, text[:size])
		}
	}()
	return n
}

func (n *nameServer) answer(c net.PacketConn, to net.Addr, text []byte) {
	n.held.RLock()
	defer n.held.RUnlock()
	var m dnsmessage.Message
	if m.Unpack(text) != nil || len(m.Questions) == 0 {
		return
	}
	m.Response, m.Additionals = true, nil
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
	}
	if answer, err := m.Pack(); err == nil {
		_, _ = c.WriteTo(answer, to) // who does not get it asks again
	}
}

// stall answers nothing for a while from when it is asked next.
func (n *nameServer) stall(t *testing.T) (from, to time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	n.held.Lock()
	defer n.held.Unlock()
	select { // what was asked before
	case <-n.asked:
	default:
	}
	select {
	case <-n.asked:
	case <-ctx.Done():
		t.Error("nobody asked the name server")
	}
	return meanwhile(func() { time.Sleep(1200 * time.Millisecond) })
}
