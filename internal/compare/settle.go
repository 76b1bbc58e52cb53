package compare

import (
	"fmt"
	"math"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/stats"
)

// mostRuns is how many runs a side are still worth proposing.
const mostRuns = 50

// runsFor returns how many runs a side make an interval of a figure that varies
// by sd from run to run reach no further than dist; 0 for more than mostRuns.
func runsFor(z, sd, dist float64) int {
	for n := 2 + enoughFreedom/2 - 1; n <= mostRuns; n++ {
		if stats.StudentScore(z, float64(2*n-2))*sd*math.Sqrt(2/float64(n))+resolution <= dist {
			return n
		}
	}
	return 0
}

// distance is how far the interval may reach for the word to be told: to the
// nearest end of what does not matter.
func distance(diff, lo, hi float64) float64 {
	switch {
	case diff > hi:
		return diff - hi
	case diff < lo:
		return lo - diff
	}
	return min(hi-diff, diff-lo)
}

// settleTimes says what would settle a figure, and how many more runs a side
// that is; 0 where runs do not help.
func (f *family) settleTimes(s *spec, d stats.Difference, lo, hi, w float64) (string, int) {
	dist := distance(d.Diff, lo, hi)
	sd := math.Sqrt((d.X*d.X + d.Y*d.Y) / 2)
	have := min(len(f.a), len(f.b))
	n := runsFor(f.z, sd, dist)
	switch {
	case n == 0:
		return fmt.Sprintf("more than %d runs a side: the difference is too near to the least that matters for how much runs differ (%s)", mostRuns, figure.Rough(sd, metrics.UnitRatio)), 0
	case n <= have:
		n = have + 1
	}
	text := moreRuns(n - have)
	// Where the seconds of a run differ more than runs do, longer ones help, too.
	if w > 0 && !f.many {
		tau := assumed(s.stat.q)
		room := dist / (f.z * math.Sqrt(1/float64(len(f.a))+1/float64(len(f.b))))
		if rest := room*room - tau*tau; rest > 0 {
			length := f.length() * max(w*w/rest, 1) * 1.2
			if length < 4*3600 {
				text += fmt.Sprintf(", or %s a run", seconds(length))
			}
		}
	}
	return text, n - have
}

// length is how long a run is in judged stages, in seconds.
func (f *family) length() float64 {
	most := 0
	for _, r := range f.a {
		for k := range r {
			most = max(most, len(r[k]))
		}
	}
	return float64(most)
}

func moreRuns(n int) string {
	if n == 1 {
		return "1 more run a side"
	}
	return fmt.Sprintf("%d more runs a side", n)
}

// seconds rounds a length up to what people say.
func seconds(s float64) string {
	if s <= 90 {
		return figure.Length(math.Ceil(s/10) * 10)
	}
	return figure.Length(math.Ceil(s/60) * 60)
}

// untold says what it takes to tell a quantile at all.
func (f *family) untold(s *spec) string {
	switch {
	case allLost(f.a, s.key) || allLost(f.b, s.key):
		return "arrivals that succeed: a side has none"
	case s.stat.q == mean:
		return "runs without dropped or unfinished arrivals"
	}
	return fmt.Sprintf("runs in which %s succeed and are not dropped: a run has too few to tell %s",
		figure.Value(math.Ceil(1/(1-s.stat.q)), metrics.UnitCount)+" arrivals or more", s.stat.name)
}

func allLost(side []recording, k key) bool {
	for _, r := range side {
		for _, s := range r[k] {
			if s.n > 0 {
				return false
			}
		}
	}
	return true
}

// settleShare says how many more runs settle a share.
func (f *family) settleShare(x, y *counted, diff, lo, hi float64) (string, int) {
	dist := distance(diff, lo, hi)
	have := min(len(f.a), len(f.b))
	for n := have + 1; n <= 2000; n += 1 + n/20 {
		more := func(c *counted) counted {
			out := *c
			out.n = c.perRun * float64(n)
			out.hits = c.share() * out.n
			return out
		}
		p, q := more(x), more(y)
		d, low, high := between(&p, &q, f.z)
		if max(high-d, d-low) > dist {
			continue
		}
		arrivals := figure.Value(float64(n-have)*min(x.perRun, y.perRun), metrics.UnitCount)
		return fmt.Sprintf("%s, or %s more arrivals a side", moreRuns(n-have), arrivals), n - have
	}
	return "far more arrivals: the difference is too near to the least that matters", 0
}
