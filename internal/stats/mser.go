package stats

import "math"

// mserBatch is how many values MSER-5 averages.
const mserBatch = 5

// MSER5 returns how many of the first values of x belong to the warm-up: the
// truncation that makes the standard error of the mean of the rest smallest,
// over means of batches of five. K. P. White, An effective truncation heuristic
// for bias reduction in simulation output, Simulation 69 (1997); of 44 methods
// the best for use without a person in K. Hoad, S. Robinson and R. Davies,
// AutoSimOA, Journal of the Operational Research Society 61 (2010).
//
// ok is false where x has fewer than ten batches, or where the truncation falls
// into the second half: no steady state was reached within x, or x is too short
// to tell.
func MSER5(x []float64) (truncate int, ok bool) {
	n := len(x) / mserBatch
	if n < 10 {
		return 0, false
	}
	means := make([]float64, n)
	for i := range means {
		for _, v := range x[i*mserBatch : (i+1)*mserBatch] {
			means[i] += v / mserBatch
		}
	}
	best, at := math.Inf(1), 0
	// The last five batches alone would pass for steady by chance.
	for d := range n - mserBatch + 1 {
		if e := squareError(means[d:]); e < best {
			best, at = e, d
		}
	}
	return at * mserBatch, at*2 <= n
}

// squareError is Σ(x − mean)² ÷ n²: the square of the mean's standard error.
func squareError(x []float64) float64 {
	n := float64(len(x))
	var mean, sum float64
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum / (n * n)
}
