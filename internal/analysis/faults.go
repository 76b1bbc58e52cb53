package analysis

import (
	"cmp"
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// FaultEffect is what a fault did, and how the system came back from it. Times are in
// seconds.
type FaultEffect struct {
	Name string `json:"name"`
	// Target is what it was on, What the fault as it is written.
	Target string `json:"target"`
	What   string `json:"what"`
	// From and To bound it.
	From float64 `json:"from_s"`
	To   float64 `json:"to_s"`
	// FirstError is how long after its beginning the first arrival failed, nil where
	// none did while it lasted.
	FirstError *float64 `json:"first_error_s"`
	// Due, Failed and Dropped count arrivals of the seconds in which it was in force;
	// ErrorRate is the share of the latter two. Kinds are the failures and the drops
	// by their kind, from its beginning to the recovery, or as long as it was watched.
	Due       int64            `json:"due"`
	Failed    int64            `json:"failed"`
	Dropped   int64            `json:"dropped"`
	ErrorRate *float64         `json:"error_rate"`
	Kinds     map[string]int64 `json:"errors"`
	// Reconnects are the connections that were opened anew from its beginning to the
	// recovery, Storm the most of them in one second.
	Reconnects int64 `json:"reconnects"`
	Storm      int64 `json:"reconnects_per_s_max"`
	// Wanted is the load that was due in that time, Offered what the target was asked
	// for: arrivals that were started, and what was done again.
	Wanted  int64 `json:"load_wanted"`
	Offered int64 `json:"load_offered"`
	// Lost, Duplicated and Unknown are what the scenarios' accounts came to at the end
	// of the run, nil where nobody keeps one, or where several faults may have done it.
	Lost       *int64 `json:"lost"`
	Duplicated *int64 `json:"duplicated"`
	Unknown    *int64 `json:"unknown"`
	Course
	// Time is how long after the end of the fault it had recovered; nil where it did not.
	Time *float64 `json:"recovery_time_s"`
}

// The seconds that a fault is compared with: at most so many, and with a load that is
// at most so many times another.
const (
	faultBefore   = 60
	faultSameLoad = 1.5
	// stormAfter is how many seconds after a fault at least a connection that is opened
	// anew is its doing.
	stormAfter = 2
)

// faultEffects looks at every fault of the run that began in it.
func (a *axis) faultEffects() []FaultEffect {
	out := []FaultEffect{}
	list := slices.Clone(a.run.Info.Faults)
	slices.SortStableFunc(list, func(x, y rundir.FaultInfo) int { return cmp.Compare(x.Start, y.Start) })
	calm := 0.0 // from when on nothing is left of the faults before
	var last normal
	for k, f := range list {
		if f.Start >= a.ended() {
			continue
		}
		f.End = min(f.End, a.ended())
		e, b := a.faultEffect(f, list, k, calm, last)
		out = append(out, e)
		if b.rate > 0 {
			last = b
		}
		calm = math.Inf(1)
		if e.Recovered {
			calm = e.To + e.seen
		} else if !e.Known || e.Watched > 0 {
			calm = e.To + e.Watched
		}
	}
	return out
}

// faultEffect looks at one fault. calm is from when on what was before is not the doing
// of another one; last is what the system was before that.
func (a *axis) faultEffect(f rundir.FaultInfo, all []rundir.FaultInfo, k int, calm float64, last normal) (FaultEffect, normal) {
	r := Recovery{From: f.Start, To: f.End, what: "fault"}
	end := a.ended()
	because := ""
	for i, o := range all {
		switch {
		case i == k:
		case o.Start < f.End && o.End > f.End:
			because = "the fault " + o.Name + " was in force when it ended"
		case o.Start >= f.End:
			end = min(end, o.Start)
		}
	}
	i, j := a.calmBefore(f.Start, calm)
	before, why := a.normal(i, j, r.what)
	if why != "" && last.rate > 0 && j-i < beforeSeconds {
		before, why = last, ""
	}
	end = a.sameLoad(f.End, end, before.rate)
	r.Watched = max(end-f.End, 0)
	if why == "" {
		a.excess(&r, before, end)
		if why = because; why == "" {
			why = a.comeBack(&r, before, end)
		}
	}
	r.Known, r.Because = why == "", why
	reach := end
	if r.Recovered {
		reach = f.End + r.seen
	}
	e := FaultEffect{
		Name: f.Name, Target: f.Target, What: f.Text, From: f.Start, To: f.End,
		Course: r.Course, Time: r.Time,
	}
	a.countFault(&e, reach)
	return e, before
}

// calmBefore returns the seconds before an instant that it is compared with.
func (a *axis) calmBefore(at, calm float64) (i, j int) {
	from := max(at-faultBefore, calm)
	if from < 5 && a.n > 0 {
		from = max(from, min(at/5, 5)) // the first part of a run is no measure
	}
	i, j = a.within(from, at)
	for s := j - 1; s >= i; s-- {
		if !alike(a.rateOf(s), a.rateOf(j-1)) {
			return s + 1, j
		}
	}
	return i, j
}

// rateOf returns the arrivals due per second in a second.
func (a *axis) rateOf(i int) float64 { return a.due[i] / max(a.length[i], 1e-9) }

// alike says whether two loads can be compared, but for what they vary by chance.
func alike(x, y float64) bool {
	noise := 3*math.Sqrt(max(x, y)) + 2
	return x <= faultSameLoad*y+noise && y <= faultSameLoad*x+noise
}

// sameLoad returns until when, from an instant on, the load is what it was before.
func (a *axis) sameLoad(from, end, rate float64) float64 {
	i, j := a.within(from, end)
	for s := i; s < j; s++ {
		if rate > 0 && !alike(a.rateOf(s), rate) {
			return a.start[s]
		}
	}
	return end
}

// countFault counts what became of arrivals and connections.
func (a *axis) countFault(e *FaultEffect, reach float64) {
	i, j := a.touching(e.From, e.To)
	e.Due, e.Failed, e.Dropped = int64(sum(a.due, i, j)), int64(sum(a.failed, i, j)), int64(sum(a.dropped, i, j))
	if e.Due > 0 {
		e.ErrorRate = number(min(float64(e.Failed+e.Dropped)/float64(e.Due), 1))
	}
	i, j = a.touching(e.From, max(reach, e.To))
	e.Kinds = a.kindsBetween(i, j)
	again := make([]float64, a.n)
	for _, name := range a.named(metrics.RoleRetries) {
		for s, n := range a.events(name) {
			again[s] += n
		}
	}
	e.Wanted = int64(sum(a.due, i, j))
	e.Offered = int64(sum(a.count(metrics.ArrivalsStarted.Name), i, j) + sum(again, i, j))
	opened := make([]float64, a.n)
	for _, role := range []metrics.Role{metrics.RoleReconnects, metrics.RoleConnectionsOpened} {
		for _, name := range a.named(role) {
			for s, n := range a.events(name) {
				opened[s] += n
			}
		}
	}
	i, j = a.touching(e.From, max(reach, e.To+stormAfter)) // which comes when the fault goes
	for s := i; s < j; s++ {
		e.Storm = max(e.Storm, int64(opened[s]))
	}
	e.Reconnects = int64(sum(opened, i, j))
	e.FirstError = a.firstError(e)
}

// touching returns the seconds that have their middle between two instants.
func (a *axis) touching(from, to float64) (i, j int) {
	middle := func(s int) float64 { return a.start[s] + a.length[s]/2 }
	for i = 0; i < a.n && middle(i) < from; i++ {
	}
	for j = i; j < a.n && middle(j) <= to; j++ {
	}
	if i == j && i < a.n && i > 0 && a.end(i-1) > from { // it is shorter than a second
		i--
	}
	return i, j
}

// kindsBetween counts failures and drops by their kind.
func (a *axis) kindsBetween(i, j int) map[string]int64 {
	out := map[string]int64{}
	for _, l := range a.run.Lines {
		kind := l.Series.Outcome
		switch l.Series.Name {
		case metrics.ArrivalsFailed.Name:
		case metrics.ArrivalsDropped.Name:
			kind = "dropped: " + kind
		default:
			continue
		}
		for n, at := range l.At {
			if at >= i && at < j && l.Value[n] > 0 {
				out[kind] += int64(l.Value[n])
			}
		}
	}
	return out
}

// firstError is what the run noted, else what the seconds tell.
func (a *axis) firstError(e *FaultEffect) *float64 {
	for k := range a.gauges {
		g := &a.gauges[k]
		if g.series.Name != metrics.FaultFirstError.Name || g.series.Operation != e.Name {
			continue
		}
		for _, v := range g.values {
			if !math.IsNaN(v) {
				return number(v)
			}
		}
		return nil
	}
	i, j := a.touching(e.From, e.To)
	for s := i; s < j; s++ {
		if a.failed[s] > 0 {
			return number(max(a.start[s]-e.From, 0))
		}
	}
	return nil
}
