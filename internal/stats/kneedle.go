package stats

import (
	"cmp"
	"math"
	"slices"
)

// Point is a point of a curve.
type Point struct{ X, Y float64 }

// minKneePoints is how many points a curve needs before a bend in it means
// anything.
const minKneePoints = 5

// Knee returns the point at which a rising curve, such as latency over load,
// turns from flat to steep. ok is false where there is no such point: fewer
// than five different X, a curve that does not rise, or one that is straight
// within the spacing of its points.
//
// It is Kneedle (Satopää, Albrecht, Irwin and Raghavan, "Finding a 'kneedle' in
// a haystack", ICDCS 2011) with sensitivity 1 for convex rising curves: both
// axes are brought to [0, 1], and a local maximum of x − y is a knee where the
// difference, read from there back to the flat end, falls below the maximum by
// more than the mean spacing of x. Of several knees the most pronounced one is
// returned. Points of one X are averaged.
func Knee(points []Point) (knee Point, ok bool) {
	p := distinct(points)
	if len(p) < minKneePoints {
		return Point{}, false
	}
	first, last := p[0], p[len(p)-1]
	low, high := p[0].Y, p[0].Y
	for _, q := range p {
		low, high = min(low, q.Y), max(high, q.Y)
	}
	if last.Y <= first.Y || high == low {
		return Point{}, false
	}
	d := make([]float64, len(p))
	for i, q := range p {
		d[i] = (q.X-first.X)/(last.X-first.X) - (q.Y-low)/(high-low)
	}
	spacing := 1 / float64(len(p)-1)
	best := -1
	for i := 1; i < len(p)-1; i++ {
		peak := d[i] >= d[i-1] && d[i] >= d[i+1]
		if peak && (best < 0 || d[i] > d[best]) && fallsBelow(d[:i], d[i]-spacing) {
			best = i
		}
	}
	if best < 0 {
		return Point{}, false
	}
	return p[best], true
}

// fallsBelow says whether the difference, read back to the flat end, falls below
// the threshold.
func fallsBelow(d []float64, threshold float64) bool {
	for i := len(d) - 1; i >= 0; i-- {
		if d[i] < threshold {
			return true
		}
	}
	return false
}

// distinct returns the finite points in the order of X, those of one X averaged.
func distinct(points []Point) []Point {
	p := slices.DeleteFunc(slices.Clone(points), func(q Point) bool { return !finite(q.X) || !finite(q.Y) })
	slices.SortFunc(p, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	var out []Point
	for i := 0; i < len(p); {
		j, sum := i, 0.0
		for ; j < len(p) && p[j].X == p[i].X; j++ {
			sum += p[j].Y
		}
		out = append(out, Point{p[i].X, sum / float64(j-i)})
		i = j
	}
	return out
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
