package slow

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// simulation is a simulated run of one minute: of each second the six slowest arrivals and a
// sample of six are kept, as a run keeps them.
type simulation struct {
	rng      *rand.Rand
	rate     int
	evidence []exemplars.Evidence
	// bend changes an arrival as it would go without a cause.
	bend func(e *exemplars.Exemplar)
}

func newSimulation(seed uint64) *simulation {
	return &simulation{rng: rand.New(rand.NewPCG(seed, 1)), rate: 100, bend: func(*exemplars.Exemplar) {}}
}

// arrival is one that goes as most do: a few milliseconds at the server, now and then
// a little more anywhere.
func (w *simulation) arrival(k int64, due float64) exemplars.Exemplar {
	tail := func(scale float64) float64 { return scale * math.Exp(w.rng.NormFloat64()) }
	op := exemplars.Op{Name: []string{"insert", "select", "update", "delete"}[k%4], System: "postgres", Process: uint32(100 + w.rng.IntN(20)), Conn: 1}
	lag := tail(0.05)
	op.Start, op.Wait, op.Server = lag, tail(0.02), tail(3)
	e := exemplars.Exemplar{K: k, Scenario: "crud", Stage: "steady", Due: due, Released: lag, Started: lag, Ops: []exemplars.Op{op}}
	w.bend(&e)
	o := &e.Ops[0]
	o.End = o.Start + o.Wait + o.Lookup + o.Connect + o.TLS + o.Send + o.Server + o.Receive
	e.Response = o.End + tail(0.02)
	return e
}

// run returns what is kept of the minute, and what is usual in it.
func (w *simulation) run() (*exemplars.Set, func(string, string) (Usual, bool)) {
	set := &exemplars.Set{Evidence: w.evidence}
	slices.SortFunc(set.Evidence, func(a, b exemplars.Evidence) int { return int(a.From - b.From) })
	var times []float64
	k := int64(0)
	for second := range 60 {
		var all []exemplars.Exemplar
		for i := range w.rate {
			all = append(all, w.arrival(k, float64(second)*1000+float64(i)*1000/float64(w.rate)))
			k++
		}
		for i := range all {
			times = append(times, all[i].Response)
		}
		for _, i := range w.rng.Perm(len(all))[:6] {
			all[i].As = append(all[i].As, exemplars.Sample)
		}
		slices.SortFunc(all, func(a, b exemplars.Exemplar) int { return int(math.Copysign(1, b.Response-a.Response)) })
		for i := range all {
			if i < 6 {
				all[i].As = append(all[i].As, exemplars.Slow)
			}
			if len(all[i].As) > 0 {
				set.Exemplars = append(set.Exemplars, all[i])
			}
		}
	}
	slices.Sort(times)
	u := Usual{Median: times[len(times)/2], P99: times[len(times)*99/100]}
	return set, func(string, string) (Usual, bool) { return u, true }
}

// noise is what servers do in any run, at times that have nothing to do with it.
func (w *simulation) noise() {
	for range w.rng.IntN(8) {
		at := w.rng.Float64() * 59_000
		for _, kind := range []string{exemplars.Checkpoint, exemplars.Retransmits, exemplars.Temp} {
			if w.rng.IntN(2) == 0 {
				source := "postgres"
				if kind == exemplars.Retransmits {
					source = "host"
				}
				w.evidence = append(w.evidence, exemplars.Evidence{From: at, To: at + 200 + w.rng.Float64()*3000, Source: source, Kind: kind})
			}
		}
	}
}

func TestACleanRunHasNoCause(t *testing.T) {
	const runs = 150
	wrong := 0
	for seed := range uint64(runs) {
		w := newSimulation(seed)
		w.noise()
		// Bad times without a reason that anybody saw: a few arrivals of one time are
		// slow together.
		var bad []float64
		for range w.rng.IntN(6) {
			bad = append(bad, w.rng.Float64()*60_000)
		}
		w.bend = func(e *exemplars.Exemplar) {
			for _, at := range bad {
				if e.Due >= at && e.Due < at+150 {
					e.Ops[0].Server += at + 200 - e.Due
				}
			}
		}
		if r := Explain(w.run()); len(r.Causes) > 0 {
			wrong++
			t.Logf("seed %d: %s", seed, strings.Join(r.Sentences, "\n"))
		}
	}
	// The level is 1 %; three standard deviations more.
	if limit := int(runs*level + 3*math.Sqrt(runs*level)); wrong > limit {
		t.Errorf("a cause is named in %d of %d runs without one, at most %d", wrong, runs, limit)
	}
}

func TestPlantedCausesAreNamed(t *testing.T) {
	during := func(e *exemplars.Exemplar, from, to float64) bool { return e.Due >= from && e.Due < to }
	for name, plant := range map[string]struct {
		id, what string
		bend     func(w *simulation) func(e *exemplars.Exemplar)
	}{
		"a lock": {exemplars.Lock, "LOCK TABLE", func(w *simulation) func(e *exemplars.Exemplar) {
			for pid := uint32(100); pid < 120; pid++ {
				w.evidence = append(w.evidence, exemplars.Evidence{From: 30_000, To: 31_000, Source: "postgres", Kind: exemplars.Lock, Process: pid,
					Blockers: []uint32{4711}, What: "relation lock", By: "LOCK TABLE t"})
			}
			return func(e *exemplars.Exemplar) {
				if during(e, 30_000, 31_000) {
					e.Ops[0].Server = 31_000 - e.Due + 3
				}
			}
		}},
		"an exhausted pool": {exemplars.Pool, "PostgreSQL's pool", func(*simulation) func(e *exemplars.Exemplar) {
			return func(e *exemplars.Exemplar) {
				if during(e, 20_000, 24_000) {
					e.Ops[0].Wait = 80
				}
			}
		}},
		"a checkpoint": {exemplars.Checkpoint, "checkpoint", func(w *simulation) func(e *exemplars.Exemplar) {
			w.evidence = append(w.evidence, exemplars.Evidence{From: 12_400, To: 13_100, Source: "postgres", Kind: exemplars.Checkpoint},
				exemplars.Evidence{From: 42_400, To: 43_100, Source: "postgres", Kind: exemplars.Checkpoint})
			return func(e *exemplars.Exemplar) {
				if during(e, 12_400, 13_000) || during(e, 42_400, 43_000) {
					e.Ops[0].Server += 60
				}
			}
		}},
		"one slow operation of four": {"operation", "update", func(*simulation) func(e *exemplars.Exemplar) {
			return func(e *exemplars.Exemplar) {
				if e.Ops[0].Name == "update" {
					e.Ops[0].Server += 120
				}
			}
		}},
		"one stopped process": {exemplars.Stopped, "stopped", func(w *simulation) func(e *exemplars.Exemplar) {
			w.evidence = append(w.evidence, exemplars.Evidence{From: 5000, To: 9000, Source: "postgres", Kind: exemplars.Stopped, Process: 107})
			return func(e *exemplars.Exemplar) {
				if during(e, 5000, 9000) && e.Ops[0].Process == 107 {
					e.Ops[0].Server = 9000 - e.Due
				}
			}
		}},
		"a slow command": {exemplars.Command, "KEYS *", func(w *simulation) func(e *exemplars.Exemplar) {
			w.evidence = append(w.evidence, exemplars.Evidence{From: 15_000, To: 15_300, Source: "redis", Kind: exemplars.Command, Command: "KEYS", What: "KEYS * took 300 ms"})
			return func(e *exemplars.Exemplar) {
				e.Ops[0].System = "redis"
				if during(e, 15_000, 15_290) {
					e.Ops[0].Server = 15_300 - e.Due
				}
			}
		}},
		"TLS": {exemplars.TLS, "TLS", func(*simulation) func(e *exemplars.Exemplar) {
			return func(e *exemplars.Exemplar) {
				if e.K%70 == 0 {
					e.Ops[0].System, e.Ops[0].TLS = "api", 90
				}
			}
		}},
		"a late generator": {exemplars.Generator, "perfctl itself", func(*simulation) func(e *exemplars.Exemplar) {
			return func(e *exemplars.Exemplar) {
				if during(e, 33_000, 34_000) {
					e.Released, e.Started, e.Ops[0].Start = 70, 70, 70
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSimulation(7)
			if w.noise(); plant.id == exemplars.Checkpoint {
				w.evidence = nil // checkpoints that nobody felt speak against it
			}
			w.bend = plant.bend(w)
			r := Explain(w.run())
			if len(r.Causes) == 0 || r.Causes[0].ID != plant.id || !strings.Contains(r.Causes[0].What, plant.what) {
				t.Fatalf("named %+v of %d", r.Causes, r.Slow)
			}
			if c := r.Causes[0]; c.Share < 0.1 || c.P > c.Limit || c.From < 0 || c.To <= c.From {
				t.Errorf("%+v", c)
			}
			if len(r.Causes) > 1 {
				t.Errorf("besides, %+v", r.Causes[1:])
			}
			sum := r.Unexplained
			for _, c := range r.Causes {
				sum += c.Count
			}
			if sum != r.Slow {
				t.Errorf("%d are accounted for of %d", sum, r.Slow)
			}
		})
	}
}

func TestALockNamesItsHolder(t *testing.T) {
	w := newSimulation(3)
	for pid := uint32(100); pid < 120; pid++ {
		w.evidence = append(w.evidence, exemplars.Evidence{From: 30_000, To: 31_000, Source: "postgres", Kind: exemplars.Lock, Process: pid, Blockers: []uint32{4711}, By: "VACUUM FULL tally"})
	}
	w.bend = func(e *exemplars.Exemplar) {
		if e.Due >= 30_000 && e.Due < 31_000 {
			e.Ops[0].Server = 31_000 - e.Due + 3
		}
	}
	r := Explain(w.run())
	text := strings.Join(r.Sentences, "\n")
	for _, want := range []string{"VACUUM FULL tally", "process 4711", "from 30.0 s to 31.0 s", "in the sample did"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

func TestWhatCannotBeToldIsSaid(t *testing.T) {
	none := func(string, string) (Usual, bool) { return Usual{}, false }
	quick := func(string, string) (Usual, bool) { return Usual{Median: 1, P99: 4}, true }
	slow := exemplars.Exemplar{K: 2, Response: 50}
	for _, c := range []struct {
		set   *exemplars.Set
		usual func(string, string) (Usual, bool)
		want  string
	}{
		{&exemplars.Set{}, none, "no records"},
		{&exemplars.Set{Exemplars: []exemplars.Exemplar{{K: 1, Response: 5}}}, none, "what is usual is not known"},
		{&exemplars.Set{Exemplars: []exemplars.Exemplar{{K: 1, Response: 5}}}, quick, "no arrival stands out: none is beyond"},
		{&exemplars.Set{Exemplars: []exemplars.Exemplar{slow}}, quick, "only one arrival stands out, beyond"},
		{&exemplars.Set{Exemplars: []exemplars.Exemplar{slow, slow}}, quick, "only 2 arrivals stand out, beyond"},
	} {
		if r := Explain(c.set, c.usual); r.Known || !strings.Contains(r.Because, c.want) {
			t.Errorf("%+v", r)
		}
	}
	// Slow ones without a sign of why.
	w := newSimulation(5)
	w.bend = func(e *exemplars.Exemplar) {
		if e.K%100 == 0 {
			e.Ops[0].Server += 200
		}
	}
	w.rate = 101 // so that no operation has them all
	r := Explain(w.run())
	if !r.Known || len(r.Causes) > 1 || len(r.Sentences) == 0 {
		t.Errorf("%+v", r)
	}
}
