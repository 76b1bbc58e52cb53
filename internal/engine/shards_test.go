package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
)

// offered is everything about an arrival that decides what it does.
type offered struct {
	lane   string
	k, n   int64
	due    time.Duration
	stage  int
	random [3]uint64
}

// division is a load and the number of processes that offer it.
type division struct {
	stages  []profiles.Stage
	process profiles.Process
	weights []profiles.Weight
	seed    uint64
	shards  int
}

func anyDivision(t *rapid.T) division {
	d := division{process: rapid.SampledFrom([]profiles.Process{profiles.Uniform, profiles.Poisson}).Draw(t, "process"),
		seed: rapid.Uint64().Draw(t, "seed"), shards: rapid.IntRange(2, 7).Draw(t, "shards")}
	for i := range rapid.IntRange(1, 3).Draw(t, "stages") {
		s := profiles.Stage{Name: string(rune('a' + i)), Class: "normal", Judged: true, Duration: time.Duration(rapid.IntRange(200, 1500).Draw(t, "ms")) * time.Millisecond,
			From: rapid.Float64Range(10, 60).Draw(t, "from"), To: rapid.Float64Range(1, 60).Draw(t, "to")}
		if rapid.Bool().Draw(t, "burst") {
			s.Burst = rapid.Int64Range(1, 9).Draw(t, "size")
		}
		d.stages = append(d.stages, s)
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "scenarios") {
		d.weights = append(d.weights, profiles.Weight{Scenario: string(rune('p' + i)), Weight: rapid.IntRange(1, 5).Draw(t, "weight")})
	}
	return d
}

// offer runs one shard of the load in virtual time. What an arrival takes follows from
// its own random numbers.
func (d *division) offer(t *testing.T, shard, shards int) (all []offered, totals *metrics.Totals) {
	t.Helper()
	s, err := profiles.Compile(d.stages, profiles.Options{Process: d.process, Seed: d.seed})
	if err != nil {
		t.Fatal(err)
	}
	mix, err := profiles.NewMix(d.weights, d.seed)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range d.stages {
		names = append(names, d.stages[i].Name)
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		b := &bench{reg: metrics.NewRegistry(names)}
		cfg := Config{Schedule: s, Mix: mix, Shard: shard, Shards: shards, Seed: d.seed, Clock: work.NewClock(), Metrics: b.reg, Timer: true}
		for _, w := range d.weights {
			cfg.Lanes = append(cfg.Lanes, Lane{Name: w.Scenario, Workers: 1000, Executor: work.Func(func(_ context.Context, a *work.Arrival) error {
				mu.Lock()
				all = append(all, offered{w.Scenario, a.K, a.N, a.Due - b.begin, a.Stage, [3]uint64{a.Random(1), a.Random(2), a.Random(1 << 40)}})
				mu.Unlock()
				time.Sleep(time.Duration(a.Uniform(7) * float64(50*time.Millisecond)))
				return nil
			})})
		}
		if b.Engine, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		b.run(t, t.Context(), t.Context())
		totals = b.total
	})
	return all, totals
}

// buckets are the histogram's buckets and counts, by series.
func buckets(t *metrics.Totals) map[string]map[int]int64 {
	out := map[string]map[int]int64{}
	for _, e := range t.All() {
		if e.Hist == nil || e.Hist.N == 0 {
			continue
		}
		counts := map[int]int64{}
		e.Hist.Buckets(func(i int, n int64) { counts[i] = n })
		out[e.Series.Key()] = counts
	}
	return out
}

func TestShardsOfferExactlyWhatOneProcessDoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := anyDivision(rt)
		whole, wholeTotals := d.offer(t, 0, 1)
		var parts []offered
		sum := metrics.NewTotals()
		for shard := range d.shards {
			part, totals := d.offer(t, shard, d.shards)
			for _, a := range part {
				if a.k%int64(d.shards) != int64(shard) {
					rt.Fatalf("arrival %d is offered by shard %d of %d", a.k, shard, d.shards)
				}
			}
			parts = append(parts, part...)
			for _, e := range totals.All() {
				if e.Hist != nil {
					sum.AddTrend(&e.Series, e.Hist)
				}
			}
		}
		byNumber := func(a, b offered) int { return cmp.Compare(a.k, b.k) }
		slices.SortFunc(whole, byNumber)
		slices.SortFunc(parts, byNumber)
		if diff := gocmp.Diff(whole, parts, gocmp.AllowUnexported(offered{})); diff != "" {
			rt.Fatalf("%d shards offer other arrivals than one process (-one +shards):\n%s", d.shards, diff)
		}
		if diff := gocmp.Diff(buckets(wholeTotals), buckets(sum)); diff != "" {
			rt.Fatalf("the buckets of %d shards are not those of one process (-one +shards):\n%s", d.shards, diff)
		}
	})
}
