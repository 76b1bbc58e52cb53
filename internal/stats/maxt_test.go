package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/perfctl/perfctl/internal/stats"
)

// family draws runs whose figures have something in common, with the spread of
// each figure on each side.
func family(rng *rand.Rand, nx, ny int, x, y []float64) []stats.Pair {
	out := make([]stats.Pair, len(x))
	for side, n := range []int{nx, ny} {
		for range n {
			common := rng.NormFloat64()
			for j := range out {
				v := math.Sqrt(0.7)*common + math.Sqrt(0.3)*rng.NormFloat64()
				if side == 0 {
					out[j].X = append(out[j].X, v*x[j])
				} else {
					out[j].Y = append(out[j].Y, v*y[j])
				}
			}
		}
	}
	return out
}

// missed is how often at least one interval of a family leaves out the truth, a
// difference of none.
func missed(times, nx, ny int, x, y []float64) float64 {
	rng := rand.New(rand.NewPCG(3, uint64(nx)))
	n := 0
	for range times {
		all, _ := stats.Simultaneous(family(rng, nx, ny, x, y), 0, 0.9)
		for _, d := range all {
			if math.Abs(d.Diff) > d.Critical*d.SE {
				n++
				break
			}
		}
	}
	return float64(n) / float64(times)
}

// The intervals of a family hold together as often as they say, with few runs,
// unequal spreads and unequal numbers of runs.
func TestSimultaneousHoldsTogether(t *testing.T) {
	even, uneven := []float64{1, 2, 3, 1, 2, 3}, []float64{4, 2, 1, 4, 2, 1}
	for name, c := range map[string]struct {
		nx, ny int
		x, y   []float64
	}{
		"5 and 5, unequal": {5, 5, even, uneven}, "9 and 3": {9, 3, even, uneven}, "7 and 1": {7, 1, even, even},
	} {
		if got := missed(100, c.nx, c.ny, c.x, c.y); got > 0.18 {
			t.Errorf("%s: of intervals that are to hold together in 90 %% of families, %.0f %% do not", name, 100*got)
		}
	}
}

// Figures that move together cost less than independent ones, and more figures
// cost more.
func TestSimultaneousPaysForWhatIsNew(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	one := family(rng, 6, 6, []float64{1}, []float64{1})
	copies, fresh := []stats.Pair{}, []stats.Pair{}
	for range 8 {
		copies = append(copies, one[0])
		fresh = append(fresh, family(rng, 6, 6, []float64{1}, []float64{1})[0])
	}
	_, single := stats.Simultaneous(one, 0, 0.95)
	_, same := stats.Simultaneous(copies, 0, 0.95)
	_, independent := stats.Simultaneous(fresh, 0, 0.95)
	if math.Abs(single-1.96) > 0.15 || same < single-0.1 || independent < same+0.2 {
		t.Errorf("critical values: of one figure %.2f, of eight copies %.2f, of eight figures %.2f", single, same, independent)
	}
}

func TestStudentScoreIsStudentsQuantile(t *testing.T) {
	for _, freedom := range []float64{2, 4, 8, 30} {
		for _, p := range []float64{0.9, 0.975, 0.995} {
			want := stats.StudentQuantile(p, freedom)
			if got := stats.StudentScore(stats.NormalQuantile(p), freedom); math.Abs(got/want-1) > 0.13 {
				t.Errorf("quantile %g of %g degrees of freedom is %.3f, want %.3f", p, freedom, got, want)
			}
		}
	}
}

// The limits of a share are those of tables, and never leave what a share can be.
func TestShareInterval(t *testing.T) {
	for _, c := range []struct{ hits, n, low, high float64 }{
		{0, 3000, 0, 0.001229}, {10, 100, 0.0490, 0.1762}, {100, 100, 0.9638, 1},
	} {
		low, high := stats.ShareInterval(c.hits, c.n, 0.025)
		if math.Abs(low-c.low) > 1e-4 || math.Abs(high-c.high) > 1e-4 {
			t.Errorf("%g of %g: %.4f to %.4f, want %.4f to %.4f", c.hits, c.n, low, high, c.low, c.high)
		}
	}
	low, high := stats.ShareDifference(0, 0, 0.02, 1, 0.97, 1)
	if low < 0.9 || high != 1 {
		t.Errorf("none against all: %g to %g", low, high)
	}
}
