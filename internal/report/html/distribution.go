package html

import (
	"math"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// rowsPerDecade is how fine the heat map's rows are.
const rowsPerDecade = 10

// heatOf counts response times by bin and row. Rows are of equal width on a
// logarithmic axis.
func heatOf(bins []*metrics.Hist) heat {
	row := func(ns float64) int { return int(math.Ceil(rowsPerDecade * math.Log10(math.Max(ns, 1)))) }
	low, high := math.MaxInt, 0
	for _, h := range bins {
		if h != nil && h.N > 0 {
			low, high = min(low, row(float64(h.Min))), max(high, row(float64(h.Max)))
		}
	}
	out := heat{Rows: []float64{}, Cells: [][3]int64{}}
	if high < low {
		return out
	}
	for i := low; i <= high; i++ {
		out.Rows = append(out.Rows, roundTo(math.Pow(10, float64(i)/rowsPerDecade)/1e6, 5))
	}
	for b, h := range bins {
		if h == nil {
			continue
		}
		counts := make([]int64, high-low+1)
		h.Buckets(func(i int, n int64) {
			_, top := metrics.BucketBounds(i)
			counts[min(max(row(float64(min(top, h.Max)))-low, 0), high-low)] += n
		})
		for i, n := range counts {
			if n > 0 {
				out.Cells = append(out.Cells, [3]int64{int64(b), int64(i), n})
			}
		}
	}
	return out
}

// curves returns the percentile spectrum of response time of each stage, and of
// all. A curve ends where fewer than one value would lie above, or where values
// are only known to be larger.
func curves(r *rundir.Run) []curve {
	out := []curve{}
	for _, st := range r.Info.Stages {
		if h := r.Totals.Trend(metrics.Selector{Name: metrics.ResponseTime.Name, Tags: metrics.Tags{Stage: st.Name}}); !h.Empty() {
			out = append(out, curve{Name: st.Name, Points: spectrum(h)})
		}
	}
	if h := r.Totals.Trend(metrics.Selector{Name: metrics.ResponseTime.Name}); !h.Empty() && len(out) > 1 {
		out = append(out, curve{Name: "all stages", Points: spectrum(h)})
	}
	return out
}

// spectrumSteps is how many points a tenfold rarer value has.
const spectrumSteps = 20

func spectrum(h *metrics.Hist) [][2]float64 {
	out := [][2]float64{}
	n := float64(h.N + h.Censored)
	for i := 0; ; i++ {
		rarity := math.Pow(10, float64(i)/spectrumSteps) // 1/(1-q)
		if rarity > n {
			return out
		}
		v, atLeast, ok := h.Quantile(1 - 1/rarity)
		if !ok || atLeast {
			return out
		}
		out = append(out, [2]float64{roundTo(rarity, 4), roundTo(float64(v)/1e6, 5)})
	}
}

// interval returns the 95 % confidence interval of the quantile q: the order
// statistics of ranks n·q ∓ 1.96·√(n·q·(1-q)), in milliseconds (the binomial
// interval of Conover, Practical Nonparametric Statistics, 3.2). It is nil where
// a rank falls outside or among values that are only known to be larger.
func interval(h *metrics.Hist, q float64) *[2]float64 {
	n := float64(h.N + h.Censored)
	half := 1.96 * math.Sqrt(n*q*(1-q))
	low, high := math.Floor(n*q-half), math.Ceil(n*q+half)+1
	if low < 1 || high > n {
		return nil
	}
	a, _, ok1 := h.Quantile(low / n)
	b, more, ok2 := h.Quantile(high / n)
	if !ok1 || !ok2 || more {
		return nil
	}
	return &[2]float64{float64(a) / 1e6, float64(b) / 1e6}
}
