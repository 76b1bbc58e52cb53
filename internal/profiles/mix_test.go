package profiles

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// four are equal weights of four scenarios.
var four = []Weight{{Scenario: "a", Weight: 1}, {Scenario: "b", Weight: 1}, {Scenario: "c", Weight: 1}, {Scenario: "d", Weight: 1}}

// Four shards of four scenarios in a fixed order would give each shard one.
func TestEveryShardMeetsEveryScenario(t *testing.T) {
	m, err := NewMix(four, 1)
	if err != nil {
		t.Fatal(err)
	}
	var counts [4][4]int
	for k := range int64(4000) {
		i, _ := m.At(k)
		counts[k%4][i]++
	}
	for shard, c := range counts {
		for i, n := range c {
			if n < 200 || n > 300 {
				t.Errorf("shard %d has %d arrivals of scenario %d, of 1000", shard, n, i)
			}
		}
	}
}

func TestSeedDecidesTheMix(t *testing.T) {
	at := func(seed uint64) (order [40]int) {
		m, err := NewMix(four, seed)
		if err != nil {
			t.Fatal(err)
		}
		for k := range order {
			order[k], _ = m.At(int64(k))
		}
		return order
	}
	first := at(1)
	if again := at(1); again != first {
		t.Error("one seed has two orders")
	}
	if at(2) == first {
		t.Error("two seeds have one order")
	}
}

func TestMixOfFarArrival(t *testing.T) {
	m, err := NewMix([]Weight{{Scenario: "a", Weight: 300}, {Scenario: "b", Weight: 100}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Count(0, MaxArrivals); got != MaxArrivals/4*3 {
		t.Errorf("%d of %d arrivals, want three of four", got, MaxArrivals)
	}
	i, n := m.At(MaxArrivals - 1)
	if want := m.Count(i, MaxArrivals) - 1; n != want {
		t.Errorf("the last arrival is number %d of its scenario, want %d", n, want)
	}
}

func TestNewMixRejects(t *testing.T) {
	for _, c := range []struct {
		w    []Weight
		want string
	}{
		{nil, "no scenario"},
		{[]Weight{{Scenario: "a"}}, "scenario a has weight 0: it must be 1 or more"},
		{[]Weight{{Scenario: "a", Weight: -3}}, "weight -3"},
		{[]Weight{{Scenario: "a", Weight: 1}, {Scenario: "a", Weight: 2}}, "scenario a is named twice"},
		{[]Weight{{Scenario: "a", Weight: maxBlock}, {Scenario: "b", Weight: 1}}, "sum to more than 65536"},
		{[]Weight{{Scenario: "a", Weight: math.MaxInt}, {Scenario: "b", Weight: math.MaxInt - 1}}, "sum to more than 65536"},
	} {
		if _, err := NewMix(c.w, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
	if _, err := NewMix([]Weight{{Scenario: "a", Weight: math.MaxInt}}, 0); err != nil {
		t.Errorf("the weight of an only scenario is no matter: %v", err)
	}
}

func TestAtDoesNotAllocate(t *testing.T) {
	m, err := NewMix(four, 1)
	if err != nil {
		t.Fatal(err)
	}
	k := int64(0)
	if n := testing.AllocsPerRun(1000, func() { m.At(k); m.Count(0, k); k += 3 }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMixAt(b *testing.B) {
	m, err := NewMix([]Weight{{Scenario: "a", Weight: 4}, {Scenario: "b", Weight: 2}, {Scenario: "c", Weight: 3}, {Scenario: "d", Weight: 1}}, 1)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	k := int64(0)
	for b.Loop() {
		m.At(k)
		k++
	}
}

func TestTheNumberOfAnArrivalIsFoundByItsPlaceInItsScenario(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var weights []Weight
		for i := range rapid.IntRange(1, 5).Draw(t, "scenarios") {
			weights = append(weights, Weight{Scenario: string(rune('a' + i)), Weight: rapid.IntRange(1, 9).Draw(t, "weight")})
		}
		seed := rapid.Uint64().Draw(t, "seed")
		m, err := NewMix(weights, seed)
		if err != nil {
			t.Fatal(err)
		}
		other, _ := NewMix(weights, seed)
		for range 20 {
			k := rapid.Int64Range(0, 1<<40).Draw(t, "k")
			scenario, n := m.At(k)
			if got := other.Number(scenario, n); got != k {
				t.Fatalf("arrival %d is number %d of scenario %d, which is found at %d", k, n, scenario, got)
			}
		}
	})
}
