package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// energy is how far two samples are apart, as Székely and Rizzo write it.
func energy(x, y []float64) float64 {
	m, n := float64(len(x)), float64(len(y))
	var between float64
	for _, a := range x {
		for _, b := range y {
			between += math.Abs(a - b)
		}
	}
	return m * n / (m + n) * (2*between/(m*n) - within(x) - within(y))
}

// within is the mean distance of two values of one sample.
func within(x []float64) (d float64) {
	for i, a := range x {
		for _, b := range x[:i] {
			d += math.Abs(a - b)
		}
	}
	n := float64(len(x))
	return 2 * d / (n * (n - 1))
}

// What is found step by step is what the formula says for each place.
func TestEnergiesAreThoseOfTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-10, 10), rapid.SampledFrom([]float64{1, 2})), 0, 60).Draw(t, "x")
		got := energies(x, fewestBeside)
		for i := fewestBeside; i+fewestBeside <= len(x); i++ {
			if want := energy(x[:i], x[i:]); math.Abs(got[i]-want) > 1e-9*(1+math.Abs(want)*float64(len(x))) {
				t.Fatalf("at %d of %v: %v, want %v", i, x, got[i], want)
			}
		}
	})
}
