package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// near fails unless got is want within the tolerance.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %g, want %g", what, got, want)
	}
}

func TestMannKendallOfAKnownSeries(t *testing.T) {
	// Counted by hand: of the 45 pairs 40 rise and 5 fall.
	x := []float64{1, 3, 2, 5, 4, 6, 9, 7, 10, 8}
	got, ok := MannKendall(x)
	if !ok {
		t.Fatal("ten values are enough")
	}
	near(t, "S", got.S, 35, 0)
	near(t, "the variance", got.Variance/got.Inflation, 125, 1e-9) // 10·9·25 ÷ 18
	near(t, "Z", (35-1)/math.Sqrt(got.Variance), got.Z, 1e-9)
}

func TestMannKendallCorrectsTheVarianceForTies(t *testing.T) {
	// n(n−1)(2n+5), less t(t−1)(2t+5) for the groups of two and three equal.
	x := []float64{10, 10, 12, 14, 14, 14, 15}
	near(t, "the variance", variance(x), (7*6*19-2*1*9-3*2*11)/18.0, 1e-12)
}

func TestSenOfAKnownSeries(t *testing.T) {
	s, ok := Sen([]float64{1, 2, 3, 4, 5}, []float64{10, 22, 21, 30, 35}, 16.667, 0.9)
	if !ok {
		t.Fatal("five points have a slope")
	}
	// The ten slopes: 12, 5.5, 6.67, 6.25, −1, 4, 4.33, 9, 7, 5.
	near(t, "the slope", s.Slope, (5.5+6.25)/2, 1e-9)
	near(t, "its lower bound", s.Low, 4, 1e-9)
	near(t, "its upper bound", s.High, 9, 1e-9)
}

func TestAnExactLineHasItsSlopeAndATrend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(10, 60).Draw(t, "n")
		slope := rapid.Float64Range(0.1, 100).Draw(t, "slope")
		if rapid.Bool().Draw(t, "falls") {
			slope = -slope
		}
		at, x := make([]float64, n), make([]float64, n)
		for i := range x {
			at[i] = float64(i) * 30
			x[i] = 1e4 + slope*at[i]
		}
		trend, ok := MannKendall(x)
		if !ok || trend.P > 1e-3 || trend.S*slope < 0 {
			t.Fatalf("a line of slope %g: %+v", slope, trend)
		}
		s, _ := Sen(at, x, trend.Variance, 0.95)
		if math.Abs(s.Slope-slope) > 1e-6 || s.Low > s.High {
			t.Fatalf("the slope is %+v, want %g", s, slope)
		}
	})
}

func TestTrendDoesNotDependOnUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-1000, 1000), 4, 40).Draw(t, "x")
		scale := math.Ldexp(1, rapid.IntRange(-10, 30).Draw(t, "scale")) // exact, so that ties stay ties
		y := make([]float64, len(x))
		for i, v := range x {
			y[i] = v * scale
		}
		a, _ := MannKendall(x)
		b, _ := MannKendall(y)
		if a != b {
			t.Fatalf("%+v became %+v", a, b)
		}
		slices.Reverse(y)
		if c, _ := MannKendall(y); c.S != -a.S {
			t.Fatalf("reversed, S is %g instead of %g", c.S, -a.S)
		}
	})
}

// process returns n values of a first-order process around 100.
func process(rng *rand.Rand, n int, phi float64) []float64 {
	x := make([]float64, n)
	state := rng.NormFloat64()
	for i := range x {
		state = phi*state + math.Sqrt(1-phi*phi)*rng.NormFloat64()
		x[i] = 100 + 5*state
	}
	return x
}

// alarms counts in how many of the processes a trend is found at the level.
func alarms(runs, n int, phi, level, slope float64) (found int) {
	for i := range runs {
		x := process(rand.New(rand.NewPCG(uint64(i), 7)), n, phi)
		for j := range x {
			x[j] += slope * float64(j)
		}
		if t, _ := MannKendall(x); t.P < level {
			found++
		}
	}
	return found
}

func TestMannKendallKeepsItsLevelUnderAutocorrelation(t *testing.T) {
	for _, c := range []struct {
		phi  float64
		most int // of 1000 at a level of 1 %
	}{{0, 20}, {0.3, 25}, {0.6, 30}, {0.8, 40}} {
		if got := alarms(1000, 60, c.phi, 0.01, 0); got > c.most {
			t.Errorf("autocorrelation %g: %d false alarms of 1000 at a level of 1 %%, want at most %d", c.phi, got, c.most)
		}
	}
}

func TestMannKendallFindsATrendUnderAutocorrelation(t *testing.T) {
	// 30 % over the series, at noise of 5 %.
	if got := alarms(200, 60, 0.5, 0.01, 0.5); got != 200 {
		t.Errorf("found %d of 200 trends", got)
	}
}

func TestTooFewValuesHaveNoTrend(t *testing.T) {
	if _, ok := MannKendall([]float64{1, 2, 3}); ok {
		t.Error("three values have a trend")
	}
	if _, ok := Sen([]float64{1, 1}, []float64{2, 3}, 1, 0.95); ok {
		t.Error("two values of one time have a slope")
	}
	if trend, ok := MannKendall(make([]float64, 50)); !ok || trend.P != 1 {
		t.Errorf("a constant has a trend: %+v", trend)
	}
}
