package doctor

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/targets"
)

// Each limit is found wanting where arrivals in flight may need more, with what to do.
func TestLimitsAreHeldAgainstWhatMayBeInFlight(t *testing.T) {
	enough := health.Limits{OpenFiles: 4096, PortLow: 32768, PortHigh: 60999, ClockSource: "tsc", Synchronised: true, CPUs: 4, Load: 0.5}
	for _, c := range []struct {
		name   string
		bound  int64
		change func(*health.Limits)
		wrong  string // what is found wanting, empty for nothing
		says   string
	}{
		{"enough of all", 1000, func(*health.Limits) {}, "", "4 usable"},
		{"few files", 1000, func(l *health.Limits) { l.OpenFiles = 1024 }, "open files", "1024 allowed, up to 1100 needed for -u 1000; next: ulimit -n 2200"},
		{"as many files as it takes", 1000, func(l *health.Limits) { l.OpenFiles = 1100 }, "", "1100 allowed"},
		{"few ports", 1000, func(l *health.Limits) { l.PortLow, l.PortHigh = 60000, 60499 }, "ephemeral ports", "500 connections to one target at a time"},
		{"a clock that costs", 1000, func(l *health.Limits) { l.ClockSource = "hpet" }, "clock", "source hpet"},
		{"a clock that nobody disciplines", 1000, func(l *health.Limits) { l.Synchronised = false }, "", "not disciplined"},
	} {
		l := enough
		c.change(&l)
		var wrong []string
		var text strings.Builder
		compare(l, c.bound, func(f Finding) {
			if !f.OK {
				wrong = append(wrong, f.What)
			}
			text.WriteString(f.What + ": " + f.Found + "\n")
		})
		if got := strings.Join(wrong, ", "); got != c.wrong || !strings.Contains(text.String(), c.says) {
			t.Errorf("%s: %q is found wanting, want %q; it says\n%s", c.name, got, c.wrong, text.String())
		}
	}
	compare(health.Limits{}, 1000, func(f Finding) { t.Errorf("of a machine that says nothing: %s: %s", f.What, f.Found) })
}

// A connection that opens is timed, and one that does not says why, without the address
// twice.
func TestRoundTripOpensConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			opened <- c
		}
	}()
	a := targets.Address{Kind: targets.Redis, URL: &url.URL{Scheme: "redis", Host: l.Addr().String()}}
	took, err := roundTrip(t.Context(), a)
	if err != nil || took <= 0 {
		t.Errorf("took %v, %v", took, err)
	}
	for range 5 {
		_ = (<-opened).Close()
	}
	_ = l.Close()
	if _, err := roundTrip(t.Context(), a); err == nil || strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a closed port: %v", err)
	}
}
