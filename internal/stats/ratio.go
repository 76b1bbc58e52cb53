package stats

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// NormalQuantile returns the quantile p, between 0 and 1, of the standard normal
// distribution.
func NormalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// StudentQuantile returns the quantile p of Student's distribution with so many
// degrees of freedom; infinite for fewer than 1.
func StudentQuantile(p, freedom float64) float64 {
	if freedom < 1 {
		return math.Inf(1)
	}
	return stats.InvCDF(stats.TDist{V: freedom})(p)
}

// RatioInterval estimates by what factor the values y are larger than x, all of
// them positive, with a confidence interval: Hodges and Lehmann's estimate on
// logarithms, the median of all pairwise ratios, and Moses' interval with the
// normal approximation to the ranks (Hollander, Wolfe and Chicken, Nonparametric
// Statistical Methods, 3rd ed., 4.2 and 4.3). NaN without values.
func RatioInterval(x, y []float64, confidence float64) (ratio, low, high float64) {
	var all []float64
	for _, a := range x {
		for _, b := range y {
			all = append(all, math.Log(b/a))
		}
	}
	if len(all) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.Sort(all)
	m, n := float64(len(x)), float64(len(y))
	z := NormalQuantile(0.5 + confidence/2)
	c := int(math.Floor(m*n/2 - z*math.Sqrt(m*n*(m+n+1)/12)))
	c = min(max(c, 0), (len(all)-1)/2)
	return math.Exp(Median(all)), math.Exp(all[c]), math.Exp(all[len(all)-1-c])
}

// FalseDiscovery says which of the p-values are significant if at most the share
// q of those that are said to be may be wrong (Benjamini and Hochberg, 1995).
func FalseDiscovery(p []float64, q float64) []bool {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	out := make([]bool, len(p))
	for i := len(order) - 1; i >= 0; i-- {
		if p[order[i]] <= q*float64(i+1)/float64(len(p)) {
			for _, k := range order[:i+1] {
				out[k] = true
			}
			return out
		}
	}
	return out
}
