package redis

import (
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

// door stands before the real server and can be shut: what is open is cut and
// what comes is refused, as while a server restarts.
type door struct {
	server  string
	address string
	mu      sync.Mutex
	listen  net.Listener
	conns   []net.Conn
	mute    atomic.Bool // the server's answers get lost
}

// muted is a connection's way back through a door.
type muted struct {
	io.Writer
	d *door
}

func (m muted) Write(b []byte) (int, error) {
	if m.d.mute.Load() {
		return len(b), nil
	}
	return m.Writer.Write(b)
}

func newDoor(t *testing.T) (*door, targets.Address) {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	all, err := targets.Resolve(func(n string) (string, string, bool) {
		v, ok := os.LookupEnv(n)
		return v, "test", ok
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &door{server: all.Redis.HostPort(), address: "127.0.0.1:0"}
	d.open(t)
	t.Cleanup(d.shut)
	u := url.URL{Scheme: "redis", User: all.Redis.URL.User, Host: d.address, Path: all.Redis.URL.Path}
	return d, targets.Address{Kind: targets.Redis, URL: &u}
}

func (d *door) open(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listen, d.address = l, l.Addr().String()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", d.server)
			if err != nil {
				_ = in.Close()
				continue
			}
			d.mu.Lock()
			d.conns = append(d.conns, in, out)
			d.mu.Unlock()
			go func() { _, _ = io.Copy(out, in) }()
			go func() { _, _ = io.Copy(muted{in, d}, out) }()
		}
	}()
}

func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.listen.Close()
	for _, c := range d.conns {
		_ = c.Close()
	}
	d.conns = nil
}

func TestTheFirstCommandAfterTheServerIsBackSucceeds(t *testing.T) {
	const connections = 4
	d, addr := newDoor(t)
	c, err := Open(t.Context(), addr, Options{Connections: connections, Timeout: 5 * time.Second, Name: "perfctl-door"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n := c.Reconnects(); n != 0 {
		t.Errorf("%d reconnects before anything happened", n)
	}
	d.shut()
	// The open connections are found dead, then each command is refused.
	var kind work.Kind
	for range 10 * connections {
		err := c.Ping(t.Context()).Err()
		if err == nil {
			t.Fatal("a command succeeded without a server")
		}
		kind = work.KindOf(Classify(err))
	}
	if kind != work.KindRefused {
		t.Errorf("without a server a command fails as %s, want %s", kind, work.KindRefused)
	}
	d.open(t)
	for i := range 2 * connections {
		if err := c.Ping(t.Context()).Err(); err != nil {
			t.Fatalf("command %d after the server was back: %v", i, err)
		}
	}
	if c.Reconnects() == 0 {
		t.Error("the connections came back and none was counted")
	}
}

func TestEveryConnectionIsOpenFromTheStart(t *testing.T) {
	const connections = 7
	d, addr := newDoor(t)
	c, err := Open(t.Context(), addr, Options{Connections: connections, Timeout: 5 * time.Second, Name: "perfctl-door"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.conns) / 2; n != connections {
		t.Errorf("%d connections were opened, want %d", n, connections)
	}
}
