package stats

import (
	"math"
	"slices"
)

// Median returns the median of x, NaN without values. x is not changed.
func Median(x []float64) float64 { return Quantile(x, 0.5) }

// Quantile returns the quantile q, from 0 to 1, of x by linear interpolation
// between the closest ranks (Hyndman and Fan's type 7); NaN without values. x is
// not changed.
func Quantile(x []float64, q float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	return sortedQuantile(slices.Sorted(slices.Values(x)), q)
}

func sortedQuantile(x []float64, q float64) float64 {
	at := min(max(q, 0), 1) * float64(len(x)-1)
	i := int(at)
	if i+1 >= len(x) {
		return x[len(x)-1]
	}
	return x[i] + (at-float64(i))*(x[i+1]-x[i])
}

// UpperFence returns the value above which a reading of x is an outlier: the
// third quartile plus one and a half times the distance of the quartiles (Tukey,
// Exploratory Data Analysis, 1977); NaN without values.
func UpperFence(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Sorted(slices.Values(x))
	low, high := sortedQuantile(x, 0.25), sortedQuantile(x, 0.75)
	return high + 1.5*(high-low)
}

// ranks returns the ranks of x from 1, equal values with their mean rank.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(x))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && x[order[to]] == x[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+to+1) / 2
		}
		from = to
	}
	return out
}

// autocorrelation returns the correlation of x with itself at lags from 1 to
// most, each sum over the variance of all; zeros for a constant x.
func autocorrelation(x []float64, most int) []float64 {
	out := make([]float64, most)
	var mean, whole float64
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x)) // at the end: the mean of equal ranks is then exact
	for _, v := range x {
		whole += (v - mean) * (v - mean)
	}
	if whole == 0 {
		return out
	}
	for k := range most {
		for i := k + 1; i < len(x); i++ {
			out[k] += (x[i] - mean) * (x[i-k-1] - mean) / whole
		}
	}
	return out
}
