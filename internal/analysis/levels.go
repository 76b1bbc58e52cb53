package analysis

import (
	"fmt"
	"math"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

const (
	// sliceSeconds is how long a part of a ramp is at least, rampSlices into how many
	// parts a ramp is cut at most.
	sliceSeconds = 2.0
	rampSlices   = 10
)

// step is a level of load on the way up, and what was counted in it.
type step struct {
	name      string
	class     string
	low, high float64 // of a rate, or of users
	users     bool
	from, to  float64
	totals    *metrics.Totals
	response  metrics.Hist
}

// offered is what a stage begins and ends with: a rate, or users.
func offered(s *rundir.StageInfo) (from, to float64, users bool) {
	if s.Users != nil {
		return float64(s.Users.From), float64(s.Users.To), true
	}
	return s.From, s.To, false
}

// constantLoad says whether a stage offers the same all the time.
func constantLoad(s *rundir.StageInfo) bool {
	from, to, _ := offered(s)
	return from == to && from > 0
}

// wayUp returns the levels of load that the judged stages offer until the load falls
// for the first time: a stage of constant rate, or of constant users, is one, a ramp is
// cut into parts. A burst has no rate, and users that are guided have no number. Rates
// and users cannot be compared: the first stage says of which the way up is.
func (a *axis) wayUp() []step {
	var out []step
	part := 1.0
	if a.run.Info.Shards > 1 && a.run.Info.Merged == nil {
		part /= float64(a.run.Info.Shards)
	}
	highest, began, ofUsers := 0.0, false, false
	for i := range a.stages {
		s := &a.stages[i]
		low, high, users := offered(s)
		if began && users != ofUsers {
			if s.Judged {
				break
			}
			continue
		}
		if high < low || low < highest {
			break
		}
		highest = high
		if s.Burst > 0 || s.Duration <= 0 || high == 0 || users && s.Users.Guide != "" {
			continue
		}
		began, ofUsers = true, users
		n := 1
		if high > low {
			n = min(max(int(s.Duration/sliceSeconds), 1), rampSlices)
		}
		for k := range n {
			at := func(k int) float64 { return float64(k) / float64(n) }
			if s.Judged {
				out = append(out, step{
					name: fmt.Sprintf("level %d", len(out)+1), class: s.Class, totals: metrics.NewTotals(), users: users,
					low: part * (low + at(k)*(high-low)), high: part * (low + at(k+1)*(high-low)),
					from: s.Start + at(k)*s.Duration, to: s.Start + at(k+1)*s.Duration,
				})
			}
		}
	}
	return out
}

// levelOf returns the level that holds the middle of a second, -1 for none.
func levelOf(steps []step, a *axis, second int) int {
	middle := a.start[second] + a.length[second]/2
	for i := range steps {
		if middle >= steps[i].from && middle < steps[i].to {
			return i
		}
	}
	return -1
}

// addTrend adds an interval to its level.
func (s *step) addTrend(l *rundir.Line, h *metrics.Hist) {
	series := l.Series
	series.Stage = s.name
	s.totals.AddTrend(&series, h)
	if series.Name == metrics.ResponseTime.Name {
		s.response.Merge(h)
	}
}

// addCounts adds everything but trends to the levels. What is not known of an
// arrival when its level ends is known later: it counts as done, unless it was
// dropped or failed.
func (a *axis) addCounts(steps []step) {
	for _, l := range a.run.Lines {
		if l.Trend != nil || l.Series.Name == metrics.ArrivalsSucceeded.Name {
			continue
		}
		for i, second := range l.At {
			k := levelOf(steps, a, second)
			if k < 0 {
				continue
			}
			series := l.Series
			series.Stage = steps[k].name
			switch {
			case l.Of != nil:
				steps[k].totals.AddRate(&series, int64(l.Value[i]), int64(l.Of[i]))
			case l.Series.Kind == metrics.KindCounter:
				steps[k].totals.AddCounter(&series, int64(l.Value[i]))
				steps[k].addDone(&series, int64(l.Value[i]))
			case l.Series.Kind == metrics.KindGauge:
				steps[k].totals.AddGauge(&series, l.Value[i])
			}
		}
	}
}

// addDone counts the arrivals due, less those failed and dropped, as succeeded.
func (s *step) addDone(series *metrics.Series, n int64) {
	switch series.Name {
	case metrics.ArrivalsFailed.Name, metrics.ArrivalsDropped.Name:
		n = -n
	case metrics.Arrivals.Name:
	default:
		return
	}
	done := metrics.Series{Desc: metrics.ArrivalsSucceeded, Tags: metrics.Tags{Scenario: series.Scenario, Stage: s.name}}
	s.totals.AddCounter(&done, n)
}

// level returns the figures of a step, false where nothing was recorded in it.
func (a *axis) level(s *step) (Level, bool) {
	l := Level{Low: s.low, High: s.high, From: s.from, To: s.to}
	var length, due, failed, dropped, succeeded, inFlight, readings, there, counted float64
	gauge, users := a.gauge(metrics.InFlight.Name), a.gauge(metrics.Users.Name)
	for i := range a.n {
		middle := a.start[i] + a.length[i]/2
		if middle < s.from || middle >= s.to {
			continue
		}
		length += a.length[i]
		due, failed, dropped, succeeded = due+a.due[i], failed+a.failed[i], dropped+a.dropped[i], succeeded+a.succeeded[i]
		if gauge != nil && !math.IsNaN(gauge[i]) {
			inFlight += gauge[i]
			readings++
		}
		// Users who made arrivals were there: a reading of none was taken when they had
		// gone, at the end of a stage that was over before its time.
		if users != nil && !math.IsNaN(users[i]) && (users[i] > 0 || a.due[i] == 0) {
			there += users[i]
			counted++
		}
	}
	if length == 0 || due == 0 {
		return l, false
	}
	l.Rate, l.Achieved, l.Due = due/length, succeeded/length, int64(due)
	if s.users {
		l.Low, l.High = l.Rate, l.Rate // what came is what the answers let come
		l.UsersLow, l.UsersHigh = number(s.low), number(s.high)
		if l.Users = number((s.low + s.high) / 2); counted > 0 {
			l.Users = number(there / counted)
		}
	}
	l.ErrorRate = number(min((failed+dropped)/due, 1))
	l.InFlight = number(inFlight / readings)
	n := float64(s.response.N + s.response.Censored)
	m := trendValueOf(&s.response)
	for _, q := range []struct {
		to    **float64
		name  string
		q, v  float64
		least bool
	}{{&l.P50, "p50", 0.5, m.p50, false}, {&l.P95, "p95", 0.95, m.p95, m.least}, {&l.P99, "p99", 0.99, m.p99, m.least99}} {
		if n*(1-q.q) < 1-1e-9 {
			continue // too few values to tell
		}
		*q.to = number(q.v)
		if q.least {
			l.AtLeast = append(l.AtLeast, q.name)
		}
	}
	return l, true
}
