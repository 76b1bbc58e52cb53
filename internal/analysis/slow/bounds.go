package slow

import (
	"cmp"
	"math"
	"slices"
)

const (
	// together is the part of the arrivals that a cause befell which say when it was.
	together = 0.6
	// apart is how many times longer the time of all must be for the others to be
	// taken for stray ones.
	apart = 2.0
)

// bounds returns when something was that befell arrivals at these times: from the first
// to the last, or where a few are far from the others, of the others.
func bounds(all []wait) (from, to float64) {
	from, to = extent(all)
	n := int(math.Ceil(together * float64(len(all))))
	if n == len(all) {
		return from, to
	}
	sorted := slices.SortedFunc(slices.Values(all), func(a, b wait) int { return cmp.Compare(a.from, b.from) })
	closest := wait{from, to}
	for i := 0; i+n <= len(sorted); i++ {
		if a, b := extent(sorted[i : i+n]); b-a < closest.to-closest.from {
			closest = wait{a, b}
		}
	}
	if (to-from) < apart*(closest.to-closest.from) || to-from < 2000 {
		return from, to
	}
	// What overlaps with it, or nearly, belongs to it.
	return grown(sorted, closest)
}

// grown extends a time by those that begin or end within half of it beside it.
func grown(sorted []wait, w wait) (from, to float64) {
	margin := (w.to - w.from) / 2
	from, to = w.from, w.to
	for _, x := range sorted {
		if x.to >= w.from-margin && x.from <= w.to+margin {
			from, to = min(from, x.from), max(to, x.to)
		}
	}
	return from, to
}

func extent(all []wait) (from, to float64) {
	from, to = math.Inf(1), math.Inf(-1)
	for _, w := range all {
		from, to = min(from, w.from), max(to, w.to)
	}
	return from, to
}
