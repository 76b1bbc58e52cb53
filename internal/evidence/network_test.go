//go:build linux

package evidence

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// pair returns the two ends of a connection.
func pair(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Close(), s.Close() })
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

func TestLostSegmentsAreSeenOnTheirConnectionAlone(t *testing.T) {
	client, server := pair(t)
	other, _ := pair(t)
	port := server.LocalAddr().(*net.TCPAddr).Port
	raw, err := server.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	all := watched(t, NewNetwork([]Port{{uint16(port), "api"}}, slog.New(slog.DiscardHandler)), func(seen func(string) bool) {
		time.Sleep(2 * looks) // it knows the connection first
		if err := raw.Control(func(fd uintptr) {
			if err := unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop[0]}); err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []*net.TCPConn{client, other} {
			if _, err := c.Write([]byte("question")); err != nil {
				t.Fatal(err)
			}
		}
		until(t, "a lost segment", func() bool {
			time.Sleep(2 * looks) // the span ends with a look that sees no more
			return seen(exemplars.Retransmits)
		})
	})
	for _, v := range only(all, exemplars.Retransmits) {
		if want := uint32(client.LocalAddr().(*net.TCPAddr).Port); v.Conn != want || v.System != "api" {
			t.Errorf("%+v, want connection %d", v, want)
		}
	}
	if len(only(all, exemplars.Retransmits)) == 0 {
		t.Error("nothing was seen")
	}
}
