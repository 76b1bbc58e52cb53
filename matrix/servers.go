package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// server is a started server and the settings under which it is reached.
type server struct {
	title string
	// plain and tls are settings of perfctl; tls is nil where there is none.
	plain, tls map[string]string
	processes  []*process
}

func (s *server) stop() {
	for _, p := range s.processes {
		p.stop()
	}
}

const secret = "s3cret-of-the-matrix"

// redis starts a Redis or a Valkey; lines are more of its configuration.
func (m *matrix) redis(ctx context.Context, p place, pkg, program, owner string, lines ...string) (*server, error) {
	version, err := p.version(ctx, pkg)
	if err != nil {
		return nil, err
	}
	h, c, err := m.newHome(p, owner)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(ctx, 2)
	if err != nil {
		return nil, err
	}
	ca, cert, key, err := m.certificates(h, c)
	if err != nil {
		return nil, err
	}
	config := append([]string{"bind 127.0.0.1", fmt.Sprintf("port %d", ports[0]), "save \"\"", "appendonly no", "daemonize no", "dir " + h.inside,
		fmt.Sprintf("tls-port %d", ports[1]), "tls-cert-file " + cert, "tls-key-file " + key, "tls-ca-cert-file " + ca, "tls-auth-clients no"}, lines...)
	if err := h.write(c, "redis.conf", strings.Join(config, "\n")+"\n"); err != nil {
		return nil, err
	}
	x, err := m.start(ctx, p, c, h, ports[0], nil, "/usr/bin/"+program, h.path("redis.conf"))
	if err != nil {
		return nil, err
	}
	title := map[string]string{"redis-server": "Redis ", "valkey-server": "Valkey "}[pkg] + version
	return &server{title: title, processes: []*process{x},
		plain: map[string]string{"REDIS_URL": fmt.Sprintf("redis://127.0.0.1:%d", ports[0])},
		tls:   map[string]string{"REDIS_URL": fmt.Sprintf("rediss://127.0.0.1:%d", ports[1]), "REDIS_TLS_CA": m.ca}}, nil
}

// cluster starts three nodes, each with a third of the slots.
func (m *matrix) cluster(ctx context.Context, p place, pkg, program, owner string) (*server, error) {
	all := &server{}
	cli := strings.Replace(program, "-server", "-cli", 1)
	var nodes []string
	for range 3 {
		n, err := m.redis(ctx, p, pkg, program, owner, "cluster-enabled yes", "cluster-node-timeout 2000", "tls-cluster no")
		if err != nil {
			return nil, err
		}
		all.title, all.plain = n.title+", cluster of 3", n.plain
		all.processes = append(all.processes, n.processes...)
		nodes = append(nodes, strings.TrimPrefix(n.plain["REDIS_URL"], "redis://"))
	}
	args := append([]string{"--cluster", "create"}, nodes...)
	if err := m.inside(ctx, p, "/usr/bin/"+cli, append(args, "--cluster-yes")...); err != nil {
		return all, err
	}
	for _, n := range nodes { // each node notices by itself that all slots are there
		_, port, _ := strings.Cut(n, ":")
		for try := 0; m.inside(ctx, p, "/bin/sh", "-c", cli+" -p "+port+" cluster info | grep -q cluster_state:ok") != nil; try++ {
			if try == 100 {
				return all, fmt.Errorf("node %s of the cluster does not come up", n)
			}
			pause(ctx)
		}
	}
	return all, nil
}

// sentinel starts a primary, a replica and a Sentinel that watches them.
func (m *matrix) sentinel(ctx context.Context, p place, pkg, program, owner string) (*server, error) {
	primary, err := m.redis(ctx, p, pkg, program, owner)
	if err != nil {
		return nil, err
	}
	at := strings.TrimPrefix(primary.plain["REDIS_URL"], "redis://127.0.0.1:")
	replica, err := m.redis(ctx, p, pkg, program, owner, "replicaof 127.0.0.1 "+at)
	if err != nil {
		return nil, err
	}
	h, c, err := m.newHome(p, owner)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(ctx, 1)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\nsentinel monitor main 127.0.0.1 %s 1\nsentinel down-after-milliseconds main 1000\n", ports[0], h.inside, at)
	if err := h.write(c, "sentinel.conf", config); err != nil {
		return nil, err
	}
	x, err := m.start(ctx, p, c, h, ports[0], nil, "/usr/bin/"+program, h.path("sentinel.conf"), "--sentinel")
	if err != nil {
		return nil, err
	}
	return &server{title: primary.title + ", Sentinel", processes: append(append(primary.processes, replica.processes...), x),
		plain: map[string]string{"REDIS_URL": fmt.Sprintf("redis+sentinel://127.0.0.1:%d/main", ports[0])}}, nil
}

// postgres starts a PostgreSQL whose programs are in bin.
func (m *matrix) postgres(ctx context.Context, p place, bin, version string) (*server, error) {
	h, c, err := m.newHome(p, "postgres")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(ctx, 1)
	if err != nil {
		return nil, err
	}
	if err := h.write(c, "password", secret); err != nil {
		return nil, err
	}
	if err := m.as(ctx, p, c, h, filepath.Join(bin, "initdb"), "-D", h.path("data"), "-U", "postgres", "--pwfile="+h.path("password"), "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"); err != nil {
		return nil, err
	}
	ca, cert, key, err := m.certificates(h, c)
	if err != nil {
		return nil, err
	}
	x, err := m.start(ctx, p, c, h, ports[0], nil, filepath.Join(bin, "postgres"), "-D", h.path("data"), "-p", strconv.Itoa(ports[0]), "-k", h.inside,
		"-c", "listen_addresses=127.0.0.1", "-c", "ssl=on", "-c", "ssl_ca_file="+ca, "-c", "ssl_cert_file="+cert, "-c", "ssl_key_file="+key, "-c", "max_connections=200")
	if err != nil {
		return nil, err
	}
	at := map[string]string{"DB_HOST": "127.0.0.1", "DB_PORT": strconv.Itoa(ports[0]), "DB_USER": "postgres", "DB_PASSWORD": secret, "DB_NAME": "perf_matrix", "DB_SSLMODE": "disable"}
	secure := map[string]string{"DB_SSLMODE": "verify-full", "DB_SSLROOTCERT": m.ca}
	for k, v := range at {
		if _, there := secure[k]; !there {
			secure[k] = v
		}
	}
	s := &server{title: "PostgreSQL " + version, processes: []*process{x}, plain: at, tls: secure}
	for try := 0; ; try++ { // it listens shortly before it answers
		err := m.createDatabase(ctx, at)
		if err == nil || try == 50 {
			return s, err
		}
		pause(ctx)
	}
}

// pgBouncer starts a pooler before a server that is running.
func (m *matrix) pgBouncer(ctx context.Context, p place, behind *server, mode string) (*server, error) {
	version, err := p.version(ctx, "pgbouncer")
	if err != nil {
		return nil, err
	}
	h, c, err := m.newHome(p, "nobody")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(ctx, 1)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%s user=postgres password=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nauth_type = any\npool_mode = %s\ndefault_pool_size = 120\nunix_socket_dir =\nserver_tls_sslmode = disable\n",
		behind.plain["DB_PORT"], secret, ports[0], mode)
	if err := h.write(c, "pgbouncer.ini", config); err != nil {
		return nil, err
	}
	x, err := m.start(ctx, p, c, h, ports[0], nil, "/usr/sbin/pgbouncer", h.path("pgbouncer.ini"))
	if err != nil {
		return nil, err
	}
	at := map[string]string{}
	for k, v := range behind.plain {
		at[k] = v
	}
	at["DB_PORT"] = strconv.Itoa(ports[0])
	return &server{title: fmt.Sprintf("PgBouncer %s, %s pooling, %s", version, mode, behind.title), plain: at, processes: []*process{x}}, nil
}

// rabbitmq starts a broker and its port mapper.
func (m *matrix) rabbitmq(ctx context.Context, p place) (*server, error) {
	version, err := p.version(ctx, "rabbitmq-server")
	if err != nil {
		return nil, err
	}
	h, c, err := m.newHome(p, "rabbitmq")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(ctx, 5)
	if err != nil {
		return nil, err
	}
	ca, cert, key, err := m.certificates(h, c)
	if err != nil {
		return nil, err
	}
	conf := fmt.Sprintf(`listeners.tcp.1 = 127.0.0.1:%d
listeners.ssl.1 = 127.0.0.1:%d
ssl_options.cacertfile = %s
ssl_options.certfile = %s
ssl_options.keyfile = %s
ssl_options.verify = verify_none
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = %d
default_user = perfctl
default_pass = %s
disk_free_limit.absolute = 1MB
`, ports[0], ports[1], ca, cert, key, ports[2], secret)
	if p.root != "/" { // there is no /proc in there, which the broker would read
		conf += "vm_memory_calculation_strategy = allocated\nvm_memory_high_watermark.absolute = 1GB\n"
	}
	for name, text := range map[string]string{"rabbitmq.conf": conf, "enabled_plugins": "[rabbitmq_prometheus].\n", "rabbitmq-env.conf": "", "advanced.config": "[].\n"} {
		if err := h.write(c, name, text); err != nil {
			return nil, err
		}
	}
	found, _ := filepath.Glob(filepath.Join(p.root, "usr/lib/erlang/erts-*/bin/epmd"))
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no epmd\n  next: install rabbitmq-server", p.title)
	}
	epmd := "/" + strings.TrimPrefix(strings.TrimPrefix(found[len(found)-1], p.root), "/")
	env := []string{
		"RABBITMQ_NODENAME=perfctl-matrix-" + strconv.Itoa(ports[0]) + "@localhost", "RABBITMQ_MNESIA_BASE=" + h.path("mnesia"), "RABBITMQ_LOG_BASE=" + h.path("logs"),
		"RABBITMQ_CONFIG_FILE=" + h.path("rabbitmq.conf"), "RABBITMQ_ADVANCED_CONFIG_FILE=" + h.path("advanced.config"), "RABBITMQ_CONF_ENV_FILE=" + h.path("rabbitmq-env.conf"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + h.path("enabled_plugins"), "RABBITMQ_PID_FILE=" + h.path("pid"), "RABBITMQ_DIST_PORT=" + strconv.Itoa(ports[3]),
		"ERL_EPMD_PORT=" + strconv.Itoa(ports[4]), "ERL_EPMD_ADDRESS=127.0.0.1", "ERL_CRASH_DUMP_SECONDS=0",
	}
	x, err := m.start(ctx, p, c, h, ports[0], env, "/bin/sh", "-c", `"$1" -port "$ERL_EPMD_PORT" -address 127.0.0.1 & exec "$0"`, "/usr/lib/rabbitmq/bin/rabbitmq-server", epmd)
	if err != nil {
		return nil, err
	}
	at := func(scheme string, port int) string {
		return fmt.Sprintf("%s://perfctl:%s@127.0.0.1:%d/%%2F", scheme, secret, port)
	}
	figures := fmt.Sprintf("http://127.0.0.1:%d", ports[2])
	return &server{title: "RabbitMQ " + version, processes: []*process{x},
		plain: map[string]string{"RABBITMQ_URL": at("amqp", ports[0]), "RABBITMQ_PROMETHEUS_URL": figures},
		tls:   map[string]string{"RABBITMQ_URL": at("amqps", ports[1]), "RABBITMQ_TLS_CA": m.ca, "RABBITMQ_PROMETHEUS_URL": figures}}, nil
}

// certificates writes those of a server into its folder, and returns their paths as it
// sees them.
func (m *matrix) certificates(h home, c *syscall.Credential) (ca, cert, key string, err error) {
	text, err := os.ReadFile(m.ca)
	if err != nil {
		return "", "", "", err
	}
	certText, keyText, err := m.authority.issue()
	if err != nil {
		return "", "", "", err
	}
	for name, text := range map[string]string{"ca.pem": string(text), "server.pem": certText, "server.key": keyText} {
		if err := h.write(c, name, text); err != nil {
			return "", "", "", err
		}
	}
	return h.path("ca.pem"), h.path("server.pem"), h.path("server.key"), nil
}
