package targets

import (
	"strings"
	"testing"
)

func TestAddressesOfPostgreSQLAsOtherProgramsWriteThem(t *testing.T) {
	for raw, want := range map[string]struct{ shown, warned string }{
		"postgresql+asyncpg://app:x@h:1/app_test":                       {"postgresql://app@h:1/app_test", ""},
		"postgresql+psycopg2://app:x@h:1/app_test?sslmode=disable":      {"postgresql://app@h:1/app_test?sslmode=disable", ""},
		"jdbc:postgresql://h:1/app_test?user=app&ssl=true":              {"postgresql://h:1/app_test?sslmode=require&user=app", ""},
		"postgres://h/app_test?pgbouncer=true&connection_limit=5":       {"postgres://h/app_test?default_query_exec_mode=exec", "connection_limit"},
		"postgres://h/app_test?statement_cache_capacity=0":              {"postgres://h/app_test?default_query_exec_mode=exec", ""},
		"postgres://h/app_test?prepareThreshold=0&currentSchema=shop":   {"postgres://h/app_test?default_query_exec_mode=exec&search_path=shop", ""},
		"postgres://h/app_test?schema=public":                           {"postgres://h/app_test?search_path=public", ""},
		"postgres://h/app_test?default_query_exec_mode=cache_statement": {"postgres://h/app_test?default_query_exec_mode=cache_statement", ""},
	} {
		s, err := Resolve(from(map[string]string{"DATABASE_URL": raw}))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if got := s.Postgres.String(); got != want.shown {
			t.Errorf("%s: %s, want %s", raw, got, want.shown)
		}
		if got := strings.Join(s.Warnings, " "); !strings.Contains(got, want.warned) || (want.warned == "") != (got == "") {
			t.Errorf("%s: warned %q, want %q", raw, got, want.warned)
		}
	}
}

func TestAPasswordWithSignsOfAURLIsExplained(t *testing.T) {
	for _, password := range []string{"pa#ss", "pa?ss", "p@ss/w", "p%zz", "p^x"} {
		for name, scheme := range map[string]string{"DATABASE_URL": "postgres", "RABBITMQ_URL": "amqp", "REDIS_URL": "redis"} {
			_, err := Resolve(from(map[string]string{name: scheme + "://app:" + password + "@127.0.0.1/app_test"}))
			if err == nil || !strings.Contains(err.Error(), "%23 %3F %2F %40 %25 %5E") || strings.Contains(err.Error(), password) {
				t.Errorf("%s with %q: %v", name, password, err)
			}
		}
	}
}

func TestAHostWithAPortInItIsExplained(t *testing.T) {
	_, err := Resolve(from(map[string]string{"REDIS_HOST": "127.0.0.1:7390"}))
	if err == nil || !strings.Contains(err.Error(), "REDIS_PORT") {
		t.Errorf("got %v", err)
	}
}
