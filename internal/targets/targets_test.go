package targets

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

func from(m map[string]string) Lookup {
	return func(n string) (string, string, bool) { v, ok := m[n]; return v, "test", ok }
}

func TestDefaultsAreThoseOfTheGuide(t *testing.T) {
	s, err := Resolve(from(nil))
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[Kind]string{
		RabbitMQ: "amqp://guest@localhost:5672/%2F",
		Postgres: "postgres://postgres@localhost:5432/orchestrator_test",
		Redis:    "redis://localhost:6379",
		API:      "http://localhost:3000",
	} {
		if got := s.Address(k).String(); got != want {
			t.Errorf("%s: %s, want %s", k, got, want)
		}
	}
}

func TestAURLCountsAloneAndTellsWhatItOverrides(t *testing.T) {
	s, err := Resolve(from(map[string]string{"DATABASE_URL": "postgres://u:pw@db:1/x_test?sslmode=require", "DB_HOST": "elsewhere"}))
	if err != nil {
		t.Fatal(err)
	}
	if s.Postgres.HostPort() != "db:1" || s.Postgres.Database() != "x_test" || s.Postgres.Password() != "pw" {
		t.Errorf("got %v", s.Postgres)
	}
	list := fmt.Sprint(s.List)
	if !strings.Contains(list, "overridden by DATABASE_URL") || strings.Contains(list, "pw") {
		t.Errorf("list %s", list)
	}
}

func TestFaultsAreReportedAtOnceAndWithoutSecrets(t *testing.T) {
	_, err := Resolve(from(map[string]string{
		"DB_PORT":      "54x2",
		"REDIS_URL":    "http://:hidden@localhost",
		"RABBITMQ_URL": "amqp://user:hidden@ho st:1/%zz",
	}))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"DB_PORT", "REDIS_URL", "RABBITMQ_URL"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not tell of %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("the password shows: %v", err)
	}
}

func TestNoErrorShowsThePassword(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pw := rapid.StringMatching(`[a-zA-Z0-9%:/@#?&=+ ]{4,20}`).Draw(t, "password")
		s, err := Resolve(from(map[string]string{"DB_PASSWORD": pw, "DB_USER": "someone"}))
		if err != nil {
			t.Fatal(err)
		}
		e := Unreachable(s.Postgres, "connect", fmt.Errorf("dial %s as %s: failed", s.Postgres.URL, pw), "")
		cause := strings.ReplaceAll(e.Error(), s.Postgres.String(), "")
		if strings.Contains(cause, pw) && !strings.Contains("dial as someone failed xxx PostgreSQL cannot connect next check DB_HOST and DB_PORT or DATABASE_URL postgres", pw) {
			t.Fatalf("%q shows %q", e, pw)
		}
	})
}

func TestUnreachableNamesTheNextStep(t *testing.T) {
	s, _ := Resolve(from(nil))
	err := Unreachable(s.Redis, "connect", fmt.Errorf("dial: %w", syscall.ECONNREFUSED), "")
	for _, want := range []string{"Redis at redis://localhost:6379", "--lab", "REDIS_HOST"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error("the cause is lost")
	}
}

func TestGuard(t *testing.T) {
	for _, c := range []struct {
		name    string
		set     map[string]string
		kind    Kind
		guard   Guard
		refused string
	}{
		{"loopback", nil, RabbitMQ, Guard{}, ""},
		{"loopback by number", map[string]string{"REDIS_HOST": "127.0.0.9"}, Redis, Guard{}, ""},
		{"IPv6 loopback", map[string]string{"REDIS_HOST": "::1"}, Redis, Guard{}, ""},
		{"another machine", map[string]string{"REDIS_HOST": "192.0.2.1"}, Redis, Guard{}, "--allow-target 192.0.2.1"},
		{"another machine, allowed", map[string]string{"REDIS_HOST": "192.0.2.1"}, Redis, Guard{AllowTargets: []string{"192.0.2.1"}}, ""},
		{"a database in use", map[string]string{"DB_NAME": "orders"}, Postgres, Guard{}, "--allow-database orders"},
		{"a database in use, allowed", map[string]string{"DB_NAME": "orders"}, Postgres, Guard{AllowDatabases: []string{"orders"}}, ""},
		{"a performance database", map[string]string{"DB_NAME": "Perf1"}, Postgres, Guard{}, ""},
		{"a host hidden in the query", map[string]string{"DATABASE_URL": "postgres://localhost/x_test?host=192.0.2.7"}, Postgres, Guard{}, "192.0.2.7"},
		{"a database hidden in the query", map[string]string{"DATABASE_URL": "postgres://localhost/x_test?dbname=orders"}, Postgres, Guard{}, "orders"},
		{"several hosts", map[string]string{"DATABASE_URL": "postgres://localhost:1,192.0.2.8:2/x_test"}, Postgres, Guard{}, "192.0.2.8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Resolve(from(c.set))
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

func TestAnAddressWithoutAUserPrintsNone(t *testing.T) {
	s, err := Resolve(from(map[string]string{"REDIS_URL": "redis://:pw@localhost:1"}))
	if err != nil || s.Redis.String() != "redis://localhost:1" {
		t.Errorf("got %s, %v", s.Redis, err)
	}
}
