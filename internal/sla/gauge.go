package sla

import (
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
)

// gauge computes a gauge's figure. Where a rule picks several series, such as
// the pools of two scenarios, each has its own figure and the one that is
// furthest from the target is judged: readings of different things make no
// common percentile.
func (f *measured) gauge(t *metrics.Totals, r Rule, over []Stage) {
	var order []metrics.Tags
	readings := map[metrics.Tags][]float64{}
	for _, s := range over {
		for _, e := range t.Select(selector(r, s)) {
			tags := e.Series.Tags
			tags.Stage = ""
			if len(e.Values) == 0 {
				continue
			}
			if readings[tags] == nil {
				order = append(order, tags)
			}
			readings[tags] = append(readings[tags], e.Values...)
		}
	}
	for i, tags := range order {
		one := gaugeFigure(readings[tags], r.Stat, f.confidence)
		if i == 0 || worse(r, one.value, f.value) {
			f.n, f.value, f.limits = one.n, one.value, one.limits
		}
	}
}

// worse says whether a is further from the rule's target than b.
func worse(r Rule, a, b float64) bool {
	switch {
	case r.Op.upper():
		return a > b
	case r.Op.lower():
		return a < b
	}
	return r.Op.Holds(b, r.Value) && !r.Op.Holds(a, r.Value)
}

// gaugeFigure computes a statistic of readings in the order of time, of which
// there is at least one.
func gaugeFigure(values []float64, s Stat, confidence float64) measured {
	f := measured{n: int64(len(values)), confidence: confidence}
	q := 0.5
	switch s.Name {
	case "value":
		f.value = values[len(values)-1]
		return f
	case "min":
		f.value = slices.Min(values)
		return f
	case "max":
		f.value = slices.Max(values)
		return f
	case "avg":
		for _, v := range values {
			f.value += v / float64(len(values))
		}
		return f
	case "p":
		q = s.Percent / 100
	}
	sorted := slices.Sorted(slices.Values(values))
	if q == 1 {
		f.value = sorted[len(sorted)-1]
		return f
	}
	f.quantile(q, func(rank int64) (float64, bool) { return sorted[min(rank, f.n)-1], false })
	return f
}
