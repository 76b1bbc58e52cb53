package rabbitmq

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/targets"
)

// A name may lead elsewhere when it is dialled than when the run was checked.
func TestAConnectionIsJudgedWhenItIsOpened(t *testing.T) {
	u, err := url.Parse("amqp://u:p@localhost:1")
	if err != nil {
		t.Fatal(err)
	}
	a := targets.Address{Kind: targets.RabbitMQ, URL: u, Reach: func(host string, _ netip.Addr) error {
		return targets.Guard{}.Reaches(host, netip.MustParseAddr("10.0.0.5"))
	}}
	_, err = Dial(t.Context(), a, Options{})
	if err == nil || !strings.Contains(err.Error(), "10.0.0.5") || !strings.Contains(err.Error(), "next: if it is yours to reach, say so with --allow-target localhost") {
		t.Errorf("got %v", err)
	}
}
