package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/stats"
)

// A resource that is at its bound for three seconds is saturated.
const saturatedSeconds = 3

// candidate is a resource that may be the bottleneck.
type candidate struct {
	resource, series, how string
	at                    int // the second from which it was saturated
}

// bottleneck names the resource that saturated first, where something is wrong
// with a run at all. Where none reached its bound, it is the part of the system
// that slowed down first; where none did, that is said.
func (o *Analysis) bottleneck(a *axis) {
	if !o.troubled() {
		return
	}
	all := append(a.saturatedGauges(), a.saturatedMachine()...)
	first, ok := earliest(all)
	how := "saturated first"
	if !ok {
		first, ok = earliest(append(a.slowedDown(), a.atBound()...))
		how = "slowed down first, and nothing that was read reached its bound"
	}
	if !ok {
		o.unknown("the bottleneck", "no reading reached its bound and no part of the system slowed down before the others")
		return
	}
	b := &Bottleneck{Resource: first.resource, Series: first.series, At: a.start[first.at], Rate: a.due[first.at] / max(a.length[first.at], 1e-9)}
	b.Sentence = fmt.Sprintf("The bottleneck is probably %s: it %s, at %s and %s, %s.", b.Resource, how, figure.Moment(b.At), perSecond(b.Rate), first.how)
	o.Bottleneck = b
	o.Sentences = append(o.Sentences, b.Sentence)
	for i := range o.Findings {
		switch o.Findings[i].ID {
		case "p95_over_target", "error_rate", "saturation", "not_recovered":
			o.Findings[i].Evidence.First = b.Series
		}
	}
}

// troubled says whether there is something that a bottleneck explains.
func (o *Analysis) troubled() bool {
	for _, f := range o.Findings {
		switch f.ID {
		case "p95_over_target", "error_rate", "saturation", "not_recovered", "queue_growing", "pool_exhausted":
			return true
		}
	}
	return slices.ContainsFunc(o.Breaks, func(b Break) bool { return b.Severity == string(sla.Fail) })
}

// earliest returns the first candidate, of those at one time the first in order.
func earliest(all []candidate) (candidate, bool) {
	best, ok := candidate{}, false
	for _, c := range all {
		if !ok || c.at < best.at {
			best, ok = c, true
		}
	}
	return best, ok
}

// since returns the first second from which the condition holds for as long as
// it takes to be saturated.
func (a *axis) since(holds func(i int) bool) (int, bool) {
	run := 0
	for i := range a.n {
		if !holds(i) {
			run = 0
			continue
		}
		if run++; run == saturatedSeconds {
			return i - run + 1, true
		}
	}
	return 0, false
}

// saturatedGauges returns the resources whose readings reached their bound.
func (a *axis) saturatedGauges() (out []candidate) {
	cores := float64(a.run.Info.Machine.CPUs)
	for k := range a.gauges {
		g := &a.gauges[k]
		v := g.values
		var resource, how string
		var holds func(i int) bool
		switch g.series.Role {
		case metrics.RolePoolUse:
			resource, how = partOf(g)+of(g.series.Scenario), "with "+share(busyShare)+" of it in use"
			holds = func(i int) bool { return v[i] >= busyShare }
		case metrics.RoleIdle:
			resource, how = partOf(g), "with none of them idle"
			holds = func(i int) bool { return v[i] <= 0.05 }
		case metrics.RoleProcessCPU:
			// A server of one thread has one core; others have them all.
			most := 100 * max(cores, 1)
			if a.run.Info.Program(g.series.Operation) == "redis" {
				most = 100
			}
			resource, how = "the CPU of "+partOf(g), "at "+value(busyShare*most, "percent")+" of a core"
			holds = func(i int) bool { return v[i] >= busyShare*most }
		default:
			continue
		}
		if at, ok := a.since(holds); ok {
			out = append(out, candidate{resource, g.key, how, at})
		}
	}
	return out
}

// saturatedMachine returns the machine where the processes that were watched and
// the generator took all its cores.
func (a *axis) saturatedMachine() []candidate {
	cores := float64(a.run.Info.Machine.CPUs)
	own, _ := a.gaugeIn(metrics.RoleGeneratorCPU)
	others, series := a.gaugeIn(metrics.RoleProcessCPU)
	if cores <= 0 || own == nil || others == nil {
		return nil
	}
	at, ok := a.since(func(i int) bool { return own[i]+others[i] >= busyShare*100*cores })
	if !ok {
		return nil
	}
	return []candidate{{"the machine's CPU", series, "with all its cores busy, the generator's among them", at}}
}

// parts returns the metrics whose times show a part of the system slowing down,
// those of waiting for it first.
func (a *axis) parts() []metrics.Desc {
	var out []metrics.Desc
	seen := map[string]bool{}
	for _, l := range a.run.Lines {
		if d := l.Series.Desc; l.Trend != nil && d.Part != "" && !seen[d.Name] {
			seen[d.Name] = true
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(x, y metrics.Desc) int {
		wait := func(d metrics.Desc) int {
			if d.Role == metrics.RolePoolWait {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(wait(x), wait(y)), cmp.Compare(x.Name, y.Name))
	})
	return out
}

// slowedBy is by what factor the mean of a part's times must rise.
const slowedBy = 3.0

// slowedDown returns the parts of the system that became three times as slow as
// in the first judged load, for three seconds in a row.
func (a *axis) slowedDown() (out []candidate) {
	from, to := a.firstLoad()
	for _, p := range a.parts() {
		x := a.means(func(s *metrics.Series) bool { return s.Name == p.Name })
		before := stats.Median(read(x[from:to]))
		if math.IsNaN(before) {
			continue
		}
		limit := max(slowedBy*before, before+finest, stats.UpperFence(read(x[from:to])))
		at, ok := a.since(func(i int) bool { return i >= to && x[i] > limit })
		if !ok {
			continue
		}
		out = append(out, candidate{p.Part, p.Name, fmt.Sprintf("%s taking %s instead of %s", p.Name, millis(x[at]), millis(before)), at})
	}
	return out
}

// atBound returns the bound on arrivals in flight where it was reached: all that
// is known then is that the system was too slow.
func (a *axis) atBound() []candidate {
	held := a.held()
	if held == nil {
		return nil
	}
	at, ok := a.since(held)
	if !ok {
		return nil
	}
	flying := a.gauge(metrics.InFlight.Name)[at]
	return []candidate{{"the system as a whole", metrics.Queued.Name,
		fmt.Sprintf("with arrivals waiting for a free worker, and %s in flight", figure.Whole(flying)), at}}
}

// firstLoad returns the seconds of the first judged stage, a minute of them at
// most, less its very beginning.
func (a *axis) firstLoad() (i, j int) {
	for k := range a.stages {
		s := &a.stages[k]
		if !s.Judged || s.Duration <= 0 {
			continue
		}
		i, j = a.within(s.Start+min(2, s.Duration/5), s.Start+min(s.Duration/2, 60))
		return i, j
	}
	return 0, 0
}
