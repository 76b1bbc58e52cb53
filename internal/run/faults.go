package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/faults/proxy"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/targets"
)

// faultTarget is what faults call a kind of target.
func faultTarget(k targets.Kind) string {
	if k == targets.API {
		return "http"
	}
	return string(k)
}

// chooseFaults makes the timetable of what is broken on purpose. A fault of the profile
// on a target that no scenario of the run has is left out; one that was asked for
// besides is an error.
func (p *Plan) chooseFaults() error {
	list, err := p.request.Profile.Timetable(p.request.Faults)
	if err != nil {
		return exitcode.ConfigError(err)
	}
	var used []string
	for _, k := range p.targetKinds() {
		used = append(used, faultTarget(k))
	}
	for _, d := range p.defs {
		for _, k := range d.Reaches {
			if t := faultTarget(k); !slices.Contains(used, t) {
				used = append(used, t)
			}
		}
	}
	var errs []error
	for _, f := range list {
		if !slices.Contains(used, f.Target) {
			if p.asked(f.Fault) {
				errs = append(errs, fmt.Errorf("%s: the run has nothing to do with %s: its scenarios use %s", f.Place, f.Target, strings.Join(used, ", ")))
			}
			continue
		}
		if err := p.mayBreak(&f.Fault); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.Place, err))
		}
		if err := p.endpoint(&f.Fault); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.Place, err))
		}
		p.faults = append(p.faults, f)
	}
	if err := errors.Join(errs...); err != nil {
		return exitcode.ConfigError(err)
	}
	return nil
}

// mayBreak refuses what is done to servers that nobody allowed.
func (p *Plan) mayBreak(f *faults.Fault) error {
	switch {
	case f.Kind.OnLab() && !p.request.Lab:
		return fmt.Errorf("%s is done to servers of --lab only: yours are nobody's to end; refuse and blackhole do the like to the connections of this run, and a profile may give a command of yours, as run and undo", f.Kind)
	case f.Kind == faults.Command && !p.request.AllowFaults:
		return fmt.Errorf("the fault %s runs a command of its own: %s\n  next: where that may be done, allow it with --allow-faults", f.Name, f.Run)
	}
	return nil
}

// boundedServices are the servers of the lab whose disks the plan fills.
func (p *Plan) boundedServices() (out []string) {
	for _, f := range p.faults {
		if f.Kind == faults.DiskFull && !slices.Contains(out, f.Target) {
			out = append(out, f.Target)
		}
	}
	return out
}

// asked says whether a fault was asked for besides those of the profile.
func (p *Plan) asked(f faults.Fault) bool {
	return slices.ContainsFunc(p.request.Faults, func(g faults.Fault) bool { return g.Place == f.Place })
}

// endpoint gives a fault that names an endpoint of a scenario its host and port.
func (p *Plan) endpoint(f *faults.Fault) error {
	if f.Endpoint == "" || strings.Contains(f.Endpoint, ":") {
		return nil
	}
	var names []string
	for i, d := range p.defs {
		for _, o := range d.Settings {
			if o.Key != "endpoints" {
				continue
			}
			named, err := request.ParseEndpoints(p.values[i].Text(0, o.Key))
			if err != nil {
				return err
			}
			for name, u := range named {
				if name == f.Endpoint {
					f.Endpoint = targets.Address{Kind: targets.API, URL: u}.HostPort()
					return nil
				}
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return fmt.Errorf("no endpoint is named %s: name it as host:port, or in the setting endpoints of a scenario", f.Endpoint)
	}
	return fmt.Errorf("no endpoint is named %s: there are %s", f.Endpoint, strings.Join(names, ", "))
}

// Faults returns what will be broken on purpose, in the order of the beginnings.
func (p *Plan) Faults() []faults.Timed { return slices.Clone(p.faults) }

// HastyFaults counts the faults after which the run goes on for less than it takes to
// tell a recovery, or that end inside another one.
func (p *Plan) HastyFaults() (n int, needs time.Duration) {
	for i, f := range p.faults {
		until, inside := p.schedule.Duration(), false
		for k, o := range p.faults {
			switch {
			case k == i:
			case o.Start >= f.End:
				until = min(until, o.Start)
			case o.Start < f.End && o.End > f.End:
				inside = true
			}
		}
		if inside || until-f.End < analysis.RecoveryWatch {
			n++
		}
	}
	return n, analysis.RecoveryWatch
}

// faultsInfo describes the faults for the run directory.
func (p *Plan) faultsInfo() (out []rundir.FaultInfo) {
	for _, f := range p.faults {
		out = append(out, rundir.FaultInfo{
			Name: f.Name, Target: f.Target, Endpoint: f.Endpoint, Kind: string(f.Kind), Text: f.String(),
			Start: f.Start.Seconds(), End: f.End.Seconds(), Share: f.Share, Hits: hits(f.Kind, f.Target),
		})
	}
	return out
}

// hits is which watched process a fault may end.
func hits(k faults.Kind, target string) string {
	switch {
	case k.OnLab():
		return target
	case k == faults.Command:
		return rundir.AnyProcess
	}
	return ""
}

// The metrics of faults. The operation is the fault's name, or the target's.
var (
	faultActive = metrics.Desc{Name: "fault_active", Kind: metrics.KindGauge, Unit: metrics.UnitCount,
		Help: "1 while a fault is in force; the operation is its name"}
	faultConnections = metrics.Desc{Name: "fault_proxy_connections", Kind: metrics.KindGauge, Unit: metrics.UnitCount,
		Help: "connections opened through the proxy of the faults since the start; the operation is the target's name"}
)

func faultMetrics() []metrics.Desc {
	return []metrics.Desc{faultActive, metrics.FaultFirstError, faultConnections}
}

// breaker does the faults of a plan.
type breaker struct {
	list   []faults.Timed
	set    *proxy.Set
	cost   time.Duration
	active []*metrics.Gauge
	first  []*metrics.Gauge
	opened map[string]*metrics.Gauge
	// servers does those that are done to servers themselves.
	servers *serverBreaker
}

// newBreaker makes what does the plan's faults, and the addresses by which scenarios go
// through it. Probes read the servers themselves. It reaches nothing.
func (x *Prepared) newBreaker(at *targets.Settings) (*breaker, *targets.Settings) {
	if len(x.plan.faults) == 0 {
		return nil, at
	}
	b := &breaker{list: x.plan.faults, servers: newServerBreaker(x), opened: map[string]*metrics.Gauge{}}
	var list []faults.Fault
	for _, f := range b.list {
		list = append(list, f.Fault)
	}
	b.set = proxy.New(list, x.plan.request.Seed)
	through := *at
	through.RouteBy(func(k targets.Kind) targets.Route {
		target := faultTarget(k)
		if !b.set.Covers(target) {
			return nil
		}
		return func(ctx context.Context, dial targets.Dialling, network, address, asked string) (net.Conn, error) {
			return b.set.Dial(ctx, dial, target, network, address, asked)
		}
	})
	return b, &through
}

// declare declares the metrics of the faults.
func (b *breaker) declare(r *metrics.Registry) {
	for _, f := range b.list {
		t := metrics.Tags{Operation: f.Name}
		b.active, b.first = append(b.active, r.Gauge(faultActive, t)), append(b.first, r.Gauge(metrics.FaultFirstError, t))
		if b.opened[f.Target] == nil {
			b.opened[f.Target] = r.Gauge(faultConnections, metrics.Tags{Operation: f.Target})
		}
	}
}

// measureCost measures what the proxy adds to a round trip, where there is one.
func (b *breaker) measureCost(ctx context.Context) (err error) {
	if b != nil && slices.ContainsFunc(b.list, func(f faults.Timed) bool { return !f.Kind.OnServer() }) {
		b.cost, err = proxy.Cost(ctx)
	}
	return err
}

func (b *breaker) costMicros() float64 {
	if b == nil {
		return 0
	}
	return float64(b.cost.Nanoseconds()) / 1e3
}

// close ends all faults and closes what is left of their connections.
func (b *breaker) close() {
	if b != nil {
		b.set.Close()
	}
}

// event is the beginning or the end of a fault.
type event struct {
	at    time.Duration
	fault int
	begin bool
}

// events lists what is done when. At one instant, ends come before beginnings.
func (b *breaker) events() (out []event) {
	for i, f := range b.list {
		out = append(out, event{f.Start, i, true}, event{f.End, i, false})
	}
	slices.SortStableFunc(out, func(a, b event) int {
		switch {
		case a.at != b.at:
			return int(max(min(a.at-b.at, 1), -1))
		case a.begin == b.begin:
			return 0
		case b.begin:
			return -1
		}
		return 1
	})
	return out
}

// breakThings does the plan's faults at their times, until the arrivals end: then all is
// mended, so that what is due can finish. mended waits for that.
func (m *measurer) breakThings(arrivals context.Context) (mended func()) {
	b := m.breaker
	if b == nil {
		return func() {}
	}
	ctx, end := context.WithCancel(arrivals)
	done := make(chan struct{})
	go m.guarded(func() {
		defer close(done)
		b.run(ctx, m)
	})()
	return func() {
		end()
		<-done
	}
}

// firstErrorEvery is how often it is looked whether an arrival failed.
const firstErrorEvery = 10 * time.Millisecond

func (b *breaker) run(ctx context.Context, m *measurer) {
	on := map[int]bool{}
	defer func() {
		for i := range on {
			b.do(i, false)
		}
		b.servers.wait()
		b.count()
	}()
	failed := func() (n int64) {
		for _, f := range m.engine.Failures() {
			n += f.Count
		}
		return n
	}
	waiting := map[int]int64{} // for the first error: how many arrivals had failed before
	for i := range b.list {
		b.active[i].Set(0)
	}
	for _, e := range b.events() {
		for m.engine.Elapsed() < e.at {
			wait := min(e.at-m.engine.Elapsed(), time.Second)
			if len(waiting) > 0 {
				wait = min(wait, firstErrorEvery)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			b.count()
			if len(waiting) == 0 {
				continue
			}
			now := failed()
			for i, before := range waiting {
				if now > before {
					b.first[i].Set((m.engine.Elapsed() - b.list[i].Start).Seconds())
					delete(waiting, i)
				}
			}
		}
		b.do(e.fault, e.begin)
		if e.begin {
			on[e.fault], waiting[e.fault] = true, failed()
		} else {
			delete(on, e.fault)
			delete(waiting, e.fault)
		}
	}
}

// do begins or ends a fault.
func (b *breaker) do(i int, begin bool) {
	if f := &b.list[i]; f.Kind.OnServer() {
		b.servers.do(f, begin)
	}
	if begin {
		b.set.Begin(i)
		b.active[i].Set(1)
		return
	}
	b.set.End(i)
	b.active[i].Set(0)
}

// count reads how many connections were opened.
func (b *breaker) count() {
	for target, g := range b.opened {
		g.Set(float64(b.set.Opened(target)))
	}
}
