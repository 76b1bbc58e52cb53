package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestRatioInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	hit := 0
	for range 400 {
		x, y := make([]float64, 8), make([]float64, 8)
		for i := range x {
			x[i], y[i] = math.Exp(rng.NormFloat64()/10), 1.3*math.Exp(rng.NormFloat64()/10)
		}
		r, low, high := RatioInterval(x, y, 0.95)
		if low > r || r > high {
			t.Fatalf("%v is not within %v and %v", r, low, high)
		}
		if low <= 1.3 && 1.3 <= high {
			hit++
		}
	}
	if hit < 370 || hit > 396 {
		t.Errorf("of 400 intervals of 95 %%, %d hold the truth", hit)
	}
}

func TestFalseDiscovery(t *testing.T) {
	// The example of Benjamini and Hochberg (1995): four of fifteen.
	p := []float64{.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1}
	n := 0
	for _, s := range FalseDiscovery(p, 0.05) {
		if s {
			n++
		}
	}
	if n != 4 {
		t.Errorf("%d are significant, want 4", n)
	}
	if math.Abs(StudentQuantile(0.975, 9)-2.262157) > 1e-5 || !math.IsInf(StudentQuantile(0.9, 0), 1) {
		t.Errorf("Student's quantile is %v", StudentQuantile(0.975, 9))
	}
	if math.Abs(NormalQuantile(0.975)-1.959964) > 1e-6 {
		t.Errorf("the quantile 0.975 is %v", NormalQuantile(0.975))
	}
}
