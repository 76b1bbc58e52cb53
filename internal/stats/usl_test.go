package stats_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/stats"
)

// sampled returns the law at concurrencies from 1 to high, with a relative error.
func sampled(u stats.USL, high, noise float64, n int, r *rand.Rand) (p []stats.Point) {
	for i := range n {
		c := math.Pow(high, float64(i)/float64(n-1))
		p = append(p, stats.Point{X: c, Y: u.Throughput(c) * (1 + noise*(2*r.Float64()-1))})
	}
	return p
}

func TestFitFindsTheLawItWasSampledFrom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := stats.USL{
			Lambda: rapid.Float64Range(1, 1e4).Draw(t, "lambda"),
			Sigma:  rapid.Float64Range(0.01, 0.2).Draw(t, "sigma"),
			Kappa:  rapid.Float64Range(1e-4, 1e-2).Draw(t, "kappa"),
		}
		seed := rapid.Uint64().Draw(t, "seed")
		got, err := stats.FitUSL(sampled(want, 100, 0.01, 20, rand.New(rand.NewPCG(seed, 0))))
		if err != nil {
			t.Fatal(err)
		}
		_, wantX := want.Peak()
		_, gotX := got.Peak()
		if math.Abs(gotX/wantX-1) > 0.03 {
			t.Errorf("peak %v, want %v (fit %+v)", gotX, wantX, got)
		}
		if got.Low > gotX || got.High < gotX {
			t.Errorf("peak %v is outside its bounds %v to %v", gotX, got.Low, got.High)
		}
	})
}

func TestPeakOfALawWithoutOne(t *testing.T) {
	for _, c := range []struct{ u, n, x float64 }{{0.1, math.Inf(1), 100}, {0, math.Inf(1), math.Inf(1)}} {
		n, x := stats.USL{Lambda: 10, Sigma: c.u}.Peak()
		if n != c.n || x != c.x {
			t.Errorf("sigma %v: peak %v at %v, want %v at %v", c.u, x, n, c.x, c.n)
		}
	}
}

func TestManyServersAreBoundByTheirSum(t *testing.T) {
	// Sixteen at a time, 10 ms each, random arrivals and service: never above
	// 1600/s, and less where they wait for each other's end.
	var p []stats.Point
	for _, n := range []float64{0.5, 1, 2, 4, 8, 12, 16, 32, 64} {
		p = append(p, stats.Point{X: n, Y: 1600 * (1 - math.Exp(-n/16))})
	}
	u, err := stats.FitUSL(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, x := u.Peak(); x < 1400 || x > 2400 {
		t.Errorf("throughput is bound by %v, want about 1600 (fit %+v)", x, u)
	}
}

func TestFitCannotSay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	noise := []stats.Point{}
	for i := range 20 {
		noise = append(noise, stats.Point{X: float64(i + 1), Y: 1 + 100*r.Float64()})
	}
	for want, p := range map[string][]stats.Point{
		"5 points":          sampled(stats.USL{Lambda: 1, Sigma: 0.1}, 10, 0, 5, r),
		"concurrency was 2": sampled(stats.USL{Lambda: 1, Sigma: 0.1}, 2, 0, 10, r),
		"variance":          noise,
		"0 points":          {{X: math.NaN(), Y: 1}, {X: 1, Y: math.Inf(1)}, {X: -1, Y: 1}, {X: 1, Y: 0}},
		// A hard limit has a corner, the law has none.
		"was not seen": {{X: 1, Y: 100}, {X: 2, Y: 200}, {X: 4, Y: 400}, {X: 7, Y: 700}, {X: 8, Y: 800}, {X: 16, Y: 800}, {X: 64, Y: 800}, {X: 300, Y: 800}},
	} {
		if u, err := stats.FitUSL(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("fit = %+v, %v; want an error with %q", u, err, want)
		}
	}
}
