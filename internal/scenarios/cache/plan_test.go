package cache

import (
	"math"
	"testing"

	"pgregory.net/rapid"
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
