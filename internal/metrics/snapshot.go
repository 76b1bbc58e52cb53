package metrics

import (
	"context"
	"sync"
	"time"
)

// Snapshot is what one second of a run recorded. It is valid only during the
// call that delivers it; what must live longer is copied.
type Snapshot struct {
	// Number counts the snapshots of a run from 0.
	Number int
	// Start and End bound the interval, as time since the first arrival could
	// be due.
	Start, End time.Duration
	// At is the wall-clock time of End.
	At time.Time
	// Stage is the stage in force in the middle of the interval.
	Stage int
	// Last says that no snapshot follows.
	Last bool
	// Trends, Counters, Rates and Gauges hold the series that have something
	// to tell; a series without events in the interval is absent.
	Trends   []TrendValue
	Counters []CounterValue
	Rates    []RateValue
	Gauges   []GaugeValue
	// Marks are single arrivals, of the seconds before.
	Marks []Mark
}

// TrendValue is one trend's interval.
type TrendValue struct {
	Series *Series
	Hist   *Hist
}

// CounterValue is what a counter grew by.
type CounterValue struct {
	Series *Series
	Delta  int64
}

// RateValue is what a rate counted: Hits of Total.
type RateValue struct {
	Series      *Series
	Hits, Total int64
}

// GaugeValue is a gauge's reading, tagged with the stage in force.
type GaugeValue struct {
	Series *Series
	Value  float64
}

// Collector drains the registry once a second and hands the snapshot to its
// subscribers, in the order in which they subscribed, on its own goroutine. It
// also keeps the run's totals.
type Collector struct {
	reg     *Registry
	stageAt func(time.Duration) int
	now     func() time.Duration
	subs    []func(*Snapshot)
	through func(func())

	snap   Snapshot
	hists  map[*cell]*Hist
	gauges map[*Gauge][]Series

	mu     sync.Mutex
	totals *Totals
}

// NewCollector returns a collector of reg. now tells the time since the first
// arrival could be due, stageAt the stage in force at such a time.
func NewCollector(reg *Registry, now func() time.Duration, stageAt func(time.Duration) int) *Collector {
	return &Collector{
		reg: reg, now: now, stageAt: stageAt,
		hists: map[*cell]*Hist{}, gauges: map[*Gauge][]Series{}, totals: NewTotals(),
		through: func(f func()) { f() },
	}
}

// Subscribe adds a reader of snapshots. It must be called before Run.
func (c *Collector) Subscribe(f func(*Snapshot)) { c.subs = append(c.subs, f) }

// Through makes every snapshot, with what its subscribers do, be taken inside a call
// of run, which must call what it is given once before it returns: a place where
// that work is in nobody's way. It must be called before Run.
func (c *Collector) Through(run func(func())) { c.through = run }

// Run takes a snapshot at every full second until ctx ends, then a last one. None is
// taken before the run's start.
func (c *Collector) Run(ctx context.Context) {
	for {
		next := max(c.now(), 0).Truncate(time.Second) + time.Second
		timer := time.NewTimer(next - c.now())
		select {
		case <-ctx.Done():
			timer.Stop()
			c.through(func() { c.take(true) })
			return
		case <-timer.C:
			c.through(func() { c.take(false) })
		}
	}
}

// Totals calls f with what the run recorded up to the last snapshot. f must
// not keep it.
func (c *Collector) Totals(f func(*Totals)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c.totals)
}

func (c *Collector) take(last bool) {
	s := &c.snap
	*s = Snapshot{
		Number: s.Number, Start: s.End, End: max(c.now(), s.End), At: time.Now(), Last: last,
		Trends: s.Trends[:0], Counters: s.Counters[:0], Rates: s.Rates[:0], Gauges: s.Gauges[:0],
	}
	s.Stage = min(max(c.stageAt((s.Start+s.End)/2), 0), len(c.reg.stages)-1)
	c.reg.mu.Lock()
	c.drain(s)
	c.reg.mu.Unlock()

	c.mu.Lock()
	c.totals.Add(s)
	c.mu.Unlock()
	for _, f := range c.subs {
		f(s)
	}
	for i := range s.Trends {
		s.Trends[i].Hist.Reset()
	}
	s.Number++
}

func (c *Collector) drain(s *Snapshot) {
	for _, t := range c.reg.trends {
		for i := range t.cells {
			if !t.cells[i].dirty.Load() {
				continue
			}
			h := c.hists[&t.cells[i]]
			if h == nil {
				h = new(Hist)
				c.hists[&t.cells[i]] = h
			}
			t.cells[i].drain(h)
			s.Trends = append(s.Trends, TrendValue{&t.series[i], h})
		}
	}
	for _, k := range c.reg.counters {
		for i := range k.cells {
			if d := k.cells[i].Swap(0); d != 0 {
				s.Counters = append(s.Counters, CounterValue{&k.series[i], d})
			}
		}
	}
	for _, r := range c.reg.rates {
		for i := range r.total {
			if total := r.total[i].Swap(0); total != 0 {
				s.Rates = append(s.Rates, RateValue{&r.series[i], r.hits[i].Swap(0), total})
			}
		}
	}
	for _, g := range c.reg.gauges {
		if v, ok := g.read(); ok {
			s.Gauges = append(s.Gauges, GaugeValue{c.staged(g, s.Stage), v})
		}
	}
}

// staged returns the gauge's series with the stage's name on it.
func (c *Collector) staged(g *Gauge, stage int) *Series {
	all := c.gauges[g]
	if all == nil {
		all = make([]Series, len(c.reg.stages))
		for i, name := range c.reg.stages {
			all[i] = g.series
			all[i].Stage = name
		}
		c.gauges[g] = all
	}
	return &all[stage]
}
