package sla

import (
	"math"
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
		n, v := int64(len(readings[tags])), gaugeStat(readings[tags], r.Stat)
		if i == 0 || worse(r, v, f.value) {
			f.n, f.value = n, v
		}
	}
}

// worse says whether a is further from the rule's target than b; a figure that
// there is not, NaN, is never worse.
func worse(r Rule, a, b float64) bool {
	switch {
	case math.IsNaN(a) || math.IsNaN(b):
		return math.IsNaN(b)
	case r.Op.upper():
		return a > b
	case r.Op == ">" || r.Op == ">=":
		return a < b
	}
	return r.Op.holds(b, r.Value) && !r.Op.holds(a, r.Value)
}

// gaugeStat computes a statistic of readings in the order of time, of which
// there is at least one: NaN if they are too few for it.
func gaugeStat(values []float64, s Stat) float64 {
	q := 0.5
	switch s.Name {
	case "value":
		return values[len(values)-1]
	case "min":
		return slices.Min(values)
	case "max":
		return slices.Max(values)
	case "avg":
		var sum float64
		for _, v := range values {
			sum += v
		}
		return sum / float64(len(values))
	case "p":
		q = s.Percent / 100
	}
	n := len(values)
	if tooFew(int64(n), q) {
		return math.NaN()
	}
	// The nearest rank; the subtraction keeps a whole q·n from being pushed over
	// by rounding.
	rank := int(math.Ceil(q*float64(n) - 1e-9))
	return slices.Sorted(slices.Values(values))[min(max(rank, 1), n)-1]
}
