package analysis

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
)

// system is a system whose truth is known. Its functions are of time in seconds;
// a nil one is a healthy system's.
type system struct {
	profile string
	stages  []rundir.StageInfo
	seed    uint64
	// slow is the mean of response time in milliseconds, failing the share of
	// arrivals that fail, dropping of those that are dropped.
	slow, failing, dropping func(t float64) float64
	// gauges are readings by name, without their noise.
	gauges map[metrics.Desc]func(t float64) float64
	// counters are events a second.
	counters map[metrics.Desc]func(t float64) float64
	// trends are more times, by their mean in milliseconds.
	trends map[metrics.Desc]func(t float64) float64
	// noise is the relative noise of the figures, which has a correlation of phi
	// from one second to the next.
	noise, phi float64
	// silent seconds are not recorded.
	silent func(t float64) bool
	// rules are the results of the SLA, as thresholds.
	rules map[string]string
	// scenarios share the load; one named tasks where there are none.
	scenarios []string
	// faults are what is broken on purpose.
	faults []rundir.FaultInfo
}

func steps(stages ...rundir.StageInfo) []rundir.StageInfo {
	at := 0.0
	for i := range stages {
		stages[i].Start = at
		stages[i].Planned = int64((stages[i].From + stages[i].To) / 2 * stages[i].Duration)
		at += stages[i].Duration
	}
	return stages
}

func stage(name, class string, judged bool, duration, from, to float64) rundir.StageInfo {
	return rundir.StageInfo{Name: name, Class: class, Judged: judged, Duration: duration, From: from, To: to}
}

func spikeStages() []rundir.StageInfo {
	return steps(stage("normal", "normal", true, 60, 100, 100), stage("spike", "spike", true, 60, 500, 500),
		stage("recovery", "normal", true, 120, 100, 100))
}

func soakStages(length float64) []rundir.StageInfo {
	return steps(stage("warm-up", "normal", false, 10, 0, 50), stage("soak", "normal", true, length, 50, 50))
}

func constant(v float64) func(float64) float64 { return func(float64) float64 { return v } }

func or(f func(float64) float64, v float64) func(float64) float64 {
	if f == nil {
		return constant(v)
	}
	return f
}

// wander is a process of the first order with a variance of 1.
type wander struct {
	rng   *rand.Rand
	phi   float64
	state float64
}

func (w *wander) next() float64 {
	w.state = w.phi*w.state + math.Sqrt(1-w.phi*w.phi)*w.rng.NormFloat64()
	return w.state
}

// record writes the system's run through the real writer, reads it back and
// judges it.
func (y system) record(t testing.TB) (*rundir.Run, []sla.Result) {
	t.Helper()
	if len(y.scenarios) == 0 {
		y.scenarios = []string{"tasks"}
	}
	info := rundir.RunInfo{ID: "r-1", Profile: y.profile, Process: "uniform", Shards: 1, MaxInFlight: 1000,
		Faults: y.faults, Stages: y.stages, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for _, s := range y.scenarios {
		info.Scenarios = append(info.Scenarios, rundir.ScenarioShare{Name: s, Weight: 1})
	}
	for _, s := range y.stages {
		info.Planned += s.Planned
	}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := rundir.Create(dir, info, nil)
	if err != nil {
		t.Fatal(err)
	}
	y.play(w.Snapshot)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run, y.judge(t, run)
}

// analyse records the run and analyses it.
func (y system) analyse(t testing.TB) *Analysis {
	t.Helper()
	a, err := Analyse(y.record(t))
	if err != nil {
		t.Fatal(err)
	}
	return a
}
