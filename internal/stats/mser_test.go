package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestMSER5CutsAWarmUpOff(t *testing.T) {
	for _, warm := range []int{0, 20, 60, 100} {
		x := process(rand.New(rand.NewPCG(uint64(warm), 3)), 300, 0.2)
		for i := range warm {
			x[i] += 100 * float64(warm-i) / float64(warm)
		}
		got, ok := MSER5(x)
		// The end of the warm-up is within the noise and may be kept.
		if !ok || got > warm+25 || got < warm-warm/4-5 {
			t.Errorf("a warm-up of %d values: %d cut off (%v)", warm, got, ok)
		}
	}
}

func TestMSER5SaysWhereNothingIsSteady(t *testing.T) {
	x := make([]float64, 200)
	for i := range x {
		x[i] = float64(i * i)
	}
	if got, ok := MSER5(x); ok {
		t.Errorf("a parabola is steady after %d values", got)
	}
	if _, ok := MSER5(x[:49]); ok {
		t.Error("49 values are enough")
	}
}

func TestMSER5CutsAtABatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(0, 1e6), 50, 300).Draw(t, "x")
		if got, ok := MSER5(x); got%5 != 0 || got < 0 || got >= len(x) || ok && got > len(x)/2 {
			t.Fatalf("%d of %d cut off (%v)", got, len(x), ok)
		}
	})
}

func TestElasticityTellsSaturation(t *testing.T) {
	// 100/s at 10 ms is 1 in flight; twice the load at the same time is 2.
	near(t, "in flight", InFlight(100, 0.01), 1, 1e-12)
	near(t, "a system with room", Elasticity(1, 100, 2, 200), 1, 1e-12)
	near(t, "a saturated one", Elasticity(1, 100, 50, 100), 0, 1e-12)
	if e := Elasticity(1, 100, 1, 200); !math.IsNaN(e) {
		t.Errorf("the same number in flight has an elasticity of %g", e)
	}
}

func TestQuantileAndFence(t *testing.T) {
	x := []float64{4, 1, 3, 2, 5}
	near(t, "the median", Median(x), 3, 0)
	near(t, "the first quartile", Quantile(x, 0.25), 2, 0)
	near(t, "the fence", UpperFence(x), 4+1.5*2, 0)
	if !math.IsNaN(Median(nil)) || !math.IsNaN(UpperFence(nil)) {
		t.Error("nothing has a median")
	}
}
