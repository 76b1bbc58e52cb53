package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestMoreOftenIsFishersTestOfOneTable(t *testing.T) {
	for _, c := range []struct {
		s    Stratum
		want float64
	}{
		{Stratum{3, 4, 1, 4}, 17.0 / 70}, // the lady tasting tea
		{Stratum{4, 4, 0, 4}, 1.0 / 70},
		{Stratum{0, 4, 4, 4}, 1},
		{Stratum{8, 10, 1, 20}, 1911.0 / 30045015}, // (C(9,8)·C(21,2) + C(9,9)·C(21,1)) ÷ C(30,10)
	} {
		if got := MoreOften([]Stratum{c.s}); math.Abs(got-c.want) > 0.1*c.want {
			t.Errorf("%+v: %g, want %g", c.s, got, c.want)
		}
	}
}

func TestMoreOftenComparesWithinStrata(t *testing.T) {
	// In each stratum the shares are the same; over both together the group has more.
	even := []Stratum{{90, 100, 9, 10}, {1, 10, 10, 100}}
	if p := MoreOften(even); p < 0.3 {
		t.Errorf("p = %g where the shares are equal in each stratum", p)
	}
	if p := MoreOften([]Stratum{{91, 110, 19, 110}}); p > 1e-6 {
		t.Errorf("p = %g of the table of the sums, which misleads", p)
	}
	if p := MoreOften(nil); p != 1 {
		t.Errorf("p = %g of nothing", p)
	}
}

func TestMoreOftenKeepsItsLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(n int64, p float64) (k int64) {
		for range n {
			if rng.Float64() < p {
				k++
			}
		}
		return k
	}
	const rounds = 4000
	wrong := 0
	for range rounds {
		var strata []Stratum
		for range 3 {
			p := rng.Float64()
			strata = append(strata, Stratum{draw(20, p), 20, draw(60, p), 60})
		}
		if MoreOften(strata) <= 0.05 {
			wrong++
		}
	}
	// The test is exact: at most 5 %, and 4 standard deviations.
	if limit := rounds*0.05 + 4*math.Sqrt(rounds*0.05*0.95); float64(wrong) > limit {
		t.Errorf("%d of %d without a difference, at most %.0f", wrong, rounds, limit)
	}
}
