package analysis

import (
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// A recovery lies within a second, not at its end: here is where. Bad arrivals cannot say
// it, because they are counted when they are done, which may be long after they were due;
// good ones are done at once. So what tells it is how many of the arrivals that were due
// in a second were good: few until the trouble ended, and all from then on.

const (
	// apart is by how much the shares of good arrivals in the trouble and after it must
	// differ for the instant between them to be told by them.
	apart = 0.05
	// troubleSeconds is of how many seconds the share in the trouble is.
	troubleSeconds = 3
	// finestWithin is promised at best, in seconds: what is less lies between due and done,
	// or in snapshots that were taken a little late.
	finestWithin = 0.1
	// mostly is from what part of good arrivals on a second may be one in which a system
	// that was back stumbled.
	mostly = 0.7
	// usuallySlow is the share of arrivals above the limit of P95 that means nothing.
	usuallySlow = 0.03
)

// bucket is so many response times of at most so many milliseconds.
type bucket struct{ high, n float32 }

// shapeOf is what is kept of a second's response times.
func shapeOf(h *metrics.Hist) []bucket {
	var out []bucket
	h.Buckets(func(i int, count int64) {
		_, high := metrics.BucketBounds(i)
		out = append(out, bucket{float32(float64(high) / 1e6), float32(count)})
	})
	return out
}

// comesBack says whether a recovery will be asked for.
func (a *axis) comesBack() bool {
	return len(a.run.Info.Faults) > 0 || slices.ContainsFunc(a.stages, func(s rundir.StageInfo) bool { return s.Class == "spike" })
}

// moment looks for the instant of one recovery.
type moment struct {
	*axis
	r      *Recovery
	before normal
	// first is the first second after the end, back the first good one.
	first, back int
	// missing are the conditions that were missed, from first on.
	missing [][]string
	// good is the share of good arrivals after the recovery.
	good float64
}

// find returns how long after the end the recovery was, and within what that is so.
func (m *moment) find() (took, within float64) {
	m.good = m.share(m.back, min(m.back+recoverySeconds, m.n))
	s := m.back - 1
	for s >= m.first && !m.queued(s) && m.allGood(s) {
		s--
	}
	switch {
	case s < 0 || m.end(s) <= m.r.To: // nothing of the trouble outlived its cause
		return 0, finestWithin + m.noise(m.first, m.good)
	case m.queued(s): // a queue is read at the end of a second
		return m.after(m.end(s)), m.length[s]
	}
	bad := m.bad(s)
	part, told := m.part(s, bad)
	if !told {
		if s < m.first {
			return 0, m.end(s) - m.r.To + finestWithin
		}
		return m.after(m.end(s) - m.length[s]/2), m.length[s]/2 + finestWithin // it is in there, wherever
	}
	at, noise := m.end(s)-part*m.length[s], 0.0
	if s > 0 {
		noise = m.noise(s-1, bad) / math.Sqrt(troubleSeconds)
	}
	if s >= max(m.first, 1) && !m.queued(s-1) { // perhaps it was back before, and stumbled
		bad := m.bad(s - 1)
		part, _ := m.part(s, bad)
		earlier, told := m.part(s-1, bad)
		if told && part >= mostly && earlier > 0.2 && earlier > m.noise(s-1, bad)/(m.good-bad) {
			at = m.end(s) - part*m.length[s] - earlier*m.length[s-1]
			noise = m.noise(s-1, m.share(s-1, s))
		}
	}
	lag := min(m.before.mean, m.before.limit) / 1e3 // from due to done
	return m.after(at - lag), min(finestWithin+math.Hypot(noise, m.noise(s, m.share(s, s+1)))/(m.good-bad), m.length[s])
}

// bad is the share of good arrivals in the trouble before a second.
func (m *moment) bad(s int) float64 {
	from, _ := m.touching(m.r.From, m.end(s))
	return m.share(max(from, s-troubleSeconds), s)
}

// part is how much of a second came after the trouble, as a part of 1, and whether its
// arrivals tell, given the share of good ones in the trouble.
func (m *moment) part(s int, bad float64) (part float64, told bool) {
	here := m.share(s, s+1)
	if math.IsNaN(bad) || math.IsNaN(here) || !(m.good-bad >= apart) {
		return 0, false
	}
	return min(max((here-bad)/(m.good-bad), 0), 1), true
}

// after is how long after the end an instant is.
func (m *moment) after(at float64) float64 {
	if took := at - m.r.To; took >= finestWithin {
		return took
	}
	return 0
}

// queued says whether a queue was longer than before.
func (m *moment) queued(s int) bool {
	return s >= m.first && slices.Contains(m.missing[s-m.first], ofQueues)
}

// share is how many of the arrivals due in the seconds from i up to but without j were
// good, as a part of 1; NaN where none was due.
func (m *moment) share(i, j int) float64 {
	good := 0.0
	for s := i; s < j; s++ {
		good += m.goodIn(s)
	}
	return good / sum(m.due, i, max(i, j))
}

// goodIn is how many arrivals of a second succeeded within the limit.
func (m *moment) goodIn(s int) (n float64) {
	for _, b := range m.shapes[s] {
		if float64(b.high) <= m.before.limit {
			n += float64(b.n)
		}
	}
	return n
}

// allGood says whether as many arrivals of a second were good as after the recovery, but
// for chance and those that were done in the next one.
func (m *moment) allGood(s int) bool {
	due, good := m.due[s], m.good
	if m.failed[s]+m.dropped[s] == 0 {
		good = min(good, 1-usuallySlow)
	}
	chance := 2 * math.Sqrt(due*good*max(0, 1-good))
	across := 1.5 * math.Sqrt(due*min(m.before.mean/1e3, 1))
	came := m.goodIn(s)
	if s+1 < m.n {
		came += max(0, m.goodIn(s+1)-m.due[s+1])
	}
	return came >= m.good*due-chance-across-max(0.5, 0.01*due)
}

// noise is by how much chance moves the instant in a second, in 95 of 100, where the share
// of good arrivals tells it fully.
func (m *moment) noise(s int, share float64) float64 {
	n := m.due[s]
	p := min(max(share, 1/(n+2)), 1-1/(n+2))
	return 2 * math.Sqrt(p*(1-p)/max(n, 1)) * m.length[s]
}
