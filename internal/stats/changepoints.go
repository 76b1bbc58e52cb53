package stats

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// fewestBeside is how many values there are on either side of a change, at least:
// of two values, a spread says next to nothing.
const fewestBeside = 3

// candidate is the significance at which a place is looked at: a level that rises
// and falls again is hidden at first by the one beside it.
const candidate = 0.1

// ChangePoints returns where the level of x changes: each i begins a part x[i:] that
// differs from the part before it, as far as the next change, by Student's t-test. A
// part has at least three values. In values of one level there is a change about
// with probability p, whatever their number: each test is at p over that number.
//
// Where to divide is found as in E-divisive means (Matteson and James, "A
// nonparametric approach for multiple change point analysis of multivariate data",
// Journal of the American Statistical Association 109, 2014); in place of its
// permutations stands a t-test, which gives the same answer every time, and points
// that are weak beside the final neighbours are removed again (Fleming et al.,
// "Hunter: using change point detection to hunt for performance regressions", ICPE
// 2023).
func ChangePoints(x []float64, p float64) []int {
	points := divide(x, 0)
	p /= float64(max(len(x), 1))
	for len(points) > 0 {
		weakest, worst := -1, p
		for i := range points {
			low, high := 0, len(x)
			if i > 0 {
				low = points[i-1]
			}
			if i+1 < len(points) {
				high = points[i+1]
			}
			if q := student(x[low:points[i]], x[points[i]:high]); q > worst {
				weakest, worst = i, q
			}
		}
		if weakest < 0 {
			break
		}
		points = slices.Delete(points, weakest, weakest+1)
	}
	return points
}

// divide returns the candidates of x, which begins at place at.
func divide(x []float64, at int) []int {
	best, split := math.Inf(-1), 0
	all := energies(x, fewestBeside)
	for i := fewestBeside; i+fewestBeside <= len(x); i++ {
		if all[i] > best {
			best, split = all[i], i
		}
	}
	if split == 0 || student(x[:split], x[split:]) > candidate {
		return nil
	}
	left := divide(x[:split], at)
	return append(append(left, at+split), divide(x[split:], at+split)...)
}

// student returns how likely samples of one mean and spread are so far apart.
func student(x, y []float64) float64 {
	a, b := stats.Sample{Xs: x}, stats.Sample{Xs: y}
	r, err := stats.TwoSampleTTest(a, b, stats.LocationDiffers)
	switch {
	case err == nil && !math.IsNaN(r.P):
		return r.P
	case a.Mean() != b.Mean():
		return 0 // neither varies
	}
	return 1
}
