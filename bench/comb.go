package main

import (
	"errors"
	"math"
	"slices"
)

// shape is a rate line: from → to arrivals a second over length seconds.
type shape struct{ from, to, length float64 }

// due returns when the area under the line reaches a, in seconds: the root of
// from·t + (to−from)/(2·length)·t² = a, in the form that is stable for flat
// lines.
func (s shape) due(a float64) float64 {
	slope := (s.to - s.from) / s.length
	return 2 * a / (s.from + math.Sqrt(s.from*s.from+2*slope*a))
}

func (s shape) total() int { return int(math.Round((s.from + s.to) / 2 * s.length)) }

// lateness is how late requests were, in microseconds.
type lateness struct {
	p50, p99, p999, max float64
	// seen of expected requests arrived.
	seen, expected int
}

// errTooFew says that a tool sent much less than it was asked to.
var errTooFew = errors.New("fewer than nine tenths of the requests arrived")

// late compares when requests arrived (nanoseconds) with the best-fitting ideal
// schedule of the shape. A tool does not tell when it started, nor whether its
// k-th request is due at area k, k+½ or k+1, so the fit takes the start and the
// phase that make it look best: the start such that one request in a thousand
// is early. The first skip seconds are left out: connections open in them.
func late(times []int64, s shape, skip float64) (lateness, error) {
	out := lateness{seen: len(times), expected: s.total()}
	if len(times) < out.expected*9/10 || len(times) < 100 {
		return out, errTooFew
	}
	t := slices.Clone(times)
	slices.Sort(t)
	best := math.Inf(1)
	for _, phase := range []float64{0, 0.5, 1} {
		var r []float64
		for i, at := range t {
			if i >= out.expected {
				break
			}
			due := s.due(float64(i) + phase)
			if due < skip {
				continue
			}
			r = append(r, float64(at-t[0])/1e3-due*1e6)
		}
		if len(r) < 100 {
			return out, errTooFew
		}
		slices.Sort(r)
		start := r[len(r)/1000]
		p99 := r[len(r)*99/100] - start
		if p99 < best {
			best, out.p50, out.p99 = p99, r[len(r)/2]-start, p99
			out.p999, out.max = r[len(r)*999/1000]-start, r[len(r)-1]-start
		}
	}
	return out, nil
}
