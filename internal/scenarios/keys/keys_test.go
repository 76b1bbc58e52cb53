package keys

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func TestKeysStayInTheRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := New(rapid.Int64Range(1, 3000).Draw(t, "rows"))
		unit := rapid.Float64Range(0, math.Nextafter(1, 0))
		for d := range Count {
			u, v := unit.Draw(t, "u"), unit.Draw(t, "v")
			if key := k.Pick(d, u, v); key < 0 || key >= k.N {
				t.Fatalf("%s of %d keys picks %d at %v, %v", Names[d], k.N, key, u, v)
			}
		}
	})
}

// counts returns how often each of n keys is picked in 200,000 draws.
func counts(n int64, distribution Distribution) []float64 {
	k := New(n)
	out := make([]float64, n)
	for i := range int64(200_000) {
		a := work.Arrival{K: i, Seed: 5}
		out[k.Pick(distribution, a.Uniform(1), a.Uniform(2))] += 1.0 / 200_000
	}
	return out
}

func TestDistributionsHaveTheirShape(t *testing.T) {
	const n = 1000
	near := func(what string, got, want, within float64) {
		t.Helper()
		if math.Abs(got-want) > within {
			t.Errorf("%s: %.4f, want %.4f", what, got, want)
		}
	}
	for _, share := range counts(n, Uniform) {
		near("uniform, each key", share, 0.001, 0.0005)
	}
	var zeta float64
	for i := 1.0; i <= n; i++ {
		zeta += math.Pow(i, -theta)
	}
	byShare := slices.Sorted(slices.Values(counts(n, Zipf)))
	slices.Reverse(byShare)
	newest := counts(n, Latest)
	near("zipf, first key", byShare[0], 1/zeta, 0.004)
	near("zipf, second key", byShare[1], math.Pow(2, -theta)/zeta, 0.004)
	near("latest, newest row", newest[n-1], 1/zeta, 0.004)
	near("latest, one before", newest[n-2], math.Pow(2, -theta)/zeta, 0.004)
	// The approximation by Gray et al. is exact for the first two ranks and
	// close for the rest: the first tenth takes what it must.
	var want, got, old float64
	for i := range 100 {
		want += math.Pow(float64(i+1), -theta) / zeta
		got += byShare[i]
		old += newest[n-1-int64(i)]
	}
	near("zipf, first tenth", got, want, 0.03)
	near("latest, newest tenth", old, want, 0.03)
	var hot float64
	for _, share := range counts(n, Hotspot)[:n/5] {
		hot += share
	}
	near("hotspot, a fifth of the rows", hot, 0.8, 0.01)
}

func TestZipfReachesEveryRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := New(rapid.Int64Range(1, 500).Draw(t, "rows"))
		seen := map[int64]bool{}
		for rank := range k.N {
			seen[rank*k.spread%k.N] = true
		}
		if int64(len(seen)) != k.N {
			t.Fatalf("%d ranks fall on %d rows", k.N, len(seen))
		}
	})
}

func BenchmarkPick(b *testing.B) {
	for d := range Count {
		b.Run(Names[d], func(b *testing.B) {
			k := New(10_000)
			a := work.Arrival{Seed: 5}
			b.ReportAllocs()
			for b.Loop() {
				a.K++
				k.Pick(d, a.Uniform(1), a.Uniform(2))
			}
		})
	}
}
