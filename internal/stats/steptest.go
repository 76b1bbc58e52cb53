package stats

import "math"

// StepTest returns how likely it is that the steps from each value of x to the
// next have a mean so far from zero, in either direction, where x goes nowhere:
// Student's test of the mean of the first differences. P is 1 for fewer than 4
// values.
//
// It stands beside MannKendall, whose S cannot exceed n(n−1)÷2: where values stay
// near those before them, as a memory that grows smoothly does, even a plain line
// is not significant there. The steps of such a series are all but independent.
// Where they are not, in a series that varies about a level, they run against each
// other, and the test finds less than there is, never more.
func StepTest(x []float64) (p float64) {
	if len(x) < 4 {
		return 1
	}
	n := float64(len(x) - 1)
	mean := (x[len(x)-1] - x[0]) / n
	var square float64
	for i := 1; i < len(x); i++ {
		d := x[i] - x[i-1] - mean
		square += d * d
	}
	switch {
	case mean == 0:
		return 1
	case square <= 1e-18*mean*mean:
		return 0 // every step is the same
	}
	t := math.Abs(mean) * math.Sqrt(n*(n-1)/square)
	return math.Erfc(studentNormal(t, n-1) / math.Sqrt2)
}

// studentNormal returns the normal deviate that is as unlikely as t of Student's
// distribution with the given degrees of freedom: D. L. Wallace, Bounds on normal
// approximations to Student's and the chi-square distributions, Annals of
// Mathematical Statistics 30 (1959).
func studentNormal(t, free float64) float64 {
	return (8*free + 1) / (8*free + 3) * math.Sqrt(free*math.Log1p(t*t/free))
}

// Clarity returns by how many standard deviations of what remains of it the
// least-squares line through x, at equal distances, rises or falls over its
// length: infinite for an exact line, 0 for fewer than 4 values or a constant.
func Clarity(x []float64) float64 {
	n := float64(len(x))
	if len(x) < 4 {
		return 0
	}
	var mean, with, spread, square float64
	for _, v := range x {
		mean += v / n
	}
	middle := (n - 1) / 2
	for i, v := range x {
		d := float64(i) - middle
		spread += d * d
		with += d * (v - mean)
	}
	slope := with / spread
	for i, v := range x {
		r := v - mean - slope*(float64(i)-middle)
		square += r * r
	}
	if slope == 0 {
		return 0
	}
	return math.Abs(slope) * n / math.Sqrt(square/(n-2))
}
