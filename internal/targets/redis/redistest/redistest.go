// Package redistest starts Redis servers for tests: one with any configuration, a
// cluster of three, a primary with a replica and a Sentinel.
package redistest

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/targets"
)

// Server is a server that runs until the test ends.
type Server struct {
	Port int
	cmd  *exec.Cmd
}

// Address returns the host and port.
func (s *Server) Address() string { return "127.0.0.1:" + strconv.Itoa(s.Port) }

// Stop ends the server at once.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill() //nolint:forbidigo // only tests import this package
	_ = s.cmd.Wait()
}

// Need skips a test that has no servers. PERFCTL_REDIS names another program.
func Need(t *testing.T) {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" { //nolint:forbidigo // only tests import this package
		t.Skip("needs servers: run make test")
	}
}

// Start starts a server; config are lines of its configuration, before which
// {port} stands for its port. It answers when Start returns.
func Start(t *testing.T, config ...string) *Server {
	t.Helper()
	return start(t, nil, config)
}

// StartSentinel starts a Sentinel.
func StartSentinel(t *testing.T, config ...string) *Server {
	t.Helper()
	return start(t, []string{"--sentinel"}, config)
}

func start(t *testing.T, args, config []string) *Server {
	t.Helper()
	Need(t)
	dir := t.TempDir()
	s := &Server{Port: FreePort(t)}
	text := strings.Join(append([]string{"bind 127.0.0.1", "port {port}", "dir " + dir, "daemonize no"}, config...), "\n") + "\n"
	if args == nil {
		text += "save \"\"\nappendonly no\n"
	}
	file := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "{port}", strconv.Itoa(s.Port))), 0o600); err != nil { //nolint:forbidigo // only tests import this package
		t.Fatal(err)
	}
	var log bytes.Buffer
	s.cmd = exec.CommandContext(t.Context(), cmp.Or(os.Getenv("PERFCTL_REDIS"), "redis-server"), append([]string{file}, args...)...) //nolint:forbidigo // only tests import this package
	s.cmd.Stdout, s.cmd.Stderr = &log, &log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	Until(t, func() error {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", s.Address())
		if err == nil {
			_ = c.Close()
		}
		return err
	})
	return s
}

// Until tries f until it succeeds, for 20 s.
func Until(t *testing.T, f func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// FreePort returns a port that was free.
func FreePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if port < 55000 { // a node's bus listens 10000 above its port
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// Client returns a plain client of the server.
func (s *Server) Client(t *testing.T) *driver.Client {
	t.Helper()
	c := driver.NewClient(&driver.Options{Addr: s.Address(), Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Cluster starts three nodes, each with a third of the slots.
func Cluster(t *testing.T, config ...string) []*Server {
	t.Helper()
	var nodes []*Server
	const slots = 16384
	for i := range 3 {
		n := Start(t, append([]string{"cluster-enabled yes", "cluster-node-timeout 1000", "cluster-require-full-coverage no"}, config...)...)
		nodes = append(nodes, n)
		c := n.Client(t)
		if err := c.ClusterAddSlotsRange(t.Context(), i*slots/3, (i+1)*slots/3-1).Err(); err != nil {
			t.Fatal(err)
		}
		if err := c.Do(t.Context(), "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			if err := c.ClusterMeet(t.Context(), "127.0.0.1", strconv.Itoa(nodes[0].Port)).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, n := range nodes {
		c := n.Client(t)
		Until(t, func() error {
			info, err := c.ClusterInfo(t.Context()).Result()
			if err == nil && (!strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_slots_assigned:16384") || !strings.Contains(info, "cluster_known_nodes:3")) {
				err = fmt.Errorf("node %d: %s", n.Port, info)
			}
			return err
		})
	}
	return nodes
}

// At returns an address.
func At(t *testing.T, format string, args ...any) targets.Address {
	t.Helper()
	u, err := url.Parse(fmt.Sprintf(format, args...))
	if err != nil {
		t.Fatal(err)
	}
	return targets.Address{Kind: targets.Redis, URL: u}
}
