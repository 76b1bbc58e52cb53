package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// planted is a system that is in trouble in a fault and until an instant, of which each
// single arrival is made: it is due in one second, and done in that or in a later one.
type planted struct {
	rate     float64
	poisson  bool
	from, to float64 // of the fault
	back     float64 // when the trouble ends
	seed     uint64
	// stumbles is the share of arrivals that are slow in the second after that.
	stumbles float64
	// answer is what becomes of an arrival of the trouble: how long it takes, in
	// seconds, and whether it fails.
	answer func(due float64, y *planted, rng *rand.Rand) (took float64, failed bool)
}

// troubles are the shapes of trouble by their name.
var troubles = map[string]func(due float64, y *planted, rng *rand.Rand) (float64, bool){
	"all fail":  func(float64, *planted, *rand.Rand) (float64, bool) { return 0.003, true },
	"half fail": func(_ float64, _ *planted, rng *rand.Rand) (float64, bool) { return 0.004, rng.Float64() < 0.5 },
	"slow":      func(float64, *planted, *rand.Rand) (float64, bool) { return 0.3, false },
	"slower":    func(_ float64, _ *planted, rng *rand.Rand) (float64, bool) { return 0.1 + 0.2*rng.ExpFloat64(), false },
	"falling": func(due float64, y *planted, _ *rand.Rand) (float64, bool) {
		return 0.05 + 0.4*max(0, y.back-due)/(y.back-y.from), false
	},
	"held":      func(due float64, y *planted, _ *rand.Rand) (float64, bool) { return y.back - due + 0.004, false },
	"timed out": func(float64, *planted, *rand.Rand) (float64, bool) { return 1.7, true },
}

// analyse is what is told of it.
func (y *planted) analyse(t *testing.T) *Analysis {
	t.Helper()
	const end = 50
	stages := steps(stage("steady", "normal", true, end, y.rate, y.rate))
	dir := filepath.Join(t.TempDir(), "run")
	w, err := rundir.Create(dir, rundir.RunInfo{ID: "r-1", Profile: "steady", Shards: 1, MaxInFlight: 1000, Stages: stages,
		Planned: stages[0].Planned, Scenarios: []rundir.ScenarioShare{{Name: "tasks", Weight: 1}},
		Faults: []rundir.FaultInfo{fault("hole", y.from, y.to)}, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	seconds := y.seconds(end)
	for i := range seconds {
		w.Snapshot(&seconds[i])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Analyse(run, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Faults) != 1 || !a.Faults[0].Recovered {
		t.Fatalf("no recovery: %+v", a.Faults)
	}
	return a
}

// told is the recovery that is told of it, and within what.
func (y *planted) told(t *testing.T) (took, within float64) {
	t.Helper()
	e := y.analyse(t).Faults[0]
	return *e.Time, *e.Within
}

// seconds are the snapshots of its run.
func (y *planted) seconds(end int) []metrics.Snapshot {
	rng := rand.New(rand.NewPCG(y.seed, 7))
	type second struct {
		due, good, bad, flying int64
		h                      metrics.Hist
	}
	all := make([]second, end)
	step := func() float64 {
		if y.poisson {
			return rng.ExpFloat64() / y.rate
		}
		return 1 / y.rate
	}
	for due := step() / 2; due < float64(end); due += step() {
		took, failed := 0.002+0.003*rng.ExpFloat64(), false
		if due >= y.from && due < y.back {
			took, failed = y.answer(due, y, rng)
		}
		if y.stumbles > 0 && due >= math.Ceil(y.back) && due < math.Ceil(y.back)+1 && rng.Float64() < y.stumbles {
			took += 0.05
		}
		all[int(due)].due++
		done := int(due + took)
		for s := int(due); s < min(done, end); s++ {
			all[s].flying++
		}
		switch {
		case done >= end:
		case failed:
			all[done].bad++
			all[done].h.Censored++
		default:
			all[done].good++
			all[done].h.Record(int64(took * 1e9))
		}
	}
	tags := metrics.Tags{Scenario: "tasks", Stage: "steady"}
	series := func(d metrics.Desc, outcome string) *metrics.Series {
		t := tags
		t.Outcome = outcome
		return &metrics.Series{Desc: d, Tags: t}
	}
	due, ok, bad := series(metrics.Arrivals, ""), series(metrics.ArrivalsSucceeded, ""), series(metrics.ArrivalsFailed, "timeout")
	response, flying := series(metrics.ResponseTime, ""), &metrics.Series{Desc: metrics.InFlight, Tags: metrics.Tags{Stage: "steady"}}
	var out []metrics.Snapshot
	for i := range all {
		s := &all[i]
		out = append(out, metrics.Snapshot{Number: i, Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second, At: time.Unix(int64(i), 0),
			Counters: []metrics.CounterValue{{Series: due, Delta: s.due}, {Series: ok, Delta: s.good}, {Series: bad, Delta: s.bad}},
			Trends:   []metrics.TrendValue{{Series: response, Hist: &s.h}},
			Gauges:   []metrics.GaugeValue{{Series: flying, Value: float64(s.flying)}}})
	}
	return out
}

func TestRecoveryIsToldWithinAFractionOfASecond(t *testing.T) {
	for name, answer := range troubles {
		for _, load := range []struct {
			rate    float64
			poisson bool
			// most is how far one of them may be off, bias all of them together.
			most, bias float64
		}{{100, false, 0.3, 0.1}, {200, true, 0.3, 0.1}, {20, false, 0.7, 0.15}, {10, true, 1.5, 0.3}} {
			t.Run(fmt.Sprintf("%s, %g a second, Poisson %v", name, load.rate, load.poisson), func(t *testing.T) {
				t.Parallel()
				var off, n, outside float64
				for _, part := range []float64{0.04, 0.2, 0.35, 0.5, 0.65, 0.8, 0.96} {
					for _, to := range []float64{26, 26.45} {
						y := planted{rate: load.rate, poisson: load.poisson, from: 20, to: to, back: 28 + part, seed: uint64(n), answer: answer}
						took, within := y.told(t)
						d := took - (y.back - to)
						if math.Abs(d) > load.most {
							t.Errorf("back %.2f s after the end at %g s: told %.2f s, %+.2f off", y.back-to, to, took, d)
						}
						if !(within > 0 && within <= 1.1) {
							t.Errorf("told within %g s", within)
						}
						if math.Abs(d) > within {
							outside++
						}
						off, n = off+d, n+1
					}
				}
				if math.Abs(off/n) > load.bias {
					t.Errorf("told %+.2f s off on average", off/n)
				}
				if outside > 2 { // of 14
					t.Errorf("%g of %g are further off than they say", outside, n)
				}
			})
		}
	}
}

func TestRecoveryWithinTheSecondInWhichTheFaultEnds(t *testing.T) {
	for name, answer := range troubles {
		for _, back := range []float64{26.3, 26.6, 26.9} {
			y := planted{rate: 100, from: 20, to: 26.3, back: back, answer: answer}
			if took, _ := y.told(t); math.Abs(took-(back-26.3)) > 0.4 {
				t.Errorf("%s: back %.2f s after the end: told %.2f s", name, back-26.3, took)
			}
		}
	}
}

func TestASystemThatStumblesWasBackBefore(t *testing.T) {
	for _, name := range []string{"all fail", "held", "slow"} {
		for _, part := range []float64{0.2, 0.4, 0.6} {
			y := planted{rate: 100, from: 20, to: 26, back: 28 + part, stumbles: 0.2, answer: troubles[name]}
			if took, _ := y.told(t); math.Abs(took-2-part) > 0.4 {
				t.Errorf("%s: back %.2f s after the end: told %.2f s", name, 2+part, took)
			}
		}
	}
}

func TestATimeIsNotFinerThanWhatItIsToldBy(t *testing.T) {
	often := planted{rate: 200, poisson: true, from: 20, to: 26, back: 28.5, answer: troubles["half fail"]}
	seldom := planted{rate: 5, poisson: true, from: 20, to: 26, back: 28.5, answer: troubles["half fail"]}
	_, fine := often.told(t)
	_, coarse := seldom.told(t)
	if !(coarse > fine) {
		t.Errorf("± %g s of 5 arrivals a second, ± %g s of 200", coarse, fine)
	}
}

func TestErrorsThatComeAfterTheRecoveryBelongToTheFault(t *testing.T) {
	y := planted{rate: 100, from: 20, to: 26, back: 28.5, answer: troubles["timed out"]}
	a := y.analyse(t)
	if e := a.Faults[0]; e.Kinds["timeout"] != 850 || math.Abs(*e.Time-2.5) > 0.2 {
		t.Errorf("recovered after %g s with %v, want 2.5 s and each of the 850 that were due until then", *e.Time, e.Kinds)
	}
	if text := strings.Join(a.Sentences, " "); !strings.Contains(text, "It recovered 2.5 s (± 0.2 s) after the end of the fault.") {
		t.Errorf("the sentences: %s", text)
	}
}
