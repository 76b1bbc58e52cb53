package analysis

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// noises are kinds of noise: its size, and its correlation from one second to
// the next.
var noises = []struct{ length, phi, noise float64 }{
	{300, 0, 0.1}, {300, 0.9, 0.02}, {300, 0.9, 0.05}, {300, 0.99, 0.01},
	{1800, 0, 0.3}, {1800, 0.9, 0.1}, {1800, 0.97, 0.05}, {1800, 0.99, 0.02}, {1800, 0.995, 0.01},
}

// memories returns the memory of sixteen processes in bins, of which the first
// grows by the leak over the run.
func memories(p *driftPlan, rng *rand.Rand, phi, noise, leak float64) (out []binned) {
	for i := range 16 {
		w := wander{rng: rng, phi: phi, state: rng.NormFloat64()}
		b := binned{GroupMemory, fmt.Sprintf("memory of %d", i), "bytes", "mean", make([]float64, p.bins)}
		for k := range b.values {
			for s := range int(p.bin) {
				v := 200e6 * (1 + noise*w.next())
				if i == 0 {
					v += 200e6 * leak * (float64(k)*p.bin + float64(s)) / (p.to - p.from)
				}
				b.values[k] += v / p.bin
			}
		}
		out = append(out, b)
	}
	return out
}

func TestDriftsAreToldFromNoiseOfEveryKind(t *testing.T) {
	const runs = 40
	for _, c := range noises {
		p := driftPlan{asked: true, to: c.length, bin: min(30, c.length/30)}
		p.bins = int(c.length / p.bin)
		alarms, found := 0, 0
		for seed := range uint64(runs) {
			rng := rand.New(rand.NewPCG(seed, 5))
			alarm := false
			for _, d := range p.drifts(memories(&p, rng, c.phi, c.noise, 0), nil) {
				alarm = alarm || d.Drifts
			}
			if alarm {
				alarms++
			}
			if p.drifts(memories(&p, rng, c.phi, c.noise, 0.4), nil)[0].Drifts {
				found++
			}
		}
		if alarms > runs/20 {
			t.Errorf("%+v: %d of %d stationary runs gave an alarm", c, alarms, runs)
		}
		if found < runs-1 {
			t.Errorf("%+v: %d of %d leaks of 40 %% were found", c, found, runs)
		}
	}
}
