// Package keys draws keys from a range by one distribution or another. Which
// random numbers are used, and what the keys stand for, is decided elsewhere.
package keys

import "math"

// Distribution says how often each key is drawn.
type Distribution int

// The distributions.
const (
	// Uniform: every key as often as any other.
	Uniform Distribution = iota
	// Zipf: the key of rank r as often as r^-0.99, as in YCSB; ranks are
	// scattered over the keys.
	Zipf
	// Latest: as Zipf, with the last key as the most frequent.
	Latest
	// Hotspot: 80 % of draws fall on the first 20 % of the keys.
	Hotspot
	// Count is how many distributions there are.
	Count
)

// Names are the distributions' names, in their order.
var Names = [Count]string{"uniform", "zipf", "latest", "hotspot"}

// Help describes the distributions for a setting's help.
const Help = "uniform, zipf (a few keys take most, exponent 0.99), latest (zipf, the newest key first), hotspot (80 % of draws on 20 % of the keys)"

// ByName returns the distribution of that name; Uniform where there is none.
func ByName(name string) Distribution {
	for d := range Names {
		if Names[d] == name {
			return Distribution(d)
		}
	}
	return Uniform
}

const (
	// theta is the exponent of the Zipf distribution, as in YCSB.
	theta = 0.99
	// Most draws go to the hot part of the keys.
	hotDraws, hotKeys = 0.8, 0.2
)

// Range draws from the keys 0 to N-1, of which there are at most 1e9.
type Range struct {
	// N is how many keys there are.
	N int64
	// The constants of Gray et al., "Quickly generating billion-record
	// synthetic databases", SIGMOD 1994: a Zipf rank from one uniform number.
	zetaN, alpha, eta, second float64
	// spread has no common factor with N; it scatters neighbouring ranks over
	// the keys, so that frequent ones do not stand together.
	spread int64
}

// New returns a range of n keys. It takes time in proportion to n.
func New(n int64) Range {
	k := Range{N: n, alpha: 1 / (1 - theta), second: 1 + math.Pow(0.5, theta)}
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

// Pick returns the key of u and v, two uniform numbers in [0, 1).
func (k *Range) Pick(d Distribution, u, v float64) int64 {
	switch d {
	case Zipf:
		// Rank and spread are below 1e9: no overflow.
		return k.rank(u) * k.spread % k.N
	case Latest:
		return k.N - 1 - k.rank(u)
	case Hotspot:
		// There is at least one hot key, and unless it is the only one at
		// least one cold one.
		hot := max(int64(float64(k.N)*hotKeys), 1)
		if u < hotDraws || hot == k.N {
			return scale(v, hot)
		}
		return hot + scale(v, k.N-hot)
	}
	return scale(u, k.N)
}

// scale returns a number in [0, n).
func scale(u float64, n int64) int64 { return min(int64(u*float64(n)), n-1) }

// rank returns a Zipf rank in [0, n), 0 the most frequent.
func (k *Range) rank(u float64) int64 {
	x := u * k.zetaN
	switch {
	case x < 1 || k.N == 1:
		return 0
	case x < k.second || k.N == 2:
		return 1
	}
	return min(max(int64(float64(k.N)*math.Pow(k.eta*u-k.eta+1, k.alpha)), 0), k.N-1)
}
