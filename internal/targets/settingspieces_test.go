package targets

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestAPieceReplacesThatPieceOfAURL(t *testing.T) {
	const pg, mq, rd = "postgres://u:pw@db:1/x_test?sslmode=require", "amqps://u:pw@mq:1/shop?heartbeat=5", "redis://u:pw@cache:1/3"
	for _, c := range []struct{ name, value, url, want, password string }{
		{"DB_PASSWORD", "se cret/", pg, "postgres://u@db:1/x_test?sslmode=require", "se cret/"},
		{"DB_HOST", "elsewhere", pg, "postgres://u@elsewhere:1/x_test?sslmode=require", "pw"},
		{"DB_HOST", "::1", pg, "postgres://u@[::1]:1/x_test?sslmode=require", "pw"},
		{"DB_PORT", "7", pg, "postgres://u@db:7/x_test?sslmode=require", "pw"},
		{"DB_USER", "v", pg, "postgres://v@db:1/x_test?sslmode=require", "pw"},
		{"DB_NAME", "y_test", pg, "postgres://u@db:1/y_test?sslmode=require", "pw"},
		{"DB_SSLMODE", "disable", pg, "postgres://u@db:1/x_test?sslmode=disable", "pw"},
		{"DB_HOST", "b", "postgres://u:pw@db:1,db2:2/x_test", "postgres://u@b/x_test", "pw"},
		{"DB_PORT", "7", "postgres://u:pw@db:1,db2:2/x_test", "postgres://u@db:7,db2:7/x_test", "pw"},
		{"DB_HOST", "b", "postgres://u:pw@/x_test?host=/run/pg", "postgres://u@b/x_test", "pw"},
		{"DB_NAME", "y_test", "postgres://u:pw@db?dbname=x_test", "postgres://u@db/y_test", "pw"},
		{"DB_PASSWORD", "new", "jdbc:postgresql://db/x_test?user=u&password=pw", "postgresql://db/x_test?password=xxx&user=u", ""},
		{"DB_PASSWORD", "", pg, "postgres://u@db:1/x_test?sslmode=require", "pw"},
		{"DB_PORT", "tcp://10.0.0.1:5432", pg, "postgres://u@db:1/x_test?sslmode=require", "pw"},
		{"RABBITMQ_PASSWORD", "new", mq, "amqps://u@mq:1/shop?heartbeat=5", "new"},
		{"RABBITMQ_VHOST", "/", mq, "amqps://u@mq:1/%2F?heartbeat=5", "pw"},
		{"RABBITMQ_HOST", "a,b", mq, "amqps://u@a:1,b:1/shop?heartbeat=5", "pw"},
		{"RABBITMQ_TLS", "false", mq, "amqp://u@mq:1/shop?heartbeat=5", "pw"},
		{"REDIS_PASSWORD", "new", rd, "redis://u@cache:1/3", "new"},
		{"REDIS_HOST", "b", "unix:///run/r.sock?db=2", "redis://b?db=2", ""},
		{"REDIS_USERNAME", "v", rd, "redis://v@cache:1/3", "pw"},
	} {
		kind := map[string]Kind{"DB": Postgres, "RA": RabbitMQ, "RE": Redis}[c.name[:2]]
		s, err := Resolve(from(map[string]string{urlNameOf(kind): c.url, c.name: c.value}))
		if err != nil {
			t.Errorf("%s=%s over %s: %v", c.name, c.value, c.url, err)
			continue
		}
		a := s.Address(kind)
		if got := a.String(); got != c.want || a.Password() != c.password {
			t.Errorf("%s=%s over %s: %s with password %q, want %s with %q", c.name, c.value, c.url, got, a.Password(), c.want, c.password)
		}
		both := map[string]bool{}
		for _, x := range s.List {
			both[x.Name] = true
			if strings.Contains(x.Value, "pw") || strings.Contains(x.Value, "se cret") {
				t.Errorf("the password shows: %v", x)
			}
		}
		if !both[c.name] || !both[urlNameOf(kind)] {
			t.Errorf("%s=%s: not both are listed: %v", c.name, c.value, s.List)
		}
	}
}

func TestWhatThePiecesOfOneSourceSayOtherwiseThanItsURLIsSaid(t *testing.T) {
	s, err := Resolve(from(map[string]string{"DATABASE_URL": "postgres://u:pw@db:1/x_test", "DB_HOST": "elsewhere", "DB_USER": "u", "DB_PORT": "1"}))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "DB_HOST counts") {
		t.Errorf("warnings %q", s.Warnings)
	}
}

func TestAPieceOfAWeakerSourceIsShownAsOverridden(t *testing.T) {
	s, err := Resolve(func(n string) (string, string, bool) {
		switch n {
		case "DATABASE_URL":
			return "postgres://u:pw@db:1/x_test", "flag -e", true
		case "DB_HOST":
			return "elsewhere", "environment", false
		}
		return "", "", false
	})
	if err != nil || s.Postgres.HostPort() != "db:1" {
		t.Fatalf("%v, %v", s.Postgres, err)
	}
	if !slices.Contains(s.List, Setting{"DB_HOST", "(overridden by DATABASE_URL)", "environment"}) {
		t.Errorf("list %v", s.List)
	}
}

func TestFaultsOfTargetsThatAreNotUsedAreLeftOut(t *testing.T) {
	bad := from(map[string]string{"DATABASE_URL": "mysql://u@h/x", "REDIS_PORT": "x", "API_BASE_URL": "http://127.0.0.1:1"})
	s, err := Resolve(bad, API)
	if err != nil || s.API.Host() != "127.0.0.1" || s.Postgres.URL == nil {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := Resolve(bad, API, Redis); err == nil || strings.Contains(err.Error(), "DATABASE_URL") || !strings.Contains(err.Error(), "REDIS_PORT") {
		t.Errorf("got %v", err)
	}
}

func TestTLSOfTheBrokerFromSettings(t *testing.T) {
	s, err := Resolve(from(map[string]string{"RABBITMQ_HOST": "mq", "RABBITMQ_TLS_CA": "/ca", "RABBITMQ_TLS_CERT": "/c", "RABBITMQ_TLS_KEY": "/k",
		"RABBITMQ_TLS_SERVER_NAME": "n", "RABBITMQ_TLS_INSECURE": "true"}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.RabbitMQ.Rabbit()
	if err != nil || fmt.Sprint(r.Hosts) != "[mq:5671]" || r.TLS == nil || *r.TLS != (TLSFiles{CA: "/ca", Cert: "/c", Key: "/k", ServerName: "n", Insecure: true}) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := Resolve(from(map[string]string{"RABBITMQ_URL": "amqp://h?cacertfile=/ca"})); err == nil || !strings.Contains(err.Error(), "amqps") {
		t.Errorf("a parameter of TLS without TLS: %v", err)
	}
}

func TestWhatNobodyReadsInAnAddressIsSaid(t *testing.T) {
	for raw, want := range map[string]string{
		"amqp://h?hartbeat=5":                 "did you mean heartbeat",
		"amqp://h?connection_attempts=3":      "connection_attempts has no effect",
		"postgres://h/x_test?sslmod=require":  "did you mean sslmode",
		"postgres://h/x_test?pool_size=5":     "pool_size has no effect",
		"postgres://h/x_test?pool=5":          "pool has no effect",
		"http://h/v1?key=x":                   "has no effect",
		"redis://h?max_retries=3":             "max_retries has no effect",
		"postgres://h/x_test?sslmode=disable": "",
		"amqps://h?heartbeat=5&cacertfile=/c": "",
	} {
		name := map[string]string{"am": "RABBITMQ_URL", "po": "DATABASE_URL", "ht": "API_BASE_URL", "re": "REDIS_URL"}[raw[:2]]
		s, err := Resolve(from(map[string]string{name: raw}))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if got := strings.Join(s.Warnings, "\n"); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: warned %q, want %q", raw, got, want)
		}
	}
}
