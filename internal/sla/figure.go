package sla

import (
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
)

// figure is what a rule compares.
type figure struct {
	// n is how many values it is made from; NaN with n above 0 says that they
	// are too few to carry it.
	n     int64
	value float64
	// atLeast says that the true figure is known to be no smaller.
	atLeast bool
	// planned is how many arrivals were to come due in the stages judged, and
	// expected whether they would have produced the metric.
	planned  int64
	expected bool
}

// figure computes a rule's figure over stages.
func (j *Judge) figure(t *metrics.Totals, r Rule, over []Stage) figure {
	f := figure{}
	for _, s := range over {
		f.planned += s.Planned
	}
	switch r.Metric {
	case ErrorRate, AchievedRatio:
		f.expected = true
		f.ratio(t, r, over)
		return f
	}
	d := j.units[r.Metric]
	f.expected = d.Kind != metrics.KindGauge && d.Kind != metrics.KindCounter
	switch d.Kind {
	case metrics.KindTrend:
		f.trend(t, r, over)
	case metrics.KindCounter:
		f.counter(t, r, over)
	case metrics.KindRate:
		var hits int64
		for _, s := range over {
			h, n := t.Rate(selector(r, s))
			hits, f.n = hits+h, f.n+n
		}
		f.value = float64(hits) / float64(f.n)
	case metrics.KindGauge:
		f.gauge(t, r, over)
	}
	return f
}

// selector picks the rule's series in a stage.
func selector(r Rule, s Stage) metrics.Selector {
	q := metrics.Selector{Name: r.Metric, Tags: r.Tags}
	q.Stage = s.Name
	return q
}

// ratio computes the error rate or the achieved ratio.
func (f *figure) ratio(t *metrics.Totals, r Rule, over []Stage) {
	var due, good, bad int64
	for _, s := range over {
		count := func(d metrics.Desc) int64 {
			q := metrics.Selector{Name: d.Name, Tags: r.Tags}
			q.Stage = s.Name
			n, _ := t.Counter(q)
			return n
		}
		due += count(metrics.Arrivals)
		failed := count(metrics.ArrivalsFailed)
		if r.Metric == ErrorRate {
			bad += failed + count(metrics.ArrivalsDropped) + count(metrics.ArrivalsUnfinished)
		} else {
			good += failed + count(metrics.ArrivalsSucceeded)
		}
	}
	f.n = due
	f.value = float64(bad+good) / float64(due)
}

func (f *figure) trend(t *metrics.Totals, r Rule, over []Stage) {
	h := new(metrics.Hist)
	for _, s := range over {
		if part := t.Trend(selector(r, s)); part != nil {
			h.Merge(part)
		}
	}
	f.n = h.N + h.Censored
	if f.n == 0 {
		return
	}
	q := -1.0
	switch r.Stat.Name {
	case "count":
		f.value = float64(h.N)
	case "avg":
		f.value, f.atLeast = h.Mean(), h.Censored > 0
	case "min":
		f.value = float64(h.Min)
	case "med":
		q = 0.5
	case "max":
		q = 1
	case "p":
		q = r.Stat.Percent / 100
	}
	if q < 0 {
		return
	}
	if q < 1 && float64(f.n)*(1-q) < 1-1e-9 {
		f.value = math.NaN()
		return
	}
	v, atLeast, _ := h.Quantile(q)
	f.value, f.atLeast = float64(v), atLeast
}

func (f *figure) counter(t *metrics.Totals, r Rule, over []Stage) {
	var seconds float64
	for _, s := range over {
		n, ok := t.Counter(selector(r, s))
		f.value += float64(n)
		seconds += s.Duration.Seconds()
		if ok {
			f.n++
		}
	}
	// A counter that nothing raised has counted to zero.
	f.n = max(f.n, 1)
	if r.Stat.Name == "rate" {
		f.value /= seconds
	}
}

func (f *figure) gauge(t *metrics.Totals, r Rule, over []Stage) {
	var all []float64
	for _, s := range over {
		all = append(all, t.Gauge(selector(r, s))...)
	}
	if f.n = int64(len(all)); f.n == 0 {
		return
	}
	last := all[len(all)-1]
	slices.Sort(all)
	rank := func(q float64) float64 { return all[max(int(math.Ceil(q*float64(len(all))))-1, 0)] }
	switch r.Stat.Name {
	case "value":
		f.value = last
	case "min":
		f.value = all[0]
	case "max":
		f.value = all[len(all)-1]
	case "avg":
		for _, v := range all {
			f.value += v / float64(len(all))
		}
	case "med":
		f.value = rank(0.5)
	case "p":
		f.value = rank(r.Stat.Percent / 100)
	}
}
