package profiles

import (
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// anyRate is a whole number, a decimal fraction, something tiny, or nothing.
func anyRate() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Just(0.0),
		rapid.Map(rapid.IntRange(0, 500), func(n int) float64 { return float64(n) }),
		rapid.Map(rapid.IntRange(0, 5000), func(n int) float64 { return float64(n) / 10 }),
		rapid.Float64Range(0, 1e-3),
		rapid.Float64Range(0, 1000),
	)
}

func anyLength() *rapid.Generator[time.Duration] {
	return rapid.OneOf(
		rapid.Just(time.Duration(0)),
		rapid.Map(rapid.IntRange(1, 5), func(n int) time.Duration { return time.Duration(n) * time.Second }),
		rapid.Map(rapid.Int64Range(1, 5e9), func(n int64) time.Duration { return time.Duration(n) }),
	)
}

func anyStages() *rapid.Generator[[]Stage] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Stage {
		s := Stage{Duration: anyLength().Draw(t, "duration"), From: anyRate().Draw(t, "from")}
		s.To = s.From
		if rapid.Bool().Draw(t, "ramp") {
			s.To = anyRate().Draw(t, "to")
		}
		if rapid.IntRange(0, 3).Draw(t, "bursts") == 0 {
			s.Burst = rapid.Int64Range(0, 50).Draw(t, "burst")
		}
		return s
	}), 1, 6)
}

func anySchedule(t *rapid.T, p Process) *Schedule {
	stages := anyStages().Draw(t, "stages")
	s, err := Compile(stages, Options{Process: p, Seed: rapid.Uint64().Draw(t, "seed")})
	if err != nil {
		t.Skip(err.Error())
	}
	return s
}

// exactArea is the area under the rates, without rounding.
func exactArea(stages []Stage) *big.Rat {
	area := new(big.Rat)
	for _, s := range stages {
		mean := new(big.Rat).Add(new(big.Rat).SetFloat64(s.From), new(big.Rat).SetFloat64(s.To))
		area.Add(area, mean.Mul(mean, big.NewRat(int64(s.Duration), 2e9)))
	}
	return area
}

func floor(r *big.Rat) int64 { return new(big.Int).Div(r.Num(), r.Denom()).Int64() }

func TestCountIsTheArea(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySchedule(t, Uniform)
		area := exactArea(s.stages)
		var bursts, sum int64
		for i, st := range s.stages {
			bursts += st.Burst
			sum += s.StageTotal(i)
		}
		// Within a billionth of the allowance either count is right.
		low := floor(new(big.Rat).Add(area, big.NewRat(999, 1e9))) + bursts
		high := floor(new(big.Rat).Add(area, big.NewRat(1001, 1e9))) + bursts
		if s.Total() != low && s.Total() != high {
			t.Errorf("%d arrivals, want %d", s.Total(), low)
		}
		if sum != s.Total() {
			t.Errorf("the stages' totals sum to %d, of %d", sum, s.Total())
		}
		if n := int64(len(walk(s, 0, 1))); n != s.Total() {
			t.Errorf("the cursor has %d arrivals, of %d", n, s.Total())
		}
	})
}

func TestArrivalsAreInOrderAndInTheirStage(t *testing.T) {
	for _, p := range []Process{Uniform, Poisson} {
		t.Run(string(p), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := anySchedule(t, p)
				counts := make([]int64, len(s.stages))
				last := Arrival{K: -1}
				for _, a := range walk(s, 0, 1) {
					if a.K != last.K+1 || a.Due < last.Due || a.Stage < last.Stage {
						t.Fatalf("%+v follows %+v", a, last)
					}
					end := s.StageStart(a.Stage) + s.stages[a.Stage].Duration
					if a.Due < s.StageStart(a.Stage) || a.Due > end {
						t.Fatalf("%+v is outside its stage, which lasts from %v to %v", a, s.StageStart(a.Stage), end)
					}
					if counts[a.Stage] < s.stages[a.Stage].Burst && a.Due != s.StageStart(a.Stage) {
						t.Fatalf("%+v is of the burst and not due at the start", a)
					}
					counts[a.Stage]++
					last = a
				}
				for i, n := range counts {
					if n != s.StageTotal(i) {
						t.Errorf("stage %d has %d arrivals, want %d", i, n, s.StageTotal(i))
					}
				}
			})
		})
	}
}

// No arrival is early, and none is late by more than the rounding: when it is
// due the area has just reached what it waits for.
func TestUniformArrivalsAreOnTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySchedule(t, Uniform)
		var before int64 // bursts
		rated := int64(0)
		for _, a := range walk(s, 0, 1) {
			sh := &s.shapes[a.Stage]
			if a.K-sh.first < sh.burst {
				before++
				continue
			}
			want := float64(rated) + 0.5
			rated++
			early, late := areaAt(s, a.Stage, a.Due-2), areaAt(s, a.Stage, a.Due)
			if late < want-1e-5 && a.Due < sh.end {
				t.Fatalf("%+v is early: the area is %v, want %v", a, late, want)
			}
			if early > want+1e-5 {
				t.Fatalf("%+v is late: 2 ns before the area is %v, want %v", a, early, want)
			}
		}
		if rated+before != s.Total() {
			t.Errorf("%d arrivals and %d in bursts, of %d", rated, before, s.Total())
		}
	})
}

// areaAt is the area under the rates up to t, which is in the stage.
func areaAt(s *Schedule, stage int, t time.Duration) (area float64) {
	for i := range stage {
		area += s.shapes[i].area
	}
	sh := &s.shapes[stage]
	x := (t - sh.start).Seconds()
	if sh.seconds == 0 || x <= 0 {
		return area
	}
	return area + sh.from*x + (sh.to-sh.from)/sh.seconds*x*x/2
}

func TestPoissonHasTheCountsOfUniform(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anySchedule(t, Poisson)
		u, err := Compile(p.stages, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.stages {
			if p.StageTotal(i) != u.StageTotal(i) {
				t.Errorf("stage %d: %d arrivals, uniform has %d", i, p.StageTotal(i), u.StageTotal(i))
			}
		}
	})
}

func TestShardsAreTheWhole(t *testing.T) {
	for _, p := range []Process{Uniform, Poisson} {
		t.Run(string(p), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := anySchedule(t, p)
				shards := rapid.IntRange(1, 7).Draw(t, "shards")
				merged := make([]Arrival, s.Total())
				n := 0
				for i := range shards {
					for _, a := range walk(s, i, shards) {
						if a.K%int64(shards) != int64(i) {
							t.Fatalf("shard %d of %d has arrival %d", i, shards, a.K)
						}
						merged[a.K] = a
						n++
					}
				}
				if d := cmp.Diff(walk(s, 0, 1), merged); d != "" || n != len(merged) {
					t.Errorf("%d arrivals (-whole +merged)\n%s", n, d)
				}
			})
		})
	}
}

func TestMixIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 5).Draw(t, "weights")
		var w []Weight
		sum := 0
		for i, v := range values {
			w = append(w, Weight{Scenario: string(rune('a' + i)), Weight: v})
			sum += v
		}
		seed := rapid.Uint64().Draw(t, "seed")
		m, err := NewMix(w, seed)
		if err != nil {
			t.Fatal(err)
		}
		total := int64(sum * rapid.IntRange(1, 20).Draw(t, "blocks"))
		order := make([]int, total)
		counts := make([]int64, len(w))
		for k := range total {
			i, n := m.At(k)
			if n != counts[i] {
				t.Fatalf("arrival %d is number %d of scenario %d, want %d", k, n, i, counts[i])
			}
			order[k] = i
			counts[i]++
			if (k+1)%int64(sum) == 0 {
				for i, v := range values {
					if counts[i] != int64(v)*(k+1)/int64(sum) {
						t.Fatalf("after %d arrivals scenario %d has %d", k+1, i, counts[i])
					}
				}
			}
		}
		other, err := NewMix(w, seed)
		if err != nil {
			t.Fatal(err)
		}
		// Any order of questions has the same answers.
		for range 50 {
			k := rapid.Int64Range(0, total-1).Draw(t, "k")
			i, n := other.At(k)
			if i != order[k] || other.Count(i, k) != n || other.Count(i, k+1) != n+1 {
				t.Fatalf("asked for alone, arrival %d is number %d of scenario %d, want scenario %d", k, n, i, order[k])
			}
		}
	})
}
