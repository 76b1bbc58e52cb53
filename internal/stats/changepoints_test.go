package stats

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// noisy returns values about each level in turn, of a spread of 2 %.
func noisy(seed uint64, parts ...[2]float64) (x []float64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, p := range parts {
		for range int(p[0]) {
			x = append(x, p[1]*(1+0.02*rng.NormFloat64()))
		}
	}
	return x
}

func TestChangesOfLevelAreFoundWhereTheyAre(t *testing.T) {
	for name, c := range map[string]struct {
		parts [][2]float64
		want  []int
	}{
		"none":             {[][2]float64{{40, 100}}, nil},
		"one":              {[][2]float64{{15, 100}, {15, 115}}, []int{15}},
		"up and down":      {[][2]float64{{12, 100}, {10, 130}, {12, 100}}, []int{12, 22}},
		"the last three":   {[][2]float64{{20, 100}, {3, 140}}, []int{20}},
		"stairs":           {[][2]float64{{10, 100}, {10, 120}, {10, 144}}, []int{10, 20}},
		"too few":          {[][2]float64{{2, 100}, {2, 200}}, nil},
		"a single outlier": {[][2]float64{{15, 100}, {1, 130}, {15, 100}}, nil},
	} {
		for seed := range uint64(5) {
			if got := ChangePoints(noisy(seed, c.parts...), 0.001); !slices.Equal(got, c.want) {
				t.Errorf("%s, seed %d: changes at %v, want %v", name, seed, got, c.want)
			}
		}
	}
}

func TestAHistoryWithoutAChangeHasNone(t *testing.T) {
	found := 0
	for seed := range uint64(200) {
		if len(ChangePoints(noisy(100+seed, [2]float64{30, 50}), 0.001)) > 0 {
			found++
		}
	}
	if found > 3 {
		t.Errorf("%d of 200 histories without a change have one", found)
	}
}

func TestValuesThatDoNotVary(t *testing.T) {
	if got := ChangePoints([]float64{5, 5, 5, 5, 7, 7, 7, 7}, 0.001); !slices.Equal(got, []int{4}) {
		t.Errorf("changes at %v, want 4", got)
	}
	if got := ChangePoints(make([]float64, 20), 0.001); len(got) > 0 {
		t.Errorf("a constant changes at %v", got)
	}
}

func TestChangesAreInOrderAndApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(0, 1000), 0, 40).Draw(t, "x")
		last := 0
		for _, i := range append(ChangePoints(x, 0.05), len(x)) {
			if i < last || len(x) >= fewestBeside && i-last < fewestBeside {
				t.Fatalf("a part from %d to %d of %d", last, i, len(x))
			}
			last = i
		}
	})
}
