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
	calm     bool    // its seconds are alike
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
		if !s.calm {
			weather = 0.7*weather + 0.05*rng.NormFloat64() // seconds are like their neighbours
		}
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

// One run a side tells a large difference and a new kind of error. That nothing
// changed it cannot tell, and says what would.
func TestSingleRuns(t *testing.T) {
	same := system{}
	if w := words(t, same, same, 1, 4); w[Inconclusive] != 4 {
		t.Errorf("of 4 comparisons of a system with itself: %v", w)
	}
	if w := words(t, same, system{shift: 0.3}, 1, 3); w[Regressed] != 3 {
		t.Errorf("compared with one that is three tenths slower: %v", w)
	}
	if w := words(t, same, system{failing: 0.02}, 1, 3); w[Regressed] != 3 {
		t.Errorf("compared with one that fails twice in a hundred: %v", w)
	}
	c, err := Runs(same.runs(t, 1, 1), same.runs(t, 1, 2), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Fails || !strings.Contains(c.Settle, "more runs a side") {
		t.Errorf("fails: %v, settled by %q", c.Fails, c.Settle)
	}
}

// Runs whose files are read end to end: five a side of a steady system are OK, a
// fifth slower REGRESSED, a fifth faster IMPROVED.
func TestSeveralRuns(t *testing.T) {
	steady := system{restless: 0.005, calm: true}
	for shift, want := range map[float64]Word{0: OK, 0.2: Regressed, -0.2: Improved} {
		if w := words(t, steady, system{restless: 0.005, calm: true, shift: shift}, 5, 1); w[want] != 1 {
			t.Errorf("%+g: %v, want %s", shift, w, want)
		}
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

// Two seconds of one run do not tell how much its response times vary, and the
// comparison can be written all the same. Errors are counted one by one: that a
// fifth more of them fail is told by them.
func TestShortRunsAreInconclusive(t *testing.T) {
	for more, want := range map[float64]Word{0: Inconclusive, 0.2: Regressed} {
		a, b := system{failing: 0.1}.run(t, 1), system{failing: 0.1 + more}.run(t, 2)
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
		if c.Word != want {
			t.Errorf("two seconds in which %g more fail are %s, want %s", more, c.Word, want)
		}
	}
}
