package stats_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/stats"
)

// curve is the response time of a single server over its load.
func curve(capacity float64, loads ...float64) (p []stats.Point) {
	for _, l := range loads {
		p = append(p, stats.Point{X: l, Y: 1 / (capacity - l)})
	}
	return p
}

func TestKneeIsWhereLatencyTurnsUp(t *testing.T) {
	got, ok := stats.Knee(curve(100, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98))
	if !ok || got.X < 80 || got.X > 95 {
		t.Errorf("knee = %v, %v; want one between 80 and 95", got, ok)
	}
}

func TestKneeOfTheSourcesExample(t *testing.T) {
	// The figure of the article: y = −1/x + 5 is concave; turned by half a circle
	// it is convex, and its knee is at x = 0.22.
	var p []stats.Point
	for i := range 10 {
		x := float64(i) / 9
		p = append(p, stats.Point{X: 1 - x, Y: -(-1/(x+0.1) + 5)})
	}
	got, ok := stats.Knee(p)
	if !ok || math.Abs(1-got.X-0.22) > 0.01 {
		t.Errorf("knee = %v, %v; want x = 0.22", 1-got.X, ok)
	}
}

func TestNoKnee(t *testing.T) {
	straight := []stats.Point{}
	for i := range 10 {
		straight = append(straight, stats.Point{X: float64(i), Y: float64(2 * i)})
	}
	for name, p := range map[string][]stats.Point{
		"no points":   nil,
		"four points": curve(100, 10, 50, 90, 99),
		"one load":    {{X: 1, Y: 1}, {X: 1, Y: 2}, {X: 1, Y: 3}, {X: 1, Y: 4}, {X: 1, Y: 5}},
		"flat":        {{X: 1, Y: 3}, {X: 2, Y: 3}, {X: 3, Y: 3}, {X: 4, Y: 3}, {X: 5, Y: 3}},
		"falling":     {{X: 1, Y: 5}, {X: 2, Y: 4}, {X: 3, Y: 3}, {X: 4, Y: 2}, {X: 5, Y: 1}},
		"straight":    straight,
		"not numbers": {{X: math.NaN(), Y: 1}, {X: 2, Y: math.Inf(1)}, {X: 3, Y: 3}, {X: 4, Y: 4}, {X: 5, Y: 5}},
	} {
		if got, ok := stats.Knee(p); ok {
			t.Errorf("%s: knee = %v, want none", name, got)
		}
	}
}

func TestKneeIsOneOfThePoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stats.Point {
			return stats.Point{X: rapid.Float64Range(0, 1e4).Draw(t, "x"), Y: rapid.Float64Range(0, 1e4).Draw(t, "y")}
		}), 0, 20).Draw(t, "points")
		got, ok := stats.Knee(p)
		if !ok {
			return
		}
		low, high := math.Inf(1), math.Inf(-1)
		for _, q := range p {
			low, high = min(low, q.X), max(high, q.X)
		}
		if got.X <= low || got.X >= high {
			t.Errorf("knee at %v is not inside (%v, %v)", got.X, low, high)
		}
	})
}
