// Package doctor examines what a run will need: whether the targets can be reached and
// the scenarios set up, what this machine allows, and which rate it can generate. It
// offers the targets no load and prints nothing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/targets"
)

// Finding is one thing that was examined.
type Finding struct {
	// OK says whether a run can do with what was found.
	OK bool
	// What was examined, and what was Found.
	What, Found string
}

// Targets opens connections to the targets of a plan and sets each of its scenarios
// up and down again. The error holds what a scenario could not be set up for, with
// the exit code of a target that cannot be reached.
func Targets(ctx context.Context, s *run.Session, p *run.Plan, found func(Finding)) error {
	addresses, err := s.Addresses(ctx, p)
	if err != nil {
		return err
	}
	for _, a := range addresses {
		rtt, err := roundTrip(ctx, a)
		if err != nil {
			found(Finding{What: a.Kind.Title(), Found: fmt.Sprintf("%s: %v", a, err)})
			continue
		}
		found(Finding{OK: true, What: a.Kind.Title(), Found: fmt.Sprintf("%s: a connection opens in %s", a, figure.Value(float64(rtt), metrics.UnitTime))})
	}
	return s.TrySetups(ctx, p, func(t run.Trial) {
		f := Finding{OK: t.Err == nil, What: "scenario " + t.Scenario, Found: "cannot be set up, see below"}
		if f.OK {
			f.Found = "sets up in " + figure.Value(float64(t.Took), metrics.UnitTime)
		}
		found(f)
	})
}

// roundTrip is the median time of opening a few connections.
func roundTrip(ctx context.Context, a targets.Address) (time.Duration, error) {
	h := new(metrics.Hist)
	d := net.Dialer{Timeout: 5 * time.Second}
	network, address := a.First()
	for range 5 {
		began := time.Now()
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			if op, ok := errors.AsType[*net.OpError](err); ok {
				err = op.Err
			}
			return 0, err
		}
		h.Record(int64(time.Since(began)))
		_ = c.Close() // nothing was sent
	}
	v, _, _ := h.Quantile(0.5)
	return time.Duration(v), nil
}

// Limits compares what a plan may need with what this machine allows.
func Limits(p *run.Plan, found func(Finding)) {
	compare(health.ReadLimits(), int64(p.MaxInFlight()), found)
}

// compare compares what arrivals in flight, up to bound, may need with the limits of a
// machine; what it does not say is left out.
func compare(l health.Limits, bound int64, found func(Finding)) {
	// Every arrival in flight may hold a connection; a few files are perfctl's.
	need := bound + 100
	if l.OpenFiles > 0 {
		text := fmt.Sprintf("%d allowed, up to %d needed for -u %d", l.OpenFiles, need, bound)
		if l.OpenFiles < need {
			text += fmt.Sprintf("; next: ulimit -n %d", 2*need)
		}
		found(Finding{l.OpenFiles >= need, "open files", text})
	}
	if l.PortHigh > 0 {
		ports := l.PortHigh - l.PortLow + 1
		found(Finding{ports > bound, "ephemeral ports", fmt.Sprintf("%d to %d: %d connections to one target at a time, %s new ones a second",
			l.PortLow, l.PortHigh, ports, figure.Whole(float64(ports)/60))})
	}
	if l.ClockSource != "" {
		cheap := l.ClockSource == "tsc" || l.ClockSource == "kvm-clock" || l.ClockSource == "arch_sys_counter"
		disciplined := ", not disciplined: instants of other machines do not compare"
		if l.Synchronised {
			disciplined = ", disciplined by NTP"
		}
		found(Finding{cheap, "clock", fmt.Sprintf("source %s, %s for a reading%s", l.ClockSource, readingCost(), disciplined)})
	}
	if l.CPUs > 0 {
		found(Finding{true, "processors", fmt.Sprintf("%d usable, load average %s", l.CPUs, figure.Number(l.Load))})
	}
}

// readingCost is what one reading of the clock takes.
func readingCost() time.Duration {
	const n = 10_000
	c := work.NewClock()
	began := time.Now()
	for range n {
		c.Now()
	}
	return time.Since(began) / n
}
