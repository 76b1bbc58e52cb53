package stats

import (
	"slices"
	"sort"
)

// energies returns, for every i, the energy statistic of x[:i] and x[i:] where each has
// at least fewest values; the others are 0. It goes from one place to the next by what
// moving one value changes: the sums of its distances to both sides, which two trees of
// prefix sums give, so that n values take n·log n steps.
func energies(x []float64, fewest int) []float64 {
	n := len(x)
	out := make([]float64, n+1)
	if n < 2*fewest {
		return out
	}
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	ranks := make([]int, n)
	left, right := newSums(n), newSums(n)
	for i, v := range x {
		ranks[i] = sort.SearchFloat64s(sorted, v)
		right.add(ranks[i], v, 1)
	}
	// The sums of distances within the left side, within the right side, and between.
	var inLeft, inRight, between float64
	below := 0.0
	for i, v := range sorted { // each value is above those before it
		inRight += v*float64(i) - below
		below += v
	}
	for i, v := range x {
		toLeft := left.distance(ranks[i], v)
		toRight := right.distance(ranks[i], v)
		inLeft, inRight, between = inLeft+toLeft, inRight-toRight, between-toLeft+toRight
		right.add(ranks[i], v, -1)
		left.add(ranks[i], v, 1)
		if m, k := float64(i+1), float64(n-i-1); i+1 >= fewest && n-i-1 >= fewest {
			out[i+1] = m * k / (m + k) * (2*between/(m*k) - 2*inLeft/(m*(m-1)) - 2*inRight/(k*(k-1)))
		}
	}
	return out
}

// sums are how many values there are up to a rank and what they add up to, as Fenwick
// trees.
type sums struct {
	count, total []float64
	all, whole   float64
}

func newSums(n int) *sums { return &sums{count: make([]float64, n+1), total: make([]float64, n+1)} }

// add adds a value of a rank, or with -1 takes it away.
func (s *sums) add(rank int, v, times float64) {
	s.all, s.whole = s.all+times, s.whole+times*v
	for i := rank + 1; i < len(s.count); i += i & -i {
		s.count[i] += times
		s.total[i] += times * v
	}
}

// distance is the sum of the distances of v, which has that rank, to all values.
func (s *sums) distance(rank int, v float64) float64 {
	var n, total float64
	for i := rank + 1; i > 0; i -= i & -i {
		n, total = n+s.count[i], total+s.total[i]
	}
	return v*n - total + (s.whole - total) - v*(s.all-n)
}
