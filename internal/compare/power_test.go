package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/stats"
)

// machine makes runs whose truth is known: response times are lognormal, and a
// run's median, P95 and P99 differ from the next one's by spread, twice it and
// three times it.
type machine struct {
	rng    *rand.Rand
	spread float64
}

// shape holds a thousand response times of a run without noise, as quantiles of
// the normal distribution.
var shape = func() (z [1000]float64) {
	for i := range z {
		z[i] = stats.NormalQuantile((float64(i) + 0.5) / 1000)
	}
	return z
}()

// run returns a recorded run of 2000 arrivals, slower by shift, of which so many
// failed.
func (m machine) run(median, shift float64, failed int64) recording {
	level := m.spread * m.rng.NormFloat64()
	tail := math.Sqrt(3) * m.spread * m.rng.NormFloat64() / 1.645 // grows with z: P95 then varies by twice the spread
	h := new(metrics.Hist)
	for _, z := range shape {
		h.RecordN(int64(median*1e6*(1+shift)*math.Exp(level+0.3*z+tail*max(z, 0))), 2)
	}
	s := &second{}
	s.add(h)
	s.due, s.lost = 2000, failed
	r := recording{}
	r[key{responseTime, ""}] = map[int]*second{0: s}
	r[key{errorRate, ""}] = map[int]*second{0: s}
	return r
}

func (m machine) side(n int, median, shift float64) (out []recording) {
	for range n {
		out = append(out, m.run(median, shift, 0))
	}
	return out
}

// recorded compares recordings without their files.
func recorded(t testing.TB, a, b []recording, effects ...string) *Comparison {
	t.Helper()
	leasts, err := ParseLeasts(effects)
	if err != nil {
		t.Fatal(err)
	}
	run := &rundir.Run{Info: rundir.RunInfo{Scenarios: []rundir.ScenarioShare{{Name: "api", Weight: 1}}, Stages: []rundir.StageInfo{{Name: "steady", Judged: true}}}}
	c := &Comparison{Least: leasts.All, FailOn: Regressed}
	c.compare([]*rundir.Run{run}, a, b, nil, nil, leasts)
	c.conclude()
	return c
}

// tried says how often p50 and the whole got each word.
func tried(t testing.TB, times, runs int, spread, shift float64) (p50, whole map[Word]float64) {
	m := machine{rand.New(rand.NewPCG(uint64(runs), uint64(1e4*spread+1e6*shift))), spread}
	p50, whole = map[Word]float64{}, map[Word]float64{}
	for range times {
		c := recorded(t, m.side(runs, 20, 0), m.side(runs, 20, shift))
		p50[c.Figures[0].Word] += 1 / float64(times)
		whole[c.Word] += 1 / float64(times)
	}
	return p50, whole
}
