package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// atMost is P(Bin(n, p) ≤ k) as the definition says, in big steps of float64.
func atMost(n, k int64, p float64) (sum float64) {
	for i := int64(0); i <= k; i++ {
		sum += math.Exp(logChoose(n, i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

func TestQuantileNeedsAreTheKnownOnes(t *testing.T) {
	for q, want := range map[float64]int64{0.5: 6, 0.9: 36, 0.95: 72, 0.99: 368, 0.999: 3688, 0.9999: 36887, 0.05: 72} {
		if got := QuantileNeeds(q, 0.025); got != want {
			t.Errorf("quantile %g needs %d values, want %d", q, got, want)
		}
	}
}

func TestQuantileRanksKeepTheirProbability(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 600).Draw(t, "n")
		q := rapid.Float64Range(0.01, 0.99).Draw(t, "q")
		alpha := rapid.SampledFrom([]float64{0.05, 0.025, 0.005}).Draw(t, "alpha")
		low, high := QuantileRanks(n, q, alpha)
		const eps = 1e-9
		// Neither limit errs more often than alpha, and none could be closer.
		if p := atMost(n, low-1, q); p > alpha+eps {
			t.Fatalf("n=%d q=%g: the low rank %d errs with %g", n, q, low, p)
		}
		if p := atMost(n, low, q); low < n && p <= alpha-eps {
			t.Fatalf("n=%d q=%g: the low rank %d could be larger: %g", n, q, low, p)
		}
		if p := 1 - atMost(n, high-1, q); p > alpha+eps {
			t.Fatalf("n=%d q=%g: the high rank %d errs with %g", n, q, high, p)
		}
		if p := 1 - atMost(n, high-2, q); high > 1 && p <= alpha-eps {
			t.Fatalf("n=%d q=%g: the high rank %d could be smaller: %g", n, q, high, p)
		}
	})
}

func TestQuantileRanksOfManyValues(t *testing.T) {
	low, high := QuantileRanks(10_000_000, 0.95, 0.025)
	sd := math.Sqrt(1e7 * 0.95 * 0.05)
	if math.Abs(float64(low)-(9.5e6-1.96*sd)) > 3 || math.Abs(float64(high)-(9.5e6+1.96*sd)) > 3 {
		t.Errorf("ranks %d to %d", low, high)
	}
}

func TestBinomialAtMost(t *testing.T) {
	for _, c := range []struct {
		n, k int64
		p    float64
	}{{12, 11, 0.95}, {1000, 10, 0.01}, {5000, 4800, 0.95}, {3, 0, 0.5}} {
		if got, want := BinomialAtMost(c.n, c.k, c.p), atMost(c.n, c.k, c.p); math.Abs(got-want) > 1e-9 {
			t.Errorf("P(Bin(%d, %g) ≤ %d) = %g, want %g", c.n, c.p, c.k, got, want)
		}
	}
	if BinomialAtMost(5, 5, 0.5) != 1 || BinomialAtMost(5, -1, 0.5) != 0 || BinomialAtMost(5, 0, 0) != 1 || BinomialAtMost(5, 4, 1) != 0 {
		t.Error("the ends are wrong")
	}
}

// TestQuantileLimitsCoverTheQuantile draws from a long-tailed distribution whose
// quantile is known.
func TestQuantileLimitsCoverTheQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const runs, n, q = 4000, 200, 0.95
	truth := math.Exp(NormalQuantile(q))
	low, high := QuantileRanks(n, q, 0.025)
	covered := 0
	for range runs {
		x := make([]float64, n)
		for i := range x {
			x[i] = math.Exp(rng.NormFloat64())
		}
		slices.Sort(x)
		if x[low-1] <= truth && truth <= x[high-1] {
			covered++
		}
	}
	if share := float64(covered) / runs; share < 0.945 {
		t.Errorf("the limits hold the quantile in %.3f of the runs, want 0.95", share)
	}
}
