package stats

import (
	"math"

	"github.com/aclements/go-moremath/mathx"
)

// ShareInterval returns the limits of a share that was hit in so many of n
// independent trials, each of them missed with the given probability at most:
// Clopper and Pearson's exact limits (Biometrika 26, 1934), for counts that need
// not be whole. It never leaves the range from 0 to 1, and 0 of n still has an
// upper limit.
func ShareInterval(hits, n, miss float64) (low, high float64) {
	high = 1
	if hits > 0 {
		low = betaQuantile(miss, hits, n-hits+1)
	}
	if hits < n {
		high = betaQuantile(1-miss, hits+1, n-hits)
	}
	return low, high
}

// betaQuantile inverts the beta distribution by bisection.
func betaQuantile(p, a, b float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		at := (low + high) / 2
		if mathx.BetaInc(at, a, b) < p {
			low = at
		} else {
			high = at
		}
	}
	return (low + high) / 2
}

// ShareDifference returns the limits of y less x, both shares, from the limits
// of each: Newcombe's hybrid method (Statistics in Medicine 17, 1998), also
// known as MOVER (Zou and Donner 2008). It lies between -1 and 1.
func ShareDifference(x, xLow, xHigh, y, yLow, yHigh float64) (low, high float64) {
	return y - x - math.Hypot(y-yLow, xHigh-x), y - x + math.Hypot(yHigh-y, x-xLow)
}
