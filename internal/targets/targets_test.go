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
			t.Errorf("%q does not name %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("the password shows: %v", err)
	}
}

func TestNoErrorShowsThePassword(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pw := rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9%:/@#?&=+ ]{7,18}[a-zA-Z0-9]`).Draw(t, "password")
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

func TestAShortPasswordManglesNoMessage(t *testing.T) {
	s, err := Resolve(from(map[string]string{"DATABASE_URL": "postgres://u:i@localhost/x_test?sslrootcert=/nonexistent"}))
	if err != nil {
		t.Fatal(err)
	}
	e := Unreachable(s.Postgres, "connect", errors.New("open /nonexistent at postgres://u:i@localhost/x_test"), "")
	if !strings.Contains(e.Error(), "open /nonexistent at postgres://u:xxx@localhost/x_test") {
		t.Errorf("got %v", e)
	}
}

func TestAddressesShowNoSecretOfTheirQuery(t *testing.T) {
	for key, value := range map[string]string{
		"REDIS_URL":    "redis://localhost:1?pwd=hid&password=hid",
		"DATABASE_URL": "postgres://u@localhost/x_test?password=hid&sslpassword=hid&options=-c%20a.b%3Dhid",
		"API_BASE_URL": "http://localhost/v1?access_key=hid&token=hid&key=hid",
	} {
		s, err := Resolve(from(map[string]string{key: value}))
		if err != nil {
			t.Fatal(err)
		}
		if list := fmt.Sprint(s.List); strings.Contains(list, "hid") {
			t.Errorf("%s shows in %s", key, list)
		}
	}
}

func TestAnAddressWithoutAUserPrintsNone(t *testing.T) {
	s, err := Resolve(from(map[string]string{"REDIS_URL": "redis://:pw@localhost:1"}))
	if err != nil || s.Redis.String() != "redis://localhost:1" {
		t.Errorf("got %s, %v", s.Redis, err)
	}
}

func TestThePortOfAServiceLinkIsNoSetting(t *testing.T) {
	s, err := Resolve(from(map[string]string{"REDIS_PORT": "tcp://10.0.0.11:6379", "DB_PORT": "tcp://10.0.0.12:5432", "RABBITMQ_PORT": "udp://10.0.0.1:1"}))
	if err != nil {
		t.Fatal(err)
	}
	if s.Redis.HostPort() != "localhost:6379" || s.Postgres.HostPort() != "localhost:5432" || s.RabbitMQ.HostPort() != "localhost:5672" {
		t.Errorf("got %s, %s, %s", s.Redis, s.Postgres, s.RabbitMQ)
	}
}
