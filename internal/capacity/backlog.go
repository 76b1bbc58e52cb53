package capacity

import "math"

// Sample is how many arrivals were due and not done at an instant, in seconds
// since the beginning.
type Sample struct{ At, Backlog float64 }

// Backlog is what a trial's samples say: the mean, how much the backlog grew over
// the window, and how far the samples stray from a steady growth.
type Backlog struct {
	Mean, Growth, Stray float64
	// Samples is how many there were.
	Samples int
}

// minSamples is how many samples a target is blamed for: two always lie on a
// line.
const minSamples = 4

// MeasureBacklog takes the samples within [from, to]. The growth is that of the
// straight line through them with the least squares; ok is false where there are
// too few samples.
func MeasureBacklog(samples []Sample, from, to float64) (b Backlog, ok bool) {
	var n, t, y float64
	for _, s := range samples {
		if s.At >= from && s.At <= to {
			n, t, y = n+1, t+s.At, y+s.Backlog
		}
	}
	if n < 2 {
		return Backlog{}, false
	}
	t, y = t/n, y/n
	var tt, ty, yy float64
	for _, s := range samples {
		if s.At >= from && s.At <= to {
			tt += (s.At - t) * (s.At - t)
			ty += (s.At - t) * (s.Backlog - y)
			yy += (s.Backlog - y) * (s.Backlog - y)
		}
	}
	if tt == 0 {
		return Backlog{}, false
	}
	return Backlog{Mean: y, Growth: ty / tt * (to - from), Stray: math.Sqrt(max(yy-ty*ty/tt, 0) / n), Samples: int(n)}, true
}

// Unsustained is the share of the arrivals due that may be left over at the end
// of a trial: where it is more, the target does not keep up, however short the
// wait still is. Half of the SLA's one percent, since a trial is too short to
// show all of it.
const Unsustained = 0.005

// strays is how many times its stray a backlog must grow by. One that wanders
// like a random walk strays from the line through it by σ√(T÷15), and ends σ√T
// from where it began: four strays. A steady growth does not stray at all.
const strays = 4

// Sustained says whether a target kept up with the arrivals due in the window: the
// backlog grew by no more than half a percent of them. A backlog also comes and
// goes by itself; growth within that is none: no more than its stray, and than
// the square root of its size, as counts do.
func (b Backlog) Sustained(due float64) bool {
	if b.Samples < minSamples {
		return true
	}
	chance := min(2+math.Sqrt(max(b.Mean, 0)), 1+strays*b.Stray)
	return b.Growth <= max(Unsustained*due, chance)
}
