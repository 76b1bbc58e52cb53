package analysis

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/stats"
)

const (
	// busySeconds is how long a resource must be at its bound.
	busySeconds = 5
	// busyShare is the share of a pool in use from which it counts as at its
	// bound.
	busyShare = 0.9
	// waitMillis is the wait for a connection that shows.
	waitMillis = 5.0
	// fellBehind is the achieved part of the offered load below which the system
	// does not keep up.
	fellBehind = 0.95
	// moreInFlight is by what factor arrivals in flight grow when they queue.
	moreInFlight = 2.0
	// halfElastic is the elasticity of throughput to the arrivals in flight
	// below which more of them mostly wait.
	halfElastic = 0.5
)

// saturated says, by Little's law, at which level the system stopped doing more
// for more: the throughput fell behind what was offered while the number in
// flight grew. Or, at one level, that the bound on arrivals in flight was
// reached.
func (a *axis) saturated(levels []Level) *Finding {
	if len(levels) > 0 && levels[0].Users != nil {
		return usersWait(levels)
	}
	for i := 1; i < len(levels); i++ {
		l, before := &levels[i], &levels[i-1]
		if l.InFlight == nil || before.InFlight == nil || l.Achieved >= fellBehind*l.Rate {
			continue
		}
		if l.Achieved == 0 {
			continue // what fails is not saturated
		}
		n0 := max(*before.InFlight, 0.5) // readings of less than one are rough
		e := stats.Elasticity(n0, before.Achieved, *l.InFlight, l.Achieved)
		if *l.InFlight < moreInFlight*n0 || e >= halfElastic {
			continue
		}
		return &Finding{ID: "saturation", Severity: Critical, Title: "Saturated",
			Sentence: fmt.Sprintf("At %s offered the system did %s with %s in flight, where it had done %s with %s: by Little's law each was in it for %s; what is added only waits.",
				perSecond(l.Rate), perSecond(l.Achieved), figure.Whole(*l.InFlight), perSecond(before.Achieved), few(*before.InFlight), millis(1e3**l.InFlight/l.Achieved)),
			Advice: "Offer less than that, or widen the resource that saturated first",
			Evidence: Evidence{From: l.From, To: l.To, Series: metrics.InFlight.Name, Unit: "count",
				Values: map[string]float64{"offered_rps": l.Rate, "achieved_rps": l.Achieved, "in_flight": *l.InFlight, "elasticity": e}}}
	}
	return a.bounded()
}

// few prints a mean number in flight.
func few(n float64) string {
	if n < 1 {
		return "less than one"
	}
	return figure.Whole(n)
}

// waitShare is how many arrivals wait for a worker, as a part of those due in a
// second, where the bound on arrivals in flight holds them up.
const waitShare = 0.02

// held says in which seconds arrivals waited for a free worker: the bound on
// arrivals in flight, or a scenario's part of it, was reached. nil where that was
// not read.
func (a *axis) held() func(i int) bool {
	queued, flying := a.gauge(metrics.Queued.Name), a.gauge(metrics.InFlight.Name)
	if queued == nil || flying == nil {
		return nil
	}
	return func(i int) bool { return flying[i] > 0 && queued[i] >= max(1, waitShare*a.due[i]) }
}

// bounded says that the bound on arrivals in flight was reached for long.
func (a *axis) bounded() *Finding {
	held := a.held()
	if held == nil {
		return nil
	}
	from, to, ok := a.lasts(busySeconds, held)
	if !ok {
		return nil
	}
	flying := mean(a.gauge(metrics.InFlight.Name)[from:to])
	done := sum(a.succeeded, from, to) / (a.end(to-1) - a.start[from])
	return &Finding{ID: "saturation", Severity: Critical, Title: "Arrivals waited for a free worker",
		Sentence: fmt.Sprintf("From %s to %s the bound on arrivals in flight (-u, shared by the scenarios) was reached, with %s in flight and %s succeeding: by Little's law each was in the system for %s.",
			figure.Moment(a.start[from]), figure.Moment(a.end(to-1)), figure.Whole(flying), perSecond(done), millis(1e3*flying/max(done, 1e-9))),
		Advice: "The target is too slow for this load; raise -u only if that many users at once are realistic",
		Evidence: Evidence{From: a.start[from], To: a.end(to - 1), Series: metrics.Queued.Name, Unit: "count",
			Values: map[string]float64{"in_flight": flying, "achieved_rps": done}}}
}

// lasts returns the longest stretch of seconds in which the condition holds, if
// it is at least n long. One second in between may miss it.
func (a *axis) lasts(n int, holds func(i int) bool) (from, to int, ok bool) {
	start, last := -1, -1
	for i := 0; i <= a.n; i++ {
		if i < a.n && holds(i) {
			if start < 0 {
				start = i
			}
			last = i
			continue
		}
		if start >= 0 && (i == a.n || i-last > 1) {
			if last+1-start > to-from {
				from, to = start, last+1
			}
			start = -1
		}
	}
	return from, to, to-from >= n
}

// exhausted says that a connection pool was at its bound while arrivals waited
// for a connection.
func (a *axis) exhausted() *Finding {
	for k := range a.gauges {
		g := &a.gauges[k]
		if g.series.Role != metrics.RolePoolUse {
			continue
		}
		wait := a.means(func(s *metrics.Series) bool {
			return s.Role == metrics.RolePoolWait && s.Part == g.series.Part && (g.series.Scenario == "" || s.Scenario == g.series.Scenario)
		})
		from, to, ok := a.lasts(busySeconds, func(i int) bool { return g.values[i] >= busyShare })
		if !ok {
			continue
		}
		waited := mean(wait[from:to])
		if math.IsNaN(waited) || waited < waitMillis {
			continue
		}
		return &Finding{ID: "pool_exhausted", Severity: Critical, Title: "Connection pool exhausted",
			Sentence: fmt.Sprintf("%s%s was in use by %s on average from %s to %s, and a connection took %s to get.",
				upper(partOf(g)), of(g.series.Scenario), share(mean(g.values[from:to])), figure.Moment(a.start[from]), figure.Moment(a.end(to-1)), millis(waited)),
			Advice: "Increase the pool's size, hold connections for a shorter time, or reduce the connections needed",
			Evidence: Evidence{From: a.start[from], To: a.end(to - 1), Series: g.key, Unit: "ratio",
				Values: map[string]float64{"utilisation": mean(g.values[from:to]), "wait_ms": waited}}}
	}
	return nil
}

func of(scenario string) string {
	if scenario == "" {
		return ""
	}
	return " of " + scenario
}

// partOf names the part of the system that a gauge tells about, or else what it is
// of.
func partOf(g *gauge) string {
	switch {
	case g.series.Part != "":
		return g.series.Part
	case g.series.Operation != "":
		return g.series.Operation
	}
	return g.key
}

// upper returns a text with a capital letter at its beginning.
func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// means returns the mean of the trends that want picks in each second, in
// milliseconds, over all their series.
func (a *axis) means(want func(*metrics.Series) bool) []float64 {
	sums, n := make([]float64, a.n), make([]float64, a.n)
	for _, l := range a.run.Lines {
		if l.Trend == nil || !want(&l.Series) {
			continue
		}
		for i, at := range l.At {
			sums[at] += l.Trend[i].Sum / 1e6
			n[at] += float64(l.Trend[i].N)
		}
	}
	return divide(sums, n)
}

// queueLevel is how unlikely the growth of a queue must be by chance.
const queueLevel = 1e-4

// queues says which queues grew under a constant load, by a second's arrivals
// and fifty at least.
func (a *axis) queues(o *Analysis) (out []*Finding) {
	for k := range a.gauges {
		g := &a.gauges[k]
		if groupOf(&g.series) != GroupQueue || o.flagged(g.key) {
			continue
		}
		var worst *Finding
		most := 0.0
		for i := range a.stages {
			s := &a.stages[i]
			if from, to, _ := offered(s); from != to || s.Class == "spike" {
				continue
			}
			if f, grew := a.queue(g, s); f != nil && grew > most {
				worst, most = f, grew
			}
		}
		if worst != nil {
			out = append(out, worst)
		}
	}
	return out
}

// flagged says whether a finding is about the series already.
func (o *Analysis) flagged(series string) bool {
	for _, f := range o.Findings {
		if f.Evidence.Series == series {
			return true
		}
	}
	return false
}

func (a *axis) queue(g *gauge, s *rundir.StageInfo) (*Finding, float64) {
	i, j := a.within(s.Start, min(s.Start+s.Duration, a.ended()))
	var t, x []float64
	for k := i; k < j; k++ {
		if v := g.values[k]; !math.IsNaN(v) {
			t, x = append(t, a.start[k]), append(x, v)
		}
	}
	if len(x) < 2*busySeconds {
		return nil, 0
	}
	trend, _ := stats.MannKendall(thin(x))
	slope, ok := stats.Sen(thin(t), thin(x), trend.Variance*trend.Cautious, 0.95)
	p := significance(trend, thin(x))
	grew := slope.Slope * (a.end(j-1) - a.start[i])
	if !ok || p > queueLevel || grew < max(50, s.From) || settled(thin(t), thin(x), slope.Slope) {
		return nil, 0
	}
	return &Finding{ID: "queue_growing", Severity: Critical, Title: "A queue grows",
		Sentence: fmt.Sprintf("%s grew by %s a second in %s, to %s, under a constant load.",
			g.key, value(slope.Slope, string(g.series.Unit)), s.Name, value(x[len(x)-1], string(g.series.Unit))),
		Advice: advice(g.key),
		Evidence: Evidence{From: a.start[i], To: a.end(j - 1), Series: g.key, Unit: string(g.series.Unit),
			Values: map[string]float64{"slope_per_s": slope.Slope, "last": x[len(x)-1], "p": p}}}, grew
}

func advice(queue string) string {
	if strings.HasPrefix(queue, metrics.Queued.Name) {
		return "Arrivals wait for a free worker: the target is too slow for this load, or the bound -u too low"
	}
	return kinds[GroupQueue].advice
}

// thin returns at most two hundred of the values, evenly: enough for a trend.
func thin(x []float64) []float64 {
	const most = 200
	if len(x) <= most {
		return x
	}
	out := make([]float64, most)
	for i := range out {
		out[i] = x[i*len(x)/most]
	}
	return out
}
