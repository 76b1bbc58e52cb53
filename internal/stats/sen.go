package stats

import (
	"math"
	"slices"
)

// Slope is Sen's slope with a confidence interval.
type Slope struct {
	Slope, Low, High float64
}

// Sen returns the median of the slopes between all pairs of points, and its
// confidence interval: P. K. Sen, Estimates of the regression coefficient based
// on Kendall's tau, Journal of the American Statistical Association 63 (1968);
// the interval after R. O. Gilbert, Statistical Methods for Environmental
// Pollution Monitoring (1987), from the variance of S that MannKendall returns,
// times the inflation.
// confidence is, for example, 0.95. Points of one time make no pair.
//
// ok is false where there is no pair, or t and x differ in length.
func Sen(t, x []float64, variance, confidence float64) (s Slope, ok bool) {
	if len(t) != len(x) {
		return Slope{}, false
	}
	all := slopes(t, x)
	n := len(all)
	if n == 0 {
		return Slope{}, false
	}
	slices.Sort(all)
	s.Slope = sortedQuantile(all, 0.5)
	width := math.Sqrt2 * math.Erfinv(confidence) * math.Sqrt(max(variance, 0))
	at := func(rank float64) float64 { return all[min(max(int(math.Round(rank)), 0), n-1)] }
	s.Low, s.High = at((float64(n)-width)/2-1), at((float64(n)+width)/2)
	return s, true
}

func slopes(t, x []float64) []float64 {
	out := make([]float64, 0, len(x)*(len(x)-1)/2)
	for i := range x {
		for j := i + 1; j < len(x); j++ {
			if d := t[j] - t[i]; d != 0 {
				out = append(out, (x[j]-x[i])/d)
			}
		}
	}
	return out
}

// medianSlope is Sen's slope of values at equal distances of 1.
func medianSlope(x []float64) float64 {
	t := make([]float64, len(x))
	for i := range t {
		t[i] = float64(i)
	}
	return Median(slopes(t, x))
}
