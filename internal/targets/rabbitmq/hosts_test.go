package rabbitmq

import (
	"errors"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/targets"
)

func TestEveryHostIsTriedInTurn(t *testing.T) {
	u, err := url.Parse("amqp://guest:guest@127.0.0.1:1,127.0.0.1:2/")
	if err != nil {
		t.Fatal(err)
	}
	a := targets.Address{Kind: targets.RabbitMQ, URL: u}
	_, err = Dial(t.Context(), a, Options{Timeout: 4 * time.Second})
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatal(err)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 2 {
		t.Errorf("not every host was tried: %v", err)
	}
	d, err := a.Destination()
	if err != nil || len(d.Hosts) != 1 {
		t.Errorf("the guard judges %v, %v", d.Hosts, err)
	}
}
