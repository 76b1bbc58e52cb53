package stats

import "math"

// QuantileRanks returns the ranks, from 1, of the order statistics that bound the
// quantile q (0 < q < 1) of what n independent values were drawn from: the true
// quantile lies below the low one with a probability of at most alpha, and above
// the high one likewise. low is 0 and high n+1 where n values bound it on that
// side by no value.
//
// The number of values below the quantile is binomial, Bin(n, q), whatever the
// distribution: P(x₍ₗ₎ > ξ) = P(Bin < l) and P(x₍ᵤ₎ < ξ) = P(Bin ≥ u) (David and
// Nagaraja, Order Statistics, 3rd ed., 7.1).
func QuantileRanks(n int64, q, alpha float64) (low, high int64) {
	return lowRank(n, q, alpha), n + 1 - lowRank(n, 1-q, alpha)
}

// lowRank is the largest l with P(Bin(n, q) ≤ l−1) ≤ alpha, 0 for none.
func lowRank(n int64, q, alpha float64) int64 {
	if n <= 0 {
		return 0
	}
	var sum float64
	k, p := tailStart(n, q)
	for ; k <= n; k++ {
		if sum += p; sum > alpha {
			return k
		}
		p *= float64(n-k) / float64(k+1) * q / (1 - q)
	}
	return n
}

// tailStart returns a k below which Bin(n, q) has no probability that counts, and
// the probability of k itself.
func tailStart(n int64, q float64) (int64, float64) {
	mean, sd := float64(n)*q, math.Sqrt(float64(n)*q*(1-q))
	k := int64(max(math.Floor(mean-10*sd-10), 0))
	return k, math.Exp(logChoose(n, k) + float64(k)*math.Log(q) + float64(n-k)*math.Log1p(-q))
}

func logChoose(n, k int64) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// BinomialAtMost returns P(Bin(n, p) ≤ k).
func BinomialAtMost(n, k int64, p float64) float64 {
	switch {
	case k >= n || p <= 0 && k >= 0:
		return 1
	case k < 0 || p >= 1:
		return 0
	}
	var sum float64
	i, one := tailStart(n, p)
	for ; i <= k; i++ {
		sum += one
		one *= float64(n-i) / float64(i+1) * p / (1 - p)
	}
	return min(sum, 1)
}

// QuantileNeeds returns how many values it takes until QuantileRanks bounds the
// quantile q on both sides: 6 for the median, 72 for the 95th and 368 for the 99th
// percentile with an alpha of 2.5 %.
func QuantileNeeds(q, alpha float64) int64 {
	n := int64(math.Ceil(math.Log(alpha) / math.Log(max(q, 1-q))))
	for l, h := QuantileRanks(n, q, alpha); l < 1 || h > n; l, h = QuantileRanks(n, q, alpha) {
		n++ // rounding, at a whole number
	}
	return n
}
