package live

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// second is what the view keeps of a snapshot.
type second struct {
	end, span time.Duration
	stage     int
	last      bool
	// parts are the scenarios' figures, lag the generator's own lateness.
	parts map[string]*part
	lag   *metrics.Hist
	// errors counts failed, dropped and unfinished arrivals by scenario and kind.
	errors           map[string]int64
	inFlight, queued float64
	users            float64
	cpu, memory      float64
	readings         []reading
}

// part is one scenario's second, or the sum of several.
type part struct {
	done, failed, dropped int64
	response              *metrics.Hist
	// steps are the times of its steps, in the order of the arrival.
	steps []step
}

// step is one named step of an arrival.
type step struct {
	name string
	time *metrics.Hist
}

func newPart() *part { return &part{response: new(metrics.Hist)} }

func (p *part) add(o *part) {
	p.done += o.done
	p.failed += o.failed
	p.dropped += o.dropped
	p.response.Merge(o.response)
	for _, s := range o.steps {
		p.step(s.name, s.time)
	}
}

// step adds times of a step.
func (p *part) step(name string, h *metrics.Hist) {
	i := slices.IndexFunc(p.steps, func(s step) bool { return s.name == name })
	if i < 0 {
		i = len(p.steps)
		p.steps = append(p.steps, step{name, new(metrics.Hist)})
	}
	p.steps[i].time.Merge(h)
}

// source is what a reading is of.
type source struct{ name, operation, scenario string }

// reading is a gauge's value, or a rate's share.
type reading struct {
	source
	value float64
	unit  metrics.Unit
	rank  int
}

func secondOf(s *metrics.Snapshot) *second {
	x := &second{
		end: s.End, span: s.End - s.Start, stage: s.Stage, last: s.Last,
		parts: map[string]*part{}, lag: new(metrics.Hist), errors: map[string]int64{},
	}
	for _, v := range s.Trends {
		switch {
		case v.Series.Name == metrics.ResponseTime.Name:
			x.part(v.Series).response.Merge(v.Hist)
		case v.Series.Name == metrics.DispatchLag.Name:
			x.lag.Merge(v.Hist)
		case v.Series.Role == metrics.RoleStep && v.Series.Operation != "":
			x.part(v.Series).step(v.Series.Operation, v.Hist)
		}
	}
	for _, v := range s.Counters {
		switch v.Series.Name {
		case metrics.ArrivalsSucceeded.Name:
			x.part(v.Series).done += v.Delta
		case metrics.ArrivalsFailed.Name:
			x.part(v.Series).failed += v.Delta
			x.errors[v.Series.Scenario+" failed: "+cmp.Or(v.Series.Outcome, "unknown")] += v.Delta
		case metrics.ArrivalsDropped.Name:
			x.part(v.Series).dropped += v.Delta
			x.errors[v.Series.Scenario+" dropped: "+cmp.Or(v.Series.Outcome, "unknown")] += v.Delta
		case metrics.ArrivalsUnfinished.Name:
			x.errors[v.Series.Scenario+" unfinished"] += v.Delta
		}
	}
	x.read(s)
	return x
}

func (x *second) part(s *metrics.Series) *part {
	p := x.parts[s.Scenario]
	if p == nil {
		p = newPart()
		x.parts[s.Scenario] = p
	}
	return p
}

// read takes the gauges and the rates over.
func (x *second) read(s *metrics.Snapshot) {
	for _, g := range s.Gauges {
		switch name, role := g.Series.Name, g.Series.Role; {
		case name == metrics.InFlight.Name:
			x.inFlight += g.Value // of each shard
		case name == metrics.Queued.Name:
			x.queued += g.Value
		case name == metrics.Users.Name:
			x.users += g.Value
		case role == metrics.RoleGeneratorCPU:
			x.cpu = g.Value
		case role == metrics.RoleGeneratorMemory:
			x.memory = g.Value
		case g.Series.Of == metrics.OfGenerator:
		default:
			x.readings = append(x.readings, reading{sourceOf(g.Series), g.Value, g.Series.Unit, rank(role)})
		}
	}
	type key struct {
		source
		role metrics.Role
	}
	rates := map[key]*[2]int64{}
	for _, r := range s.Rates {
		k := key{source{name: r.Series.Name, scenario: r.Series.Scenario}, r.Series.Role}
		if rates[k] == nil {
			rates[k] = new([2]int64)
		}
		rates[k][0] += r.Hits
		rates[k][1] += r.Total
	}
	for k, v := range rates {
		x.readings = append(x.readings, reading{k.source, float64(v[0]) / float64(v[1]), metrics.UnitRatio, rank(k.role)})
	}
	slices.SortFunc(x.readings, func(a, b reading) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.name, b.name), cmp.Compare(a.operation, b.operation), cmp.Compare(a.scenario, b.scenario))
	})
}

func sourceOf(s *metrics.Series) source { return source{s.Name, s.Operation, s.Scenario} }

// rank puts first what fills up first: queues, then pools.
func rank(r metrics.Role) int {
	switch r {
	case metrics.RoleBacklog, metrics.RoleQueue:
		return 0
	case metrics.RolePoolSize, metrics.RolePoolMax, metrics.RolePoolUse, metrics.RolePoolWait:
		return 1
	case metrics.RoleHitRatio:
		return 2
	}
	return 3
}

// sum returns all scenarios together.
func (x *second) sum() *part {
	all := newPart()
	for p := range maps.Values(x.parts) {
		all.add(p)
	}
	return all
}
