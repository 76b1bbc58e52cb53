package targets

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestTheGuardJudgesTheAddressThatANameLeadsTo(t *testing.T) {
	g := Guard{AllowTargets: []string{"db.test", "10.0.0.7"}}
	for _, c := range []struct {
		host, ip string
		may      bool
	}{
		{"app.test", "127.0.0.1", true}, {"app.test", "::1", true}, {"app.test", "::ffff:127.0.0.2", true},
		{"app.test", "10.0.0.5", false}, {"localhost", "10.0.0.5", false}, {"app.test", "169.254.169.254", false},
		{"db.test", "10.0.0.5", true}, {"DB.test.", "10.0.0.5", true}, {"app.test", "10.0.0.7", true}, {"10.0.0.8", "10.0.0.8", false},
	} {
		err := g.Reaches(c.host, netip.MustParseAddr(c.ip))
		if (err == nil) != c.may {
			t.Errorf("%s at %s: %v", c.host, c.ip, err)
		}
		if err != nil && !strings.Contains(err.Error(), "--allow-target "+c.host) {
			t.Errorf("%v names no next step", err)
		}
	}
}

func TestADialIsJudgedByWhatIsDialled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	var asked string
	refuse := func(host string, ip netip.Addr) error {
		asked = host + " " + ip.String()
		return &RefusedError{Doing: "connect to", Target: host, Reason: "moved", Next: "none"}
	}
	_, err = Address{Kind: Redis, Reach: refuse}.Dial(t.Context(), "tcp", "localhost:"+port)
	if _, ok := errors.AsType[*RefusedError](err); !ok || !strings.HasPrefix(asked, "localhost ") || net.ParseIP(strings.TrimPrefix(asked, "localhost ")) == nil {
		t.Errorf("%v, asked about %q", err, asked)
	}
	c, err := Address{Kind: Redis}.Dial(t.Context(), "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if _, err := (Address{Kind: Redis}).Dial(t.Context(), "tcp", "192.0.2.1:1"); err == nil || !strings.Contains(err.Error(), "--allow-target 192.0.2.1") {
		t.Errorf("another machine without a guard: %v", err)
	}
}
