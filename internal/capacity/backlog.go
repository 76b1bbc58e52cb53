package capacity

import "math"

// Sample is how many arrivals were due and not done at an instant, in seconds
// since the beginning.
type Sample struct{ At, Backlog float64 }

// Backlog is what a trial's samples say: the mean, and how much the backlog grew
// over the window.
type Backlog struct{ Mean, Growth float64 }

// minSamples is how many samples a growth is told from.
const minSamples = 6

// MeasureBacklog takes the samples within [from, to]. The growth is that between
// the means of the first and the last third, which lie two thirds of the window
// apart; ok is false where there are too few samples.
func MeasureBacklog(samples []Sample, from, to float64) (b Backlog, ok bool) {
	third := (to - from) / 3
	var sum, first, last float64
	var n, nFirst, nLast int
	for _, s := range samples {
		if s.At < from || s.At > to {
			continue
		}
		sum += s.Backlog
		n++
		switch {
		case s.At <= from+third:
			first += s.Backlog
			nFirst++
		case s.At >= to-third:
			last += s.Backlog
			nLast++
		}
	}
	if n < minSamples || nFirst == 0 || nLast == 0 {
		return Backlog{}, false
	}
	return Backlog{Mean: sum / float64(n), Growth: 1.5 * (last/float64(nLast) - first/float64(nFirst))}, true
}

// Unsustained is the share of the arrivals due that may be left over at the end
// of a trial: where it is more, the target does not keep up, however short the
// wait still is. Half of the SLA's one percent, since a trial is too short to
// show all of it.
const Unsustained = 0.005

// Sustained says whether a target kept up with the arrivals due in the window: the
// backlog grew by no more than half a percent of them. A backlog comes and goes
// by itself, by the square root of its size as counts do; growth within that is
// none.
func (b Backlog) Sustained(due float64) bool {
	return b.Growth <= max(Unsustained*due, 2+math.Sqrt(max(b.Mean, 0)))
}
