package keep

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// arrival is an ended arrival of a simulated run.
type arrival struct {
	k        int64
	stage    int
	response time.Duration
	err      error
}

func keepAll(k *Keeper, all []arrival) {
	for _, x := range all {
		a := &work.Arrival{K: x.k, Seed: 7, Stage: x.stage, Due: time.Second}
		k.Keep(0, a, a.Due+x.response, x.err)
	}
}

func taken(k *Keeper) (out []Record) {
	k.Take(func(r *Record) { out = append(out, *r) })
	return out
}

func TestTheSlowestAreKeptWhateverTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := make([]arrival, rapid.IntRange(1, 200).Draw(t, "n"))
		var times []time.Duration
		for i := range all {
			all[i] = arrival{k: int64(i), response: time.Duration(rapid.IntRange(0, 1000).Draw(t, "ms")) * time.Millisecond}
			times = append(times, all[i].response)
		}
		slices.SortFunc(times, func(a, b time.Duration) int { return int(b - a) })
		k := New(1, 0, 0)
		keepAll(k, all)
		var got []time.Duration
		seen := map[int64]bool{}
		for _, r := range taken(k) {
			if seen[r.Arrival.K] {
				t.Fatalf("arrival %d is given twice", r.Arrival.K)
			}
			seen[r.Arrival.K] = true
			if r.Slow {
				got = append(got, r.Response())
			}
		}
		slices.SortFunc(got, func(a, b time.Duration) int { return int(b - a) })
		if want := times[:min(Slowest, len(times))]; !slices.Equal(got, want) {
			t.Fatalf("kept %v, want %v", got, want)
		}
	})
}

func TestTheSampleDependsOnSeedAndNumberAlone(t *testing.T) {
	var forth, back []arrival
	for i := range int64(500) {
		forth = append(forth, arrival{k: i, response: time.Duration(i)})
	}
	for _, x := range forth {
		x.response = time.Second - x.response
		back = append([]arrival{x}, back...)
	}
	sample := func(all []arrival) (out []int64) {
		k := New(1, 0, 0)
		keepAll(k, all)
		for _, r := range taken(k) {
			if r.Chosen {
				out = append(out, r.Arrival.K)
			}
		}
		slices.Sort(out)
		return out
	}
	one, other := sample(forth), sample(back)
	if len(one) != Sampled || !slices.Equal(one, other) {
		t.Errorf("samples %v and %v differ by the order and the times of the arrivals", one, other)
	}
}

func TestTheSampleIsUniform(t *testing.T) {
	const rounds, n = 2000, 60
	var counts [n]int
	for round := range rounds {
		k := New(1, 0, 0)
		for i := range n {
			a := &work.Arrival{K: int64(round*n + i), Seed: 1, Due: time.Second}
			k.Keep(0, a, a.Due+time.Duration(i), nil)
		}
		for _, r := range taken(k) {
			if r.Chosen {
				counts[r.Arrival.K%n]++
			}
		}
	}
	// Each is chosen with probability 1/10: 200 times, within five standard deviations.
	for i, c := range counts {
		if c < 200-67 || c > 200+67 {
			t.Errorf("the one at %d was chosen %d times of %d, want about 200", i, c, rounds)
		}
	}
}

func TestARareKindOfFailureIsNotCrowdedOut(t *testing.T) {
	var all []arrival
	common, rare := work.Fail(work.KindTimeout, errors.New("late")), work.Fail(work.KindWrong, errors.New("odd"))
	for i := range int64(1000) {
		err := common
		if i == 990 {
			err = rare
		}
		all = append(all, arrival{k: i, err: err})
	}
	k := New(1, 0, 0)
	keepAll(k, all)
	kinds := map[work.Kind]int{}
	for _, r := range taken(k) {
		if r.Lost {
			kinds[r.Kind()]++
		}
	}
	if kinds[work.KindWrong] != 1 || kinds[work.KindTimeout] == 0 {
		t.Errorf("kept %v", kinds)
	}
}

func TestStagesHaveReservoirsOfTheirOwnAndTakingEmptiesThem(t *testing.T) {
	k := New(1, 0, 0)
	for i := range int64(100) {
		keepAll(k, []arrival{{k: i, stage: 0, response: time.Second}, {k: 1000 + i, stage: 1, response: time.Millisecond}})
	}
	stages := map[int]int{}
	for _, r := range taken(k) {
		if r.Slow {
			stages[r.Arrival.Stage]++
		}
	}
	if stages[0] != Slowest || stages[1] != Slowest {
		t.Errorf("slowest by stage: %v", stages)
	}
	if left := taken(k); len(left) != 0 {
		t.Errorf("%d are given again", len(left))
	}
}

func TestFailuresBeyondTheBoundAreCounted(t *testing.T) {
	k := New(1, 3, 0)
	keepAll(k, []arrival{{k: 1, err: errors.New("a")}, {k: 2}, {k: 3, err: errors.New("b")}, {k: 4, err: errors.New("c")}, {k: 5, err: errors.New("d")}})
	n := 0
	if left := k.TakeFailures(func(*Record) { n++ }); n != 3 || left != 1 {
		t.Errorf("got %d and %d left out, want 3 and 1", n, left)
	}
	if left := k.TakeFailures(func(*Record) { n++ }); n != 3 || left != 0 {
		t.Errorf("they are given again")
	}
}

func TestKeepingAllocatesNothing(t *testing.T) {
	k := New(1, 100, 100)
	notes := k.Notes(0, 0)
	fails := work.Fail(work.KindTimeout, errors.New("late"))
	a := &work.Arrival{Seed: 3, Due: time.Second}
	got := testing.AllocsPerRun(2000, func() {
		a.K++
		a.Notes = notes
		notes.Reset()
		o := a.Begin("postgres", "insert", a.Due)
		o.On(a.Due+1, 2, 3)
		o.Asks("", "INSERT")
		o.Answered([]byte("hello"))
		o.Ended(a.Due+5, nil)
		k.Keep(0, a, a.Due+time.Duration(a.K%97), nil)
		k.Keep(0, a, a.Due+time.Duration(a.K%97), fails)
	})
	if got != 0 {
		t.Errorf("%v allocations for an arrival", got)
	}
}

func TestNotesAreCopiedWithTheirAnswers(t *testing.T) {
	k := New(1, 0, 0)
	a := &work.Arrival{K: 1, Due: time.Second, Notes: k.Notes(0, 0)}
	a.Begin("api", "one", a.Due).Answered([]byte("first answer"))
	a.Begin("api", "two", a.Due).Answered([]byte("second"))
	for range work.MaxOps {
		a.Begin("api", "more", a.Due).Answered([]byte("x"))
	}
	k.Keep(0, a, 2*time.Second, nil)
	a.Notes.Reset()
	a.Begin("api", "later", a.Due).Answered([]byte("of another arrival"))
	r := taken(k)[0]
	ops := r.Notes.Ops()
	if len(ops) != work.MaxOps || ops[1].Name != "two" || string(r.Notes.Head(&ops[0])) != "first answer" || string(r.Notes.Head(&ops[1])) != "second" {
		t.Errorf("kept %d operations, %q, %q", len(ops), ops[0].Name, r.Notes.Head(&ops[0]))
	}
	if r.Notes.Begun() != work.MaxOps+2 {
		t.Errorf("%d operations were begun", r.Notes.Begun())
	}
}
