package analysis

import (
	"math"

	"github.com/perfctl/perfctl/internal/metrics"
)

// excess measures how deep response time rose, from the beginning of the spike
// to the end of the load after it, and how much longer than before users waited
// in all.
func (a *axis) excess(r *Recovery, b normal, end float64) {
	r.Before, r.Limit = number(b.p95), number(b.limit)
	i, j := a.within(r.From, end)
	peak, least, area := math.NaN(), false, 0.0
	for s := i; s < j; s++ {
		m := a.response[s]
		// A second in which nothing succeeded has no response time; that its
		// arrivals waited at least as long as those before it says the worst second.
		if m.n == 0 {
			least = least || m.censored > 0
			continue
		}
		if math.IsNaN(peak) || m.p95 > peak {
			peak = m.p95
		}
		least = least || m.least
		area += max(0, m.mean-b.mean) * float64(m.n) / 1e3
	}
	r.Peak, r.PeakAtLeast, r.Area = number(peak), least && !math.IsNaN(peak), number(area)
	if b.p95 > 0 {
		r.Depth = number(peak / b.p95)
	}
}

// excursions measures the queues and the memory.
func (a *axis) excursions(r *Recovery, spike int, end float64) {
	i, j := a.quiet(spike)
	for k := range a.gauges {
		g := &a.gauges[k]
		group := groupOf(&g.series)
		inFlight := g.series.Name == metrics.InFlight.Name
		if group != GroupMemory && group != GroupQueue && !inFlight {
			continue
		}
		e, limit, ok := a.excursion(g, i, j, r.From, end)
		if !ok {
			continue
		}
		if group == GroupMemory {
			r.Memory = append(r.Memory, e)
			continue
		}
		r.Backlogs = append(r.Backlogs, Backlog{e, a.drain(g, r.To, end, limit)})
	}
}

// excursion compares a gauge's readings before a spike, from the seconds i to j,
// with those from its beginning on.
func (a *axis) excursion(g *gauge, i, j int, from, end float64) (e Excursion, limit float64, ok bool) {
	median, limit := usual(g.values[i:j])
	first, last := a.within(from, end)
	e = Excursion{Series: g.key, Unit: string(g.series.Unit), Before: median, Peak: math.Inf(-1)}
	for s := first; s < last; s++ {
		if v := g.values[s]; v > e.Peak {
			e.Peak, e.PeakAt = v, a.start[s]
		}
	}
	e.After = mean(g.values[max(first, last-5):last])
	ok = !math.IsNaN(median) && !math.IsInf(e.Peak, 0) && !math.IsNaN(e.After)
	return e, limit, ok
}

// drained is how many readings in a row must be within the limit.
const drained = 3

// drain returns how long after the end of the spike a queue was back within the
// limit, nil where it was not.
func (a *axis) drain(g *gauge, to, end, limit float64) *float64 {
	i, j := a.within(to, end)
	run := 0
	for s := i; s < j; s++ {
		if v := g.values[s]; math.IsNaN(v) || v > limit {
			run = 0
			continue
		}
		if run++; run == drained || s == j-1 && run == j-i {
			took := 0.0
			if back := s - run + 1; back > i {
				took = a.start[back] - to
			}
			return &took
		}
	}
	return nil
}
