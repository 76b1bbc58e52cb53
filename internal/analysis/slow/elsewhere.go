package slow

import (
	"slices"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// shifts is at how many places of the run a sign's times are tried.
const shifts = 2000

// elsewhere is how likely it is that what a server did covers as much of the slow
// arrivals' time as it does, were it to happen at another time of the run: its intervals
// are moved through the run, round its end, and counted where they cover as much or
// more. It is a randomisation test: the spans keep their lengths and distances.
func (s *study) elsewhere(c *candidate) float64 {
	t := s.timeline(c.key)
	span := s.to - s.from
	if span <= 0 || len(t.from) == 0 {
		return 1
	}
	var waits []wait
	for i := range s.slow {
		for k := range s.slow[i].Ops {
			o := &s.slow[i].Ops[k]
			if o.Server >= leastPhase {
				to := s.slow[i].Due + o.End - o.Receive
				waits = append(waits, wait{to - o.Server - s.from, to - s.from})
			}
		}
	}
	covered := func(shift float64) (sum float64) {
		for _, w := range waits {
			sum += t.between(w.from-shift, w.to-shift, span)
		}
		return sum
	}
	seen, more := covered(0), 1
	for i := 1; i < shifts; i++ {
		if covered(span*float64(i)/shifts) >= seen*(1-1e-9) {
			more++
		}
	}
	return float64(more) / shifts
}

// wait is when an operation waited for its answer, from the run's start.
type wait struct{ from, to float64 }

// timeline is when something was seen: intervals that do not overlap, with the time
// covered before each.
type timeline struct{ from, to, before []float64 }

// timeline returns when what has a key was seen.
func (s *study) timeline(key string) *timeline {
	var all []wait
	for i := range s.set.Evidence {
		v := &s.set.Evidence[i]
		if v.Process != 0 || v.Conn != 0 || v.Kind == exemplars.Silent && v.To-v.From < leastSilence || signOf(v).key != key {
			continue
		}
		if from, to := max(v.From, s.from)-s.from, min(v.To, s.to)-s.from; from < to {
			all = append(all, wait{from, to})
		}
	}
	slices.SortFunc(all, func(a, b wait) int {
		if a.from < b.from {
			return -1
		}
		return 1
	})
	t := &timeline{}
	sum := 0.0
	for _, w := range all {
		if n := len(t.to); n > 0 && w.from <= t.to[n-1] {
			if w.to > t.to[n-1] {
				sum += w.to - t.to[n-1]
				t.to[n-1] = w.to
			}
			continue
		}
		t.from, t.to, t.before = append(t.from, w.from), append(t.to, w.to), append(t.before, sum)
		sum += w.to - w.from
	}
	return t
}

// upTo is how much was covered from 0 to a time within the run.
func (t *timeline) upTo(at float64) float64 {
	i, _ := slices.BinarySearch(t.from, at)
	if i == 0 {
		return 0
	}
	i--
	return t.before[i] + min(at, t.to[i]) - t.from[i]
}

// covered is upTo for a time that is counted on round the run's end.
func (t *timeline) covered(at, span float64) float64 {
	whole := 0.0
	n := len(t.from)
	all := t.before[n-1] + t.to[n-1] - t.from[n-1]
	for at < 0 {
		at += span
		whole -= all
	}
	for at >= span {
		at -= span
		whole += all
	}
	return whole + t.upTo(at)
}

// between is how much of a time is covered.
func (t *timeline) between(from, to, span float64) float64 {
	return t.covered(to, span) - t.covered(from, span)
}
