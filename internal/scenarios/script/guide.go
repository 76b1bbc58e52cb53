package script

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/scenarios/script/options"
)

// All is the value of the setting run for a stage in which the script guides its
// users, each in its own scenario; some of them are named with commas between.
const All = "*"

// guide says when the users of a script with several scenarios run: users are
// shared out among the scenarios in their order.
type guide struct {
	parts         []*part
	shard, shards int
}

// part is one scenario's users.
type part struct {
	of           *options.Scenario
	first, users int // of all users, from 0
	// taken counts the iterations that were begun, total how many there are.
	taken atomic.Int64
	total int64
	// begun are those of each user, spans when each is there, in a ramp.
	begun []int64
	spans [][]span
	lines []line
}

type span struct{ from, to time.Duration }

// line is a stretch of a ramp, from the scenario's start: it begins at the value a
// and ends at b; area is that before it.
type line struct {
	at, length float64
	a, b, area float64
}

func newGuide(list []*options.Scenario, shard, shards int) *guide {
	g := &guide{shard: shard, shards: max(shards, 1)}
	users := 0
	for _, s := range list {
		p := &part{of: s, first: users, users: s.Users()}
		users += p.users
		p.begun = make([]int64, p.users)
		p.lay()
		p.total = shareOf(p.total, shard, g.shards)
		g.parts = append(g.parts, p)
	}
	return g
}

// shareOf is how many of total, numbered from 0, are one shard's.
func shareOf(total int64, shard, shards int) int64 {
	return max(total-int64(shard)+int64(shards)-1, 0) / int64(shards)
}

// lay computes what does not change.
func (p *part) lay() {
	s := p.of
	switch s.Executor {
	case options.SharedIterations:
		p.total = s.Iterations
	case options.ConstantArrivalRate:
		p.ramp(s.Rate/s.TimeUnit, []options.Stage{{Duration: s.Duration, Target: s.Rate / s.TimeUnit}}, 1)
	case options.RampingArrivalRate:
		p.ramp(s.Rate/s.TimeUnit, s.Stages, s.TimeUnit)
	case options.RampingVUs:
		p.ramp(float64(s.StartVUs), s.Stages, 1)
		p.spans = make([][]span, p.users)
		for i := range p.spans {
			p.spans[i] = p.there(float64(i) + 0.5)
		}
	}
}

func (p *part) ramp(now float64, stages []options.Stage, unit float64) {
	var at, area float64
	for _, x := range stages {
		to := x.Target / unit
		if n := x.Duration.Seconds(); n > 0 {
			p.lines = append(p.lines, line{at, n, now, to, area})
			at, area = at+n, area+(now+to)/2*n
		}
		now = to
	}
	p.total = int64(math.Floor(area + 1e-6))
}

// there is when a ramp is at a level or above it.
func (p *part) there(level float64) (out []span) {
	for _, l := range p.lines {
		from, to := l.at, l.at+l.length
		cross := l.at + l.length*(level-l.a)/(l.b-l.a)
		switch {
		case l.a < level && l.b < level:
			continue
		case l.a < level:
			from = cross
		case l.b < level:
			to = cross
		}
		x := span{p.of.StartTime + seconds(from), p.of.StartTime + seconds(to)}
		if n := len(out); n > 0 && out[n-1].to == x.from {
			out[n-1].to = x.to
			continue
		}
		out = append(out, x)
	}
	return out
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// due is when iteration k of a scenario with a rate is due: when the area under the
// rate reaches k+½. A line r + at has the area rt + at²/2, of which
// t = 2n/(r+√(r²+2an)) is the inverse that cancels nothing.
func (p *part) due(k int64) time.Duration {
	n := float64(k) + 0.5
	for i := len(p.lines) - 1; i >= 0; i-- {
		l := p.lines[i]
		if l.area > n {
			continue
		}
		rest, slope := n-l.area, (l.b-l.a)/l.length
		t := 2 * rest / (l.a + math.Sqrt(max(l.a*l.a+2*slope*rest, 0)))
		if math.IsNaN(t) {
			t = 0
		}
		return p.of.StartTime + seconds(l.at+min(t, l.length))
	}
	return p.of.StartTime
}

// part returns the scenario of a user, numbered from 1.
func (g *guide) part(user int) *part {
	for _, p := range g.parts {
		if user-1 < p.first+p.users {
			return p
		}
	}
	return g.parts[len(g.parts)-1]
}

// next says when a user's next iteration is due.
func (g *guide) next(user int, now time.Duration) (due time.Duration, ok bool) {
	p := g.part(user)
	s := p.of
	due = max(now, s.StartTime)
	if due >= s.End() && !s.Open() {
		return 0, false
	}
	switch s.Executor {
	case options.SharedIterations:
		return due, p.taken.Add(1) <= p.total
	case options.PerVUIterations:
		n := &p.begun[user-1-p.first]
		*n++
		return due, *n <= s.Iterations
	case options.RampingVUs:
		for _, x := range p.spans[user-1-p.first] {
			if now < x.to {
				return max(now, x.from), true
			}
		}
		return 0, false
	case options.ConstantArrivalRate, options.RampingArrivalRate:
		n := p.taken.Add(1) - 1
		if n >= p.total {
			return 0, false
		}
		return p.due(int64(g.shard) + n*int64(g.shards)), true
	}
	return due, true
}

// Next says when a user's next arrival is due, where the script guides its users.
func (s *scenario) Next(stage, user int, now time.Duration) (due time.Duration, ok, guided bool) {
	g := s.guides[min(stage, len(s.guides)-1)]
	if g == nil {
		return 0, false, false
	}
	due, ok = g.next(user, now)
	return due, ok, true
}
