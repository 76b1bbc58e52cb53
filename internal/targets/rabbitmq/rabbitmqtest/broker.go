// Package rabbitmqtest starts RabbitMQ brokers for tests: one with any configuration,
// besides the one that the environment names. It is for tests alone.
package rabbitmqtest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/targets"
)

// Broker is a broker that runs until the test ends.
type Broker struct {
	// Port speaks AMQP; TLS speaks it over TLS, where the configuration has {tls}.
	Port, TLS int
	// User may do everything; Password is its password.
	User, Password string

	env []string
	cmd *exec.Cmd
	log bytes.Buffer
}

// Need skips a test that has no servers.
func Need(t *testing.T) {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" { //nolint:forbidigo // only tests import this package
		t.Skip("needs servers: run make test")
	}
}

// Start starts a broker. plugins are enabled; config are lines of its configuration, in
// which {tls} stands for a port for TLS. It answers when Start returns.
func Start(t *testing.T, plugins []string, config ...string) *Broker {
	t.Helper()
	Need(t)
	dir, err := os.MkdirTemp("", "perfctl-broker") //nolint:forbidigo,usetesting // its name is part of a socket's path, which may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) //nolint:forbidigo // only tests import this package
	ports := freePorts(t, 4)
	b := &Broker{Port: ports[0], TLS: ports[1], User: "perfctl", Password: "s3cret-of-a-test"}
	lines := append([]string{
		fmt.Sprintf("listeners.tcp.1 = 127.0.0.1:%d", b.Port), "default_user = " + b.User, "default_pass = " + b.Password, "disk_free_limit.absolute = 1MB",
	}, config...)
	files := map[string]string{
		"rabbitmq.conf":     strings.ReplaceAll(strings.Join(lines, "\n"), "{tls}", strconv.Itoa(b.TLS)) + "\n",
		"enabled_plugins":   "[" + strings.Join(plugins, ",") + "].\n",
		"rabbitmq-env.conf": "", "advanced.config": "[].\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil { //nolint:forbidigo // only tests import this package
			t.Fatal(err)
		}
	}
	b.env = []string{
		"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + dir, "LANG=C.UTF-8", //nolint:forbidigo // only tests import this package
		"RABBITMQ_NODENAME=perfctl-test-" + strconv.Itoa(b.Port) + "@localhost",
		"RABBITMQ_MNESIA_BASE=" + filepath.Join(dir, "mnesia"), "RABBITMQ_LOG_BASE=" + filepath.Join(dir, "log"),
		"RABBITMQ_CONFIG_FILE=" + filepath.Join(dir, "rabbitmq.conf"), "RABBITMQ_ADVANCED_CONFIG_FILE=" + filepath.Join(dir, "advanced.config"),
		"RABBITMQ_CONF_ENV_FILE=" + filepath.Join(dir, "rabbitmq-env.conf"), "RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(dir, "enabled_plugins"),
		"RABBITMQ_PID_FILE=" + filepath.Join(dir, "pid"), "RABBITMQ_DIST_PORT=" + strconv.Itoa(ports[2]),
		"ERL_EPMD_PORT=" + strconv.Itoa(ports[3]), "ERL_EPMD_ADDRESS=127.0.0.1", "ERL_CRASH_DUMP_SECONDS=0",
	}
	// The port mapper is started here, in the group of the broker: Erlang would start
	// one that nobody ends.
	b.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), "/bin/sh", "-c", `"$1" -port "$ERL_EPMD_PORT" -address 127.0.0.1 & exec "$0"`,
		program(t, "rabbitmq-server", "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin", "/usr/lib/rabbitmq/bin"), program(t, "epmd", "/usr/lib/erlang/erts-*/bin"))
	b.cmd.Env, b.cmd.Dir = b.env, dir
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	b.cmd.Stdout, b.cmd.Stderr = &b.log, &b.log
	b.cmd.WaitDelay = 5 * time.Second
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.stop)
	b.await(t)
	return b
}

// Restart kills the broker and starts it again with what it kept.
func (b *Broker) Restart(t *testing.T) {
	t.Helper()
	b.stop()
	again := exec.CommandContext(context.WithoutCancel(t.Context()), b.cmd.Args[0], b.cmd.Args[1:]...)
	again.Env, again.Dir, again.SysProcAttr = b.env, b.cmd.Dir, b.cmd.SysProcAttr
	again.Stdout, again.Stderr, again.WaitDelay = &b.log, &b.log, b.cmd.WaitDelay
	b.cmd = again
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.await(t)
}

// stop ends the broker and its port mapper at once.
func (b *Broker) stop() {
	_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL) //nolint:forbidigo // only tests import this package
	_ = b.cmd.Wait()
}

// await waits until the broker greets.
func (b *Broker) await(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(b.Port))
		if err != nil {
			continue
		}
		_ = c.SetDeadline(time.Now().Add(2 * time.Second))
		_, _ = c.Write([]byte("AMQP\x00\x00\x09\x01"))
		n, _ := c.Read(make([]byte, 1))
		_ = c.Close()
		if n == 1 {
			return
		}
	}
	b.stop()
	t.Fatalf("the broker does not come up: %s", &b.log)
}

// Control runs rabbitmqctl and returns what it prints.
func (b *Broker) Control(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "rabbitmqctl", "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin", "/usr/lib/rabbitmq/bin"), append([]string{"-q"}, args...)...)
	cmd.Env, cmd.Dir = b.env, b.cmd.Dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("rabbitmqctl %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// At returns an address; scheme is amqp or amqps, query what stands behind ?.
func (b *Broker) At(t *testing.T, scheme, query string) targets.Address {
	t.Helper()
	port := b.Port
	if scheme == "amqps" {
		port = b.TLS
	}
	return targets.Address{Kind: targets.RabbitMQ, URL: &url.URL{Scheme: scheme, User: url.UserPassword(b.User, b.Password),
		Host: "127.0.0.1:" + strconv.Itoa(port), Path: "//", RawPath: "/%2F", RawQuery: query}}
}

// program finds a program in the folders, which may have a *, or on the PATH.
func program(t *testing.T, name string, folders ...string) string {
	t.Helper()
	for _, f := range folders {
		if found, _ := filepath.Glob(filepath.Join(f, name)); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	p, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("needs %s: run scripts/install-servers", name)
	}
	return p
}

func freePorts(t *testing.T, n int) (out []int) {
	t.Helper()
	for range n {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // all are held until the last is found, so that they differ
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out
}
