package compare

import (
	"math"

	"github.com/perfctl/perfctl/internal/stats"
)

const (
	// enoughFreedom is how many degrees of freedom the runs of both sides must
	// have for their own spread to be all that is gone by: 4 runs a side, or 7
	// against one.
	enoughFreedom = 6
	// resolution is how wide a bucket of the histograms is, as a part.
	resolution = 0.001
)

// assumed is by how much a run's figure is taken to differ from the next run's
// where the runs are too few to show it: 2 % for a median, 4 % for P95, 6 % for
// P99. docs/analysis.md says where that is from.
func assumed(q float64) float64 {
	switch {
	case q >= 0.99:
		return 0.06
	case q > 0.75:
		return 0.04
	}
	return 0.02
}

// logs returns a statistic of each run as its logarithm, NaN where a run cannot
// tell it.
func logs(side []recording, s *spec) []float64 {
	out := make([]float64, len(side))
	for i, r := range side {
		var t tally
		for _, x := range r[s.key] {
			t.add(x)
		}
		if v := t.quantiles([]float64{s.stat.q})[0]; v > 0 {
			out[i] = math.Log(v)
		} else {
			out[i] = math.NaN()
		}
	}
	return out
}

func known(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) {
			return false
		}
	}
	return len(x) > 0
}

func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v / float64(len(x))
	}
	return sum
}

// few compares a figure of few runs: each run is taken to vary as its seconds
// say and to differ from the next as assumed, or as much as the runs show, if
// that is more.
func few(a, b []recording, s *spec, x, y []float64) (d stats.Difference, w float64, ok bool) {
	nx, ny := float64(len(x)), float64(len(y))
	var squares, blocks float64
	for _, side := range [][]recording{a, b} {
		for _, r := range side {
			in := bootstrap(r, s.key, []float64{s.stat.q})[0]
			if len(r[s.key]) < fewestSeconds || math.IsNaN(in.se) {
				return d, 0, false
			}
			squares += in.se * in.se / (nx + ny)
			blocks += float64(in.blocks - 1)
		}
	}
	tau := assumed(s.stat.q)
	v := tau*tau + squares
	// Only the part that was estimated has degrees of freedom (Satterthwaite).
	freedom := math.Inf(1)
	if squares > 0 {
		freedom = v * v / (squares * squares / max(blocks, 1))
	}
	if seen := nx + ny - 2; seen > 0 {
		p := pooled(x, y)
		if p > v {
			v, freedom = p, seen
		}
	}
	d = stats.Difference{Diff: average(y) - average(x), SE: math.Sqrt(v * (1/nx + 1/ny)), Freedom: freedom, X: math.Sqrt(v), Y: math.Sqrt(v)}
	return d, math.Sqrt(squares), true
}

// pooled is the variance within both samples.
func pooled(x, y []float64) float64 {
	sum := 0.0
	for _, side := range [][]float64{x, y} {
		m := average(side)
		for _, v := range side {
			sum += (v - m) * (v - m)
		}
	}
	return sum / float64(len(x)+len(y)-2)
}
