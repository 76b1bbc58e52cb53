package run

import (
	"context"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// A target that takes connections and says nothing counts as dead; one that refuses them
// or answers with an error does not, for what is asked of it fails by itself.
func TestOnlyATargetThatSaysNothingIsDead(t *testing.T) {
	serve := func(answer string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				t.Cleanup(func() { _ = c.Close() })
				if answer != "" {
					_, _ = c.Write([]byte(answer))
					_ = c.Close()
				}
			}
		}()
		return l.Addr().String()
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for _, k := range []struct {
		kind   targets.Kind
		scheme string
	}{{targets.RabbitMQ, "amqp"}, {targets.Postgres, "postgres"}, {targets.Redis, "redis"}} {
		at := func(host string) targets.Address {
			return targets.Address{Kind: k.kind, URL: &url.URL{Scheme: k.scheme, Host: host, User: url.UserPassword("u", "p"), Path: "/"}}
		}
		within, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if err := ping(within, at(serve(""))); err == nil {
			t.Errorf("%s: silence is taken for an answer", k.scheme)
		}
		cancel()
		for what, host := range map[string]string{"an error": serve("-ERR no\r\n"), "a refused connection": closed.Addr().String()} {
			if err := ping(t.Context(), at(host)); err != nil {
				t.Errorf("%s: %s is taken for silence: %v", k.scheme, what, err)
			}
		}
	}
}

func TestADeadlineOfTheConnectionIsSilenceToo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	address := targets.Address{Kind: targets.RabbitMQ, URL: &url.URL{Scheme: "amqp", Host: l.Addr().String(), User: url.UserPassword("u", "p"), Path: "/"}}
	_, err = rabbitmq.Dial(t.Context(), address, rabbitmq.Options{Name: "perfctl/ping", Timeout: 50 * time.Millisecond})
	if err == nil || !timedOut(err) {
		t.Errorf("nobody answers the broker's handshake, and it is not called a time-out: %v", err)
	}
}
