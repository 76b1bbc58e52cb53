package targets

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// quietEnvironment leaves no variable of libpq that could lead elsewhere.
func quietEnvironment(t *testing.T) {
	t.Helper()
	for _, n := range []string{"PGHOST", "PGDATABASE", "PGUSER", "PGSERVICE", "PGSERVICEFILE", "PGPORT", "PGSSLMODE"} {
		t.Setenv(n, "")
		if err := os.Unsetenv(n); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGuardJudgesWhatTheDriverUses(t *testing.T) {
	service := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(service, []byte("[live]\ndbname=production\nhost=192.0.2.9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const pg = "DATABASE_URL"
	for _, c := range []struct {
		name, key, value string
		kind             Kind
		guard            Guard
		env              map[string]string
		refused          string // "" for allowed
	}{
		{name: "loopback", kind: RabbitMQ},
		{name: "loopback by number", key: "REDIS_HOST", value: "127.0.0.9", kind: Redis},
		{name: "IPv6 loopback", key: "REDIS_HOST", value: "::1", kind: Redis},
		{name: "another machine", key: "REDIS_HOST", value: "192.0.2.1", kind: Redis, refused: "--allow-target 192.0.2.1"},
		{name: "another machine, allowed", key: "REDIS_HOST", value: "192.0.2.1", kind: Redis, guard: Guard{AllowTargets: []string{"192.0.2.1"}}},
		{name: "a name in other letters, allowed", key: "REDIS_HOST", value: "Cache.Invalid.", kind: Redis, guard: Guard{AllowTargets: []string{"cache.invalid"}}},
		{name: "a name that does not resolve", key: "RABBITMQ_URL", value: "amqp://mq.invalid/", kind: RabbitMQ, refused: "--allow-target mq.invalid"},
		{name: "another API", key: "API_BASE_URL", value: "https://api.invalid", kind: API, refused: "--allow-target api.invalid"},
		{name: "a database in use", key: "DB_NAME", value: "orders", kind: Postgres, refused: "--allow-database orders"},
		{name: "a database in use, allowed", key: "DB_NAME", value: "orders", kind: Postgres, guard: Guard{AllowDatabases: []string{"orders"}}},
		{name: "dbname", key: pg, value: "postgres://localhost/x_test?dbname=orders", kind: Postgres, refused: "--allow-database orders"},
		{name: "database", key: pg, value: "postgres://localhost/x_test?database=orders", kind: Postgres, refused: "orders"},
		{name: "dbname and database", key: pg, value: "postgres://localhost/x?dbname=orchestrator_test&database=production", kind: Postgres, refused: "production"},
		{name: "host", key: pg, value: "postgres://localhost/x_test?host=192.0.2.7", kind: Postgres, refused: "192.0.2.7"},
		{name: "several hosts in host", key: pg, value: "postgres://localhost/x_test?host=localhost,192.0.2.7", kind: Postgres, refused: "192.0.2.7"},
		{name: "several hosts", key: pg, value: "postgres://localhost:1,192.0.2.8:2/x_test", kind: Postgres, refused: "192.0.2.8"},
		{name: "a database of the environment", key: pg, value: "postgres://localhost", kind: Postgres, env: map[string]string{"PGDATABASE": "production"}, refused: "production"},
		{name: "a database that the user names", key: pg, value: "postgres://boss@localhost", kind: Postgres, refused: "--allow-database boss"},
		{name: "a host of the environment that the URL overrides", key: pg, value: "postgres://localhost/x_test", kind: Postgres, env: map[string]string{"PGHOST": "192.0.2.5"}},
		{name: "a service", key: pg, value: "postgres://localhost?service=live&servicefile=" + service, kind: Postgres, refused: "production"},
		{name: "a service of the environment", key: pg, value: "postgres://localhost", kind: Postgres, env: map[string]string{"PGSERVICE": "live", "PGSERVICEFILE": service}, refused: "production"},
		{name: "a socket", key: pg, value: "postgres://localhost/x_test?host=/run/postgresql", kind: Postgres},
	} {
		t.Run(c.name, func(t *testing.T) {
			quietEnvironment(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			s, err := Resolve(from(map[string]string{c.key: c.value}))
			if err != nil {
				t.Fatal(err)
			}
			err = c.guard.Check(t.Context(), s.Address(c.kind))
			switch {
			case c.refused == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
				t.Errorf("got %v, want %q", err, c.refused)
			}
		})
	}
}

func TestNamesOfDatabasesAreJudgedByWords(t *testing.T) {
	for _, yes := range []string{"orchestrator_test", "perf-db", "test2", "Perf1", "shopTest", "test", "a.test.b", "TESTDB", "app_loadtest"} {
		if !forTests(yes) {
			t.Errorf("%s is taken for a database in use", yes)
		}
	}
	for _, no := range []string{"latest_prod", "contest", "performance_reviews", "attestations", "greatestHits", "production", ""} {
		if forTests(no) {
			t.Errorf("%s is taken for a test database", no)
		}
	}
}

func TestGuardChecksWhatIsReadAndWhereFiguresGo(t *testing.T) {
	u, _ := url.Parse("http://someone:hidden@collector.invalid:4318/v1?token=hidden")
	err := Guard{}.CheckURL(t.Context(), "send figures to", u)
	if err == nil || !strings.Contains(err.Error(), "--allow-target collector.invalid") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v", err)
	}
	if err := (Guard{AllowTargets: []string{"collector.invalid"}}).CheckURL(t.Context(), "send figures to", u); err != nil {
		t.Error(err)
	}
}

func TestAnAddressThatTheDriverCannotReadShowsNoSecret(t *testing.T) {
	s, err := Resolve(from(map[string]string{"DATABASE_URL": "postgres://u:hidden-one@localhost/x_test?sslmode=sometimes&sslpassword=hidden-two"}))
	if err != nil {
		t.Fatal(err)
	}
	err = Guard{}.Check(t.Context(), s.Postgres)
	if err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v", err)
	}
}
