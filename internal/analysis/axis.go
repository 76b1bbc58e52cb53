package analysis

import (
	"cmp"
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// axis is a run's series, second by second. What was not read in a second is
// NaN; what was not counted is 0.
type axis struct {
	run    *rundir.Run
	stages []rundir.StageInfo
	// start and length are of each second; n is their number.
	start, length []float64
	n             int
	// due, succeeded, failed and dropped count arrivals.
	due, succeeded, failed, dropped []float64
	// gauges are sorted by key; stages are joined.
	gauges []gauge
	// response is the response time of all scenarios together.
	response []trendValue
	// shapes are its values second by second, where a recovery is asked for.
	shapes [][]bucket
}

// gauge is a gauge over the run, its stages joined.
type gauge struct {
	series metrics.Series
	key    string
	values []float64
}

// trendValue is a trend in one second, or in another span. Times are in
// milliseconds, NaN where there is nothing to tell them by.
type trendValue struct {
	n, censored    int64
	mean, max      float64
	p50, p95, p99  float64
	least, least99 bool // p95, p99 are only known to be no smaller
}

// nothing is a trendValue without a value.
var nothing = trendValue{mean: math.NaN(), max: math.NaN(), p50: math.NaN(), p95: math.NaN(), p99: math.NaN()}

func trendValueOf(h *metrics.Hist) trendValue {
	m := nothing
	m.n, m.censored = h.N, h.Censored
	if h.Empty() {
		return m
	}
	if h.N > 0 {
		m.mean, m.max = h.Mean()/1e6, float64(h.Max)/1e6
	}
	at := func(q float64) (float64, bool) {
		v, least, _ := h.Quantile(q)
		if h.N == 0 {
			return math.Inf(1), true
		}
		return float64(v) / 1e6, least
	}
	m.p50, _ = at(0.5)
	m.p95, m.least = at(0.95)
	m.p99, m.least99 = at(0.99)
	return m
}

func newAxis(run *rundir.Run) *axis {
	a := &axis{run: run, stages: run.Info.Stages, n: len(run.Seconds)}
	for _, s := range run.Seconds {
		a.start = append(a.start, s.Start.Seconds())
		a.length = append(a.length, (s.End - s.Start).Seconds())
	}
	a.due = a.count(metrics.Arrivals.Name)
	a.succeeded = a.count(metrics.ArrivalsSucceeded.Name)
	a.failed = a.count(metrics.ArrivalsFailed.Name)
	a.dropped = a.count(metrics.ArrivalsDropped.Name)
	a.response = make([]trendValue, a.n)
	for i := range a.response {
		a.response[i] = nothing
	}
	a.readGauges()
	return a
}

// count returns what the counters of that name counted in each second.
func (a *axis) count(name string) []float64 {
	out := make([]float64, a.n)
	for _, l := range a.run.Lines {
		if l.Series.Name == name && l.Series.Kind == metrics.KindCounter {
			for i, at := range l.At {
				out[at] += l.Value[i]
			}
		}
	}
	return out
}

func (a *axis) readGauges() {
	at := map[string]int{}
	for _, l := range a.run.Lines {
		if l.Series.Kind != metrics.KindGauge {
			continue
		}
		s := l.Series
		s.Stage = ""
		key := s.Key()
		i, known := at[key]
		if !known {
			i = len(a.gauges)
			at[key] = i
			a.gauges = append(a.gauges, gauge{s, key, unread(a.n)})
		}
		for j, second := range l.At {
			a.gauges[i].values[second] = l.Value[j]
		}
	}
	slices.SortFunc(a.gauges, func(x, y gauge) int { return cmp.Compare(x.key, y.key) })
}

func unread(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}

// gauge returns the sum of the gauges of that name, nil if there is none.
func (a *axis) gauge(name string) []float64 {
	var sum []float64
	for i := range a.gauges {
		if a.gauges[i].series.Name != name {
			continue
		}
		if sum == nil {
			sum = unread(a.n)
		}
		for j, v := range a.gauges[i].values {
			switch {
			case math.IsNaN(v):
			case math.IsNaN(sum[j]):
				sum[j] = v
			default:
				sum[j] += v
			}
		}
	}
	return sum
}

// gaugeIn returns the sum of the gauges of that role, nil if there is none, and the
// name of the first of them.
func (a *axis) gaugeIn(r metrics.Role) (values []float64, name string) {
	for i := range a.gauges {
		if s := &a.gauges[i].series; s.Role == r {
			return a.gauge(s.Name), s.Name
		}
	}
	return nil, ""
}

// end is the end of a second.
func (a *axis) end(i int) float64 { return a.start[i] + a.length[i] }

// grain is how far a second's bounds may be off: snapshots are taken a little
// after the second is over.
const grain = 0.05

// within returns the seconds, from i up to but without j, that lie wholly
// within from and to.
func (a *axis) within(from, to float64) (i, j int) {
	for i = 0; i < a.n && a.start[i] < from-grain; i++ {
	}
	for j = i; j < a.n && a.end(j) <= to+grain; j++ {
	}
	return i, j
}

// hole returns how much time between from and to nothing is known of.
func (a *axis) hole(from, to float64) float64 {
	missing := to - from
	for i := range a.n {
		missing -= max(0, min(a.end(i), to)-max(a.start[i], from))
	}
	if missing < 2*grain {
		return 0
	}
	return missing
}

// ended is when the run stopped offering load: the end of its stages, or of what
// was recorded.
func (a *axis) ended() float64 {
	end := 0.0
	for _, s := range a.stages {
		end = max(end, s.Start+s.Duration)
	}
	if a.n > 0 {
		end = min(end, a.end(a.n-1))
	}
	return end
}

// sum adds up the values of the seconds from i to j; unread ones are left out.
func sum(x []float64, i, j int) (s float64) {
	for _, v := range x[i:j] {
		if !math.IsNaN(v) {
			s += v
		}
	}
	return s
}

// read returns the values that were read.
func read(x []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(x), math.IsNaN)
}

// mean of the values read, NaN without any.
func mean(x []float64) float64 {
	all := read(x)
	return sum(all, 0, len(all)) / float64(len(all))
}

// number returns a pointer to a figure, nil for one that is none.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
