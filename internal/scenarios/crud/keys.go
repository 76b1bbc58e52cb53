package crud

import "math"

// The distributions of keys.
const (
	uniform = iota
	zipf
	latest
	hotspot
	distributionCount
)

var distributionNames = [distributionCount]string{"uniform", "zipf", "latest", "hotspot"}

const (
	// theta is the exponent of the Zipf distribution, as in YCSB.
	theta = 0.99
	// Most operations go to the hot part of the keys.
	hotOperations, hotKeys = 0.8, 0.2
)

// keys draws from the keys 1 to n.
type keys struct {
	n int64
	// The constants of Gray et al., "Quickly generating billion-record
	// synthetic databases", SIGMOD 1994: a Zipf rank from one uniform number.
	zetaN, alpha, eta, second float64
	// spread has no common factor with n; it scatters neighbouring ranks over
	// the table, so that the hot rows do not share a page.
	spread int64
}

func newKeys(n int64) keys {
	k := keys{n: n, alpha: 1 / (1 - theta), second: 1 + math.Pow(0.5, theta)}
	for i := int64(1); i <= n; i++ {
		k.zetaN += math.Pow(float64(i), -theta)
	}
	k.eta = 1
	if n > 2 {
		k.eta = (1 - math.Pow(2/float64(n), 1-theta)) / (1 - k.second/k.zetaN)
	}
	for k.spread = max(int64(float64(n)*0.6180339887), 1); gcd(k.spread, n) != 1; k.spread++ {
	}
	return k
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// pick returns the key of u and v, two uniform numbers in [0, 1).
func (k *keys) pick(distribution int, u, v float64) int64 {
	switch distribution {
	case zipf:
		// rank and spread are below 1e7: no overflow.
		return 1 + k.rank(u)*k.spread%k.n
	case latest:
		return k.n - k.rank(u)
	case hotspot:
		// There is at least one hot key, and unless it is the only one at
		// least one cold one.
		hot := max(int64(float64(k.n)*hotKeys), 1)
		if u < hotOperations || hot == k.n {
			return 1 + k.scale(v, hot)
		}
		return 1 + hot + k.scale(v, k.n-hot)
	}
	return 1 + k.scale(u, k.n)
}

// scale returns a number in [0, n).
func (k *keys) scale(u float64, n int64) int64 { return min(int64(u*float64(n)), n-1) }

// rank returns a Zipf rank in [0, n), 0 the most frequent.
func (k *keys) rank(u float64) int64 {
	x := u * k.zetaN
	switch {
	case x < 1 || k.n == 1:
		return 0
	case x < k.second || k.n == 2:
		return 1
	}
	return min(max(int64(float64(k.n)*math.Pow(k.eta*u-k.eta+1, k.alpha)), 0), k.n-1)
}
