package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// matrix is one go through all cases.
type matrix struct {
	options
	log   io.Writer
	began time.Time
	// dir holds the runs, ca the authority's file.
	dir, ca   string
	authority *authority
	here, new place
	bin18     string
	version18 string

	serial  int
	folders []string
	running []*process
	rows    []row
}

// row is a line of the table; a column is yes, a dash for what was not asked, or what
// failed.
type row struct {
	title, from                       string
	scenarios, probes, faults, secure string
	ok                                bool
}

const (
	yes     = "yes"
	notHere = "–"
)

func (m *matrix) say(format string, args ...any) {
	fmt.Fprintf(m.log, "matrix: %5.0fs %s\n", time.Since(m.began).Seconds(), fmt.Sprintf(format, args...))
}

// prepare installs what is missing.
func (m *matrix) prepare(ctx context.Context) error {
	if _, err := os.Stat(m.program); err != nil {
		return fmt.Errorf("%w\n  next: make build", err)
	}
	var err error
	if m.dir, err = os.MkdirTemp("", "perfctl-matrix-runs-"); err != nil {
		return err
	}
	if err := os.Chmod(m.dir, 0o755); err != nil { //nolint:gosec // the servers read the authority's certificate
		return err
	}
	if m.authority, err = newAuthority(); err != nil {
		return err
	}
	m.ca = filepath.Join(m.dir, "ca.pem")
	if err := os.WriteFile(m.ca, []byte(m.authority.text), 0o644); err != nil { //nolint:gosec // a certificate is public
		return err
	}
	m.here = place{"Debian 12", "/"}
	if text, err := os.ReadFile("/etc/debian_version"); err == nil {
		m.here.title = "this machine (Debian " + strings.TrimSpace(string(text)) + ")"
	}
	if m.new, err = m.debian13(ctx); err != nil {
		return err
	}
	m.bin18, m.version18, err = m.postgres18(ctx)
	return err
}

// close ends what runs and removes its folders; those of runs stay where one failed.
func (m *matrix) close() {
	for _, p := range m.running {
		p.stop()
	}
	for _, f := range m.folders {
		_ = os.RemoveAll(f)
	}
	for _, r := range m.rows {
		if !r.ok {
			return
		}
	}
	_ = os.RemoveAll(m.dir)
}

// tried is one case.
type tried struct {
	name  string
	from  string
	start func(ctx context.Context) (*server, error)
	// scenarios are tried; probes must be read; back is how long a killed server takes
	// to be back, 0 for one whose faults are not tried.
	scenarios string
	probes    []string
	back      time.Duration
	// refused, where it is not empty, is what the run must be refused with.
	refused string
}

// The probes that each kind of server must answer.
var (
	pgProbes     = []string{"pg_connections", "pg_commits", "pg_wal_bytes", "pg_cache_hit_ratio"}
	redisProbes  = []string{"redis_memory_used_bytes", "redis_keyspace_hits", "redis_clients", "redis_commands"}
	rabbitProbes = []string{"rabbitmq_messages_published", "rabbitmq_connections", "rabbitmq_memory_bytes"}
)

func (m *matrix) cases() (out []tried) {
	for _, p := range []place{m.here, m.new} {
		name := map[bool]string{true: "RabbitMQ 3.10", false: "RabbitMQ 4"}[p == m.here]
		out = append(out, tried{name: name, from: p.title, scenarios: "tasks", probes: rabbitProbes, back: 50 * time.Second,
			start: func(ctx context.Context) (*server, error) { return m.rabbitmq(ctx, p) }})
	}
	pg := []struct {
		name, from, bin, version string
		place                    place
	}{
		{"PostgreSQL 15", m.here.title, "/usr/lib/postgresql/15/bin", "", m.here},
		{"PostgreSQL 17", m.new.title, "/usr/lib/postgresql/17/bin", "", m.new},
		{"PostgreSQL 18", "npm", filepath.Join(m.bin18, "bin"), m.version18, m.here},
	}
	starts := map[string]func(ctx context.Context) (*server, error){}
	for _, x := range pg {
		starts[x.name] = func(ctx context.Context) (*server, error) {
			version := x.version
			if version == "" {
				var err error
				if version, err = x.place.version(ctx, strings.ToLower(strings.Replace(x.name, "SQL ", "sql-", 1))); err != nil {
					return nil, err
				}
			}
			return m.postgres(ctx, x.place, x.bin, version)
		}
		out = append(out, tried{name: x.name, from: x.from, scenarios: "crud,voting", probes: pgProbes, back: 3 * time.Second, start: starts[x.name]})
	}
	for _, p := range []place{m.here, m.new} {
		for _, mode := range []string{"session", "transaction", "statement"} {
			refused := ""
			if mode == "statement" {
				refused = "pool_mode=statement"
			}
			behind := starts[map[bool]string{true: "PostgreSQL 15", false: "PostgreSQL 17"}[p == m.here]]
			out = append(out, tried{name: "PgBouncer, " + mode + " pooling, " + p.title, from: p.title, scenarios: "crud,voting", refused: refused,
				start: func(ctx context.Context) (*server, error) {
					s, err := behind(ctx)
					if err != nil {
						return nil, err
					}
					pooler, err := m.pgBouncer(ctx, p, s, mode)
					if err != nil {
						s.stop()
						return nil, err
					}
					pooler.processes = append(pooler.processes, s.processes...)
					return pooler, nil
				}})
		}
	}
	for _, r := range []struct {
		name, pkg, program, owner string
		place                     place
	}{
		{"Redis 7", "redis-server", "redis-server", "redis", m.here}, {"Redis 8", "redis-server", "redis-server", "redis", m.new},
		{"Valkey 8", "valkey-server", "valkey-server", "valkey", m.new},
	} {
		type starter func(context.Context, place, string, string, string) (*server, error)
		one := func(f starter) func(context.Context) (*server, error) {
			return func(ctx context.Context) (*server, error) { return f(ctx, r.place, r.pkg, r.program, r.owner) }
		}
		out = append(out,
			tried{name: r.name, from: r.place.title, scenarios: "cache", probes: redisProbes, back: 3 * time.Second,
				start: func(ctx context.Context) (*server, error) { return m.redis(ctx, r.place, r.pkg, r.program, r.owner) }},
			tried{name: r.name + ", cluster", from: r.place.title, scenarios: "cache", probes: redisProbes, start: one(m.cluster)},
			tried{name: r.name + ", Sentinel", from: r.place.title, scenarios: "cache", probes: redisProbes, start: one(m.sentinel)})
	}
	return out
}

// try goes through one case and notes what came of it.
func (m *matrix) try(ctx context.Context, c tried) bool {
	r := row{title: c.name, from: c.from, scenarios: notHere, probes: notHere, faults: notHere, secure: notHere}
	err := m.steps(ctx, c, &r)
	if r.ok = err == nil; r.ok {
		m.say("%s: good", r.title)
	} else {
		m.say("%s: %v", r.title, err)
	}
	m.rows = append(m.rows, r)
	return r.ok
}

func (m *matrix) steps(ctx context.Context, c tried, r *row) error {
	s, err := c.start(ctx)
	if err != nil {
		r.scenarios = "does not start"
		return err
	}
	defer s.stop()
	r.title = s.title
	if c.refused != "" {
		o, err := m.perfctl(ctx, s.plain, c.scenarios, time.Second)
		if err == nil {
			err = o.wants(exitUnreachable)
		}
		if err == nil && !strings.Contains(o.printed, c.refused) {
			err = fmt.Errorf("it is refused without %q: %s", c.refused, tail(o.printed, 500))
		}
		return note(&r.scenarios, "refused, by its own words", err)
	}
	o, err := m.scenarios(ctx, s.plain, c.scenarios)
	if err := note(&r.scenarios, yes, err); err != nil {
		return err
	}
	var errs []error
	if c.probes != nil {
		errs = append(errs, note(&r.probes, yes, o.probes(c.probes...)))
	}
	if s.tls != nil {
		errs = append(errs, note(&r.secure, yes, m.secure(ctx, s, c.scenarios)))
	}
	if c.back > 0 {
		errs = append(errs, note(&r.faults, yes, m.fault(ctx, s, kindOf(c.name), c.scenarios, c.back)))
	}
	return errors.Join(errs...)
}

// kindOf is what perfctl calls a kind of server.
func kindOf(name string) string {
	switch {
	case strings.HasPrefix(name, "RabbitMQ"):
		return "rabbitmq"
	case strings.HasPrefix(name, "PostgreSQL"):
		return "postgres"
	}
	return "redis"
}

// note writes into a column.
func note(column *string, good string, err error) error {
	*column = good
	if err != nil {
		*column = "**no**"
	}
	return err
}

// inside runs a program of a place.
func (m *matrix) inside(ctx context.Context, p place, name string, args ...string) error {
	return m.as(ctx, p, nil, home{"/", "/"}, name, args...)
}

// as runs a program of a place as one of its users.
func (m *matrix) as(ctx context.Context, p place, c *syscall.Credential, h home, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = h.inside
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=" + h.inside}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c}
	if p.root != "/" {
		cmd.SysProcAttr.Chroot, cmd.Err = p.root, nil
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, tail(string(out), 600))
	}
	return nil
}
