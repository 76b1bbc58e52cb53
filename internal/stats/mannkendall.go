package stats

import (
	"math"
	"slices"
)

// Trend is what Mann-Kendall's test finds in a series.
type Trend struct {
	// S is the number of pairs that rise less those that fall, and Variance that of
	// S where there is no trend and the values are independent.
	S, Variance float64
	// Inflation is by how much autocorrelation widens the variance, and P how
	// likely an S so far from zero, in either direction, then is without a trend.
	Inflation, P float64
	// Cautious is the inflation if what correlation there seems to be is somewhat
	// stronger, and CautiousP the likelihood then.
	Cautious, CautiousP float64
}

// MannKendall tests whether x, in the order of time, rises or falls: H. B. Mann,
// Nonparametric tests against trend, Econometrica 13 (1945); M. G. Kendall, Rank
// Correlation Methods (1975), with the variance for ties. The variance is
// corrected for autocorrelation after K. H. Hamed and A. R. Rao, A modified
// Mann-Kendall trend test for autocorrelated data, Journal of Hydrology 204
// (1998): the correlations of the ranks of x less its Sen slope, where they are
// significant. Unlike there, the correction is never below 1.
//
// In series of less than a hundred values correlations are found too small, and
// the test finds more trends than there are. The cautious correction is not less
// than that of a first-order process with the correlation found at lag 1,
// corrected for its bias (M. H. Quenouille, 1949); it misses more of them.
//
// ok is false for fewer than 4 values.
func MannKendall(x []float64) (t Trend, ok bool) {
	n := len(x)
	if n < 4 {
		return Trend{}, false
	}
	for i := range x {
		for j := i + 1; j < n; j++ {
			t.S += sign(x[j] - x[i])
		}
	}
	t.Variance = variance(x)
	t.Inflation, t.Cautious = inflation(x)
	t.P, t.CautiousP = likelihood(t.S, t.Variance*t.Inflation), likelihood(t.S, t.Variance*t.Cautious)
	return t, true
}

// likelihood is that of an S so far from zero, by a pair less, in either
// direction.
func likelihood(s, variance float64) float64 {
	if variance <= 0 || s == 0 {
		return 1
	}
	return math.Erfc((math.Abs(s) - 1) / math.Sqrt(variance) / math.Sqrt2)
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// variance is that of S for independent values:
// [n(n−1)(2n+5) − Σ t(t−1)(2t+5)] ÷ 18, over the groups of t equal values.
func variance(x []float64) float64 {
	n := float64(len(x))
	v := n * (n - 1) * (2*n + 5)
	ties := map[float64]float64{}
	for _, value := range x {
		ties[value]++
	}
	for _, t := range ties {
		v -= t * (t - 1) * (2*t + 5)
	}
	return v / 18
}

// inflation is Hamed and Rao's n ÷ n*:
// 1 + 2 ÷ (n(n−1)(n−2)) · Σ (n−k)(n−k−1)(n−k−2) ρ(k), and the cautious one.
func inflation(x []float64) (plain, cautious float64) {
	n := float64(len(x))
	slope := medianSlope(x)
	// What remains of an exact line is rounding, which has ranks but no meaning.
	grain := (slices.Max(x) - slices.Min(x)) * 1e-9
	rest := make([]float64, len(x))
	for i, v := range x {
		rest[i] = v - x[0] - slope*float64(i)
		if grain > 0 {
			rest[i] = math.Round(rest[i]/grain) * grain
		}
	}
	most := len(x) - 3
	rho := autocorrelation(ranks(rest), most)
	first := 0.0
	if most > 0 && n > 4 {
		first = min(max((n*rho[0]+1)/(n-4), 0), 0.99)
	}
	significant := 1.96 / math.Sqrt(n)
	if first <= significant/2 {
		first = 0
	}
	var found, process float64
	power := 1.0
	for i, r := range rho {
		k := float64(i + 1)
		weight := (n - k) * (n - k - 1) * (n - k - 2)
		if math.Abs(r) > significant {
			found += weight * r
		}
		power *= first
		process += weight * power
	}
	scale := 2 / (n * (n - 1) * (n - 2))
	plain = max(1, 1+scale*found)
	return plain, max(plain, 1+scale*process)
}
