package health

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// planted is a figure whose service takes about the given time, and whose arrivals are
// late by lag in the given share.
func planted(service, lag time.Duration, share float64) ([]Figure, *metrics.Hist) {
	f := Figure{Name: "api in steady", Response: new(metrics.Hist), Service: new(metrics.Hist), Lag: new(metrics.Hist)}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		took := float64(service) * (1 + 0.1*r.NormFloat64())
		late := float64(50 * time.Microsecond)
		if r.Float64() < share {
			late = float64(lag)
		}
		f.Service.Record(int64(took))
		f.Lag.Record(int64(late))
		f.Response.Record(int64(took + late))
	}
	return []Figure{f}, f.Lag
}

func TestALagThatChangesNoFigureIsANote(t *testing.T) {
	for _, c := range []struct {
		name         string
		service, lag time.Duration
		share        float64
		want         Status
	}{
		{"3 ms in 2 % of a service of 500 ms", 500 * time.Millisecond, 3 * time.Millisecond, 0.02, Valid},
		{"3 ms in half of a service of 500 ms", 500 * time.Millisecond, 3 * time.Millisecond, 0.5, Valid},
		{"3 ms in 2 % of a service of 15 ms", 15 * time.Millisecond, 3 * time.Millisecond, 0.02, Valid},
		{"3 ms in half of a service of 15 ms", 15 * time.Millisecond, 3 * time.Millisecond, 0.5, Suspect},
		{"3 ms in 2 % of a service of 1 ms", time.Millisecond, 3 * time.Millisecond, 0.02, Suspect},
		{"200 ms in 2 % of a service of 20 s", 20 * time.Second, 200 * time.Millisecond, 0.02, Invalid},
		{"none", time.Millisecond, 0, 0, Valid},
	} {
		figures, lag := planted(c.service, c.lag, c.share)
		r := Judge(Evidence{Lag: lag, Figures: figures})
		if r.Status != c.want {
			t.Errorf("%s: %s %q, want %s", c.name, r.Status, r.Reasons, c.want)
		}
		late := c.lag > 0
		if c.want == Valid && late != (len(r.Notes) > 0) {
			t.Errorf("%s: notes %q", c.name, r.Notes)
		}
		if c.want == Suspect && !strings.Contains(strings.Join(r.Reasons, "; "), "too high") {
			t.Errorf("%s: %q names no figure", c.name, r.Reasons)
		}
	}
}

// The bound holds whatever the lag did: planted with the worst dependence, the slowest
// being late, the true quantile is never below what is left of the figure.
func TestTheShiftBoundsWhatTheLagDid(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		f := Figure{Response: new(metrics.Hist), Service: new(metrics.Hist), Lag: new(metrics.Hist)}
		limit := 1 + r.Float64()
		for range 2000 {
			took, late := 1e6*(1+r.ExpFloat64()), 5e4
			if took > limit*1e6 && r.Float64() < 0.3 {
				late = 3e6 * r.Float64()
			}
			f.Service.Record(int64(took))
			f.Lag.Record(int64(late))
			f.Response.Record(int64(took + late))
		}
		for _, q := range quantiles {
			value, shift := f.shift(q)
			truth, _, _ := f.Service.Quantile(q)
			if value-shift > float64(truth)*1.002 {
				t.Errorf("p%g: %g minus %g is above the truth %d", 100*q, value, shift, truth)
			}
		}
	}
}
