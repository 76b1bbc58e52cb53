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
	near(t, "the variance", got.Variance, 125, 1e-9) // 10·9·25 ÷ 18
	// Z is (35 − 1) ÷ √125 = 3.04 without a correction.
	near(t, "P", likelihood(got.S, got.Variance), 0.00236, 1e-4)
	if got.Inflation < 1 || got.Cautious < got.Inflation || got.CautiousP < got.P {
		t.Errorf("the corrections are out of order: %+v", got)
	}
}

func TestMannKendallOfAPublishedExample(t *testing.T) {
	// J. Little, A Mann-Kendall example by hand, College of the Holy Cross: S = 54
	// of 91 pairs, one pair of equal values, Z = 2.9058, one-sided P = 0.0018.
	x := []float64{12.9, 14.8, 13.2, 15.7, 13.8, 15.6, 12.9, 11.0, 17.3, 15.9, 19.0, 18.3, 20.1, 21.7}
	got, _ := MannKendall(x)
	near(t, "S", got.S, 54, 0)
	near(t, "Z", (got.S-1)/math.Sqrt(got.Variance), 2.9058, 5e-5)
	near(t, "P, one-sided", likelihood(got.S, got.Variance)/2, 0.0018, 5e-5)
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
		s, _ := Sen(at, x, trend.Variance*trend.Inflation, 0.95)
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
	step := math.Sqrt(1 - phi*phi)
	if phi == 1 {
		step = 0.1 // a walk
	}
	for i := range x {
		state = phi*state + step*rng.NormFloat64()
		x[i] = 100 + 5*state
	}
	return x
}

// alarms counts in how many of the processes a trend is found at the level.
func alarms(p func([]float64) float64, runs, n int, phi, level, slope float64) (found int) {
	for i := range runs {
		x := process(rand.New(rand.NewPCG(uint64(i), 7)), n, phi)
		for j := range x {
			x[j] += slope * float64(j)
		}
		if p(x) < level {
			found++
		}
	}
	return found
}

func plainP(x []float64) float64 {
	t, _ := MannKendall(x)
	return t.P
}

func cautiousP(x []float64) float64 {
	t, _ := MannKendall(x)
	return t.CautiousP
}

func TestTestsKeepTheirLevelUnderAutocorrelation(t *testing.T) {
	for _, c := range []struct {
		name string
		p    func([]float64) float64
		phi  float64
		most int // of 1000 at a level of 1 %
	}{
		{"plain", plainP, 0, 25}, {"plain", plainP, 0.3, 70}, // known to find too much
		{"cautious", cautiousP, 0, 20}, {"cautious", cautiousP, 0.3, 25}, {"cautious", cautiousP, 0.6, 30}, {"cautious", cautiousP, 0.8, 40},
		{"step", StepTest, 0, 5}, {"step", StepTest, 0.6, 5}, {"step", StepTest, 0.9, 10}, {"step", StepTest, 1, 25},
	} {
		if got := alarms(c.p, 1000, 60, c.phi, 0.01, 0); got > c.most {
			t.Errorf("%s, autocorrelation %g: %d false alarms of 1000 at a level of 1 %%, want at most %d", c.name, c.phi, got, c.most)
		}
	}
}

func TestATrendIsFoundUnderAutocorrelation(t *testing.T) {
	// 30 % over the series, at noise of 5 %.
	if got := alarms(plainP, 200, 60, 0.5, 0.01, 0.5); got != 200 {
		t.Errorf("Mann-Kendall found %d of 200 trends", got)
	}
	// Twice the value, on a smooth way.
	if got := alarms(StepTest, 200, 60, 0.99, 0.01, 2); got < 198 {
		t.Errorf("the steps told %d of 200 trends", got)
	}
}

func TestClarityIsTheRiseOverTheNoise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rise := rapid.Float64Range(1, 100).Draw(t, "rise")
		x := make([]float64, 400)
		for i := range x {
			x[i] = rise*float64(i)/400 + 1 - 2*float64(i%2) // noise of a standard deviation of 1
		}
		if got := Clarity(x); math.Abs(got-rise) > 0.02*rise+0.1 {
			t.Fatalf("a rise of %g: clarity %g", rise, got)
		}
	})
	if c := Clarity(make([]float64, 10)); c != 0 {
		t.Errorf("a constant has a clarity of %g", c)
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
