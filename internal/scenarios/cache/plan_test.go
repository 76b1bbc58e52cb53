package cache

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func TestHitsAreExactlyTheShareAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := stagePlan{
			first: rapid.Int64Range(0, 10_000).Draw(t, "first"),
			total: rapid.Int64Range(1, 3000).Draw(t, "total"),
			ratio: rapid.Float64Range(0, 1).Draw(t, "ratio"),
		}
		seed := rapid.Uint64().Draw(t, "seed")
		var hits int64
		for n := range p.total {
			if p.hit(seed, p.first+n) {
				hits++
			}
			// After every whole block the share is right to within one.
			if (n+1)%block == 0 {
				if d := float64(hits) - p.ratio*float64(n+1); math.Abs(d) > 1+1e-6 {
					t.Fatalf("%d hits of %d, asked for %g of them", hits, n+1, p.ratio)
				}
			}
		}
		if want := int64(math.Floor(float64(p.total)*p.ratio + 1e-9)); hits != want {
			t.Fatalf("%d hits of %d, want %d", hits, p.total, want)
		}
	})
}

func TestHitsAreNotInARow(t *testing.T) {
	p := stagePlan{total: 1000, ratio: 0.5}
	longest, run := 0, 0
	for n := range p.total {
		if run++; !p.hit(1, n) {
			run = 0
		}
		longest = max(longest, run)
	}
	if longest > 60 {
		t.Errorf("%d hits in a row at a hit ratio of a half: nothing was shuffled", longest)
	}
}

func TestDistributionsStayWithinTheKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1_000_000).Draw(t, "keys")
		a := &work.Arrival{K: rapid.Int64Range(0, 1<<40).Draw(t, "k"), Seed: rapid.Uint64().Draw(t, "seed")}
		for _, d := range []string{uniform, zipf, hotspot} {
			if i := pick(a, d, n); i < 0 || i >= n {
				t.Fatalf("%s drew key %d of %d", d, i, n)
			}
		}
	})
}

func TestDistributionsHaveTheirShape(t *testing.T) {
	const n, draws = 1000, 20_000
	share := func(d string, below int) float64 {
		hits := 0
		for k := range draws {
			if pick(&work.Arrival{K: int64(k), Seed: 7}, d, n) < below {
				hits++
			}
		}
		return float64(hits) / draws
	}
	for _, c := range []struct {
		d     string
		below int
		want  float64
	}{
		{uniform, 500, 0.5},
		{hotspot, 200, 0.8},
		// A tenth of the keys draws log(101)/log(1000) of the hits, counting from 1.
		{zipf, 100, math.Log(101) / math.Log(n)},
	} {
		if got := share(c.d, c.below); math.Abs(got-c.want) > 0.02 {
			t.Errorf("%s: the first %d keys got %.3f of the hits, want %.3f", c.d, c.below, got, c.want)
		}
	}
}
