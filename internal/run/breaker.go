package run

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/faults/proxy"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets"
)

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
