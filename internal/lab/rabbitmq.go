package lab

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

type rabbitMaker struct{ program, epmd string }

// findRabbitMQ prefers the script of the server itself: the one on the PATH of
// Debian changes to another user and reads the system's configuration.
func findRabbitMQ() (maker, string) {
	p := program([]string{"rabbitmq-server"}, newest("/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin"), "/usr/lib/rabbitmq/bin",
		"/opt/homebrew/sbin", "/usr/local/sbin", "/usr/sbin")
	epmd := program([]string{"epmd"}, newest("/usr/lib/erlang/erts-*/bin"))
	if p == "" || epmd == "" {
		return nil, "rabbitmq-server"
	}
	return rabbitMaker{p, epmd}, ""
}

func (m rabbitMaker) prepare(_ context.Context, dir string, _ func(string)) (*server, error) {
	ports, err := choosePorts(5)
	if err != nil {
		return nil, err
	}
	home := filepath.Join(dir, "rabbitmq")
	if err := os.RemoveAll(home); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(home, "log"), 0o700); err != nil {
		return nil, err
	}
	listen, management, prometheus := strconv.Itoa(ports[0]), strconv.Itoa(ports[1]), strconv.Itoa(ports[2])
	password := secret()
	// The memory limit stays RabbitMQ's default: what a broker holds back is
	// part of what is measured.
	conf := fmt.Sprintf(`listeners.tcp.1 = 127.0.0.1:%s
management.tcp.ip = 127.0.0.1
management.tcp.port = %s
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = %s
default_user = perfctl
default_pass = %s
disk_free_limit.absolute = 50MB
`, listen, management, prometheus, password)
	files := map[string]string{
		"rabbitmq.conf":     conf,
		"enabled_plugins":   "[rabbitmq_management,rabbitmq_prometheus].\n",
		"rabbitmq-env.conf": "",
		"advanced.config":   "[].\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	host := "127.0.0.1"
	u := url.URL{Scheme: "amqp", Host: net.JoinHostPort(host, listen), User: url.UserPassword("perfctl", password), Path: "//", RawPath: "/%2F"}
	node := "perfctl-" + listen + "@localhost"
	out := &server{
		Name: RabbitMQ, Log: filepath.Join(dir, "rabbitmq.log"), Quit: syscall.SIGTERM, dir: home,
		// Erlang would start its port mapper as a daemon in a session of its own,
		// where nobody finds it again; one that runs already is used.
		args: []string{"/bin/sh", "-c", `"$1" -port "$ERL_EPMD_PORT" -address 127.0.0.1 & exec "$0"`, m.program, m.epmd},
		env: []string{
			"RABBITMQ_NODENAME=" + node,
			"RABBITMQ_MNESIA_BASE=" + filepath.Join(home, "mnesia"),
			"RABBITMQ_LOG_BASE=" + filepath.Join(home, "log"),
			"RABBITMQ_CONFIG_FILE=" + filepath.Join(home, "rabbitmq.conf"),
			"RABBITMQ_ADVANCED_CONFIG_FILE=" + filepath.Join(home, "advanced.config"),
			"RABBITMQ_CONF_ENV_FILE=" + filepath.Join(home, "rabbitmq-env.conf"),
			"RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(home, "enabled_plugins"),
			"RABBITMQ_PID_FILE=" + filepath.Join(home, "pid"),
			"RABBITMQ_DIST_PORT=" + strconv.Itoa(ports[3]),
			"ERL_EPMD_PORT=" + strconv.Itoa(ports[4]),
			"ERL_EPMD_ADDRESS=127.0.0.1",
			"ERL_CRASH_DUMP_SECONDS=0", // a dump takes seconds, and its folder is removed
			"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
		},
		Settings: []Setting{
			{"RABBITMQ_HOST", host}, {"RABBITMQ_PORT", listen}, {"RABBITMQ_USER", "perfctl"}, {"RABBITMQ_PASSWORD", password},
			{"RABBITMQ_VHOST", "/"}, {"RABBITMQ_URL", u.String()},
			{"RABBITMQ_MANAGEMENT_URL", "http://" + net.JoinHostPort(host, management)},
			{"RABBITMQ_PROMETHEUS_URL", "http://" + net.JoinHostPort(host, prometheus)},
		},
		ready: func(ctx context.Context) error { return askRabbitMQ(ctx, u.String()) },
	}
	m.addTroubles(out, node, strconv.Itoa(ports[4]))
	return out, nil
}

// askRabbitMQ opens a connection and a channel.
func askRabbitMQ(ctx context.Context, address string) error {
	c, err := amqp.DialConfig(address, amqp.Config{
		Heartbeat: 10 * time.Second,
		Dial: func(network, addr string) (net.Conn, error) {
			var d net.Dialer
			conn, err := d.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			if deadline, ok := ctx.Deadline(); ok {
				err = conn.SetDeadline(deadline)
			}
			return conn, err
		},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	ch, err := c.Channel()
	if err != nil {
		return err
	}
	return ch.Close()
}
