package compare

import (
	"encoding/json"
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

// system is a target whose truth is known.
type system struct {
	shift    float64 // of every response time
	restless float64 // how much a run differs from the next, as a part
	failing  float64 // share of arrivals
}

// run records a run of a minute at 200/s in which response times are lognormal,
// slow down now and then for some seconds, and differ from run to run.
func (s system) run(t *testing.T, seed uint64) *rundir.Run {
	t.Helper()
	const seconds = 60
	info := rundir.RunInfo{ID: "x", Profile: "load", Seed: 1, Process: "uniform", Shards: 1, Version: fmt.Sprintf("v%d", seed%2),
		Scenarios: []rundir.ScenarioShare{{Name: "tasks", Weight: 1}},
		Stages:    []rundir.StageInfo{{Name: "steady", Class: "normal", Judged: true, Duration: seconds, From: 200, To: 200, Planned: 200 * seconds}}}
	dir := filepath.Join(t.TempDir(), fmt.Sprintf("run-%d", seed))
	w, err := rundir.Create(dir, info, nil)
	if err != nil {
		t.Fatal(err)
	}
	tags := metrics.Tags{Scenario: "tasks", Stage: "steady"}
	response := &metrics.Series{Desc: metrics.ResponseTime, Tags: tags}
	due := &metrics.Series{Desc: metrics.Arrivals, Tags: tags}
	failed := &metrics.Series{Desc: metrics.ArrivalsFailed, Tags: tags}
	rng := rand.New(rand.NewPCG(seed, 7))
	level := 5e6 * (1 + s.shift) * math.Exp(s.restless*rng.NormFloat64())
	weather := 0.0
	for i := range seconds {
		weather = 0.7*weather + 0.05*rng.NormFloat64() // seconds are like their neighbours
		h, lost := new(metrics.Hist), int64(0)
		for range 200 {
			if rng.Float64() < s.failing {
				lost++
				continue
			}
			h.Record(int64(level * math.Exp(weather+0.4*rng.NormFloat64())))
		}
		end := time.Duration(i+1) * time.Second
		w.Snapshot(&metrics.Snapshot{Number: i, Start: end - time.Second, End: end, At: info.Started.Add(end), Last: i == seconds-1,
			Trends:   []metrics.TrendValue{{Series: response, Hist: h}},
			Counters: []metrics.CounterValue{{Series: due, Delta: 200}, {Series: failed, Delta: lost}}})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s system) runs(t *testing.T, n int, seed uint64) (out []*rundir.Run) {
	for i := range n {
		out = append(out, s.run(t, seed+uint64(i)))
	}
	return out
}

// words compares pairs of systems so often and counts what comes out.
func words(t *testing.T, base, next system, runs, times int) map[Word]int {
	t.Helper()
	out := map[Word]int{}
	for i := range uint64(times) {
		c, err := Runs(base.runs(t, runs, 1000*i), next.runs(t, runs, 1000*i+500), Options{})
		if err != nil {
			t.Fatal(err)
		}
		out[c.Word]++
	}
	return out
}

// Two runs of one system are OK at least 19 times in 20, a fifth more is always
// found, and so is a new kind of error.
func TestSingleRuns(t *testing.T) {
	same := system{}
	if w := words(t, same, same, 1, 20); w[OK] < 19 {
		t.Errorf("of 20 comparisons of a system with itself: %v", w)
	}
	if w := words(t, same, system{shift: 0.2}, 1, 8); w[Regressed] != 8 {
		t.Errorf("compared with one that is a fifth slower: %v", w)
	}
	if w := words(t, system{shift: 0.2}, same, 1, 4); w[OK] != 4 {
		t.Errorf("compared with one that is faster: %v", w)
	}
	if w := words(t, same, system{failing: 0.01}, 1, 8); w[Regressed] != 8 {
		t.Errorf("compared with one that fails once in a hundred: %v", w)
	}
}

// What differs from run to run is no regression, once there are enough runs to
// see it.
func TestSeveralRuns(t *testing.T) {
	restless := system{restless: 0.05}
	if w := words(t, restless, restless, 5, 20); w[OK] < 19 {
		t.Errorf("of 20 comparisons of a restless system with itself: %v", w)
	}
	if w := words(t, restless, system{restless: 0.05, shift: 0.2}, 5, 20); w[Regressed] < 17 {
		t.Errorf("of 20 comparisons with one that is a fifth slower: %v", w)
	}
}

func TestRunsOfAnotherLoadAreNotCompared(t *testing.T) {
	a, b := system{}.run(t, 1), system{}.run(t, 2)
	b.Info.Scenarios = []rundir.ScenarioShare{{Name: "cache", Weight: 1}}
	_, err := Runs([]*rundir.Run{a}, []*rundir.Run{b}, Options{})
	if err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("got %v", err)
	}
	c, err := Runs([]*rundir.Run{a}, []*rundir.Run{b}, Options{Force: true})
	if err != nil || len(c.Figures) == 0 {
		t.Errorf("forced: %v", err)
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	a, b := system{}.run(t, 2), system{}.run(t, 3)
	b.Info.Settings = []rundir.Setting{{Name: "tasks.agents", Value: "50"}, {Name: "DB_PORT", Value: "1"}}
	c, err := Runs([]*rundir.Run{a}, []*rundir.Run{b}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(c.Differences, "\n")
	if !strings.Contains(got, "perfctl: v0 → v1") || !strings.Contains(got, "tasks.agents: – → 50") || strings.Contains(got, "DB_PORT") || strings.Contains(got, "seed") {
		t.Errorf("differences are\n%s", got)
	}
}

// Runs of a few seconds say so, and the comparison can be written all the same.
func TestShortRunsAreInconclusive(t *testing.T) {
	a, b := system{failing: 0.1}.run(t, 1), system{failing: 0.3}.run(t, 2)
	for _, r := range []*rundir.Run{a, b} {
		for _, l := range r.Lines {
			n := min(len(l.At), 2)
			l.At, l.Value = l.At[:n], l.Value[:min(n, len(l.Value))]
			l.Trend = l.Trend[:min(n, len(l.Trend))]
		}
	}
	c, err := Runs([]*rundir.Run{a}, []*rundir.Run{b}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Error(err)
	}
	if c.Word != Inconclusive {
		t.Errorf("two seconds are %s", c.Word)
	}
}
