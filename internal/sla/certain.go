package sla

import (
	"fmt"
	"math"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Breached returns the first rule of severity fail that a run which still goes on
// has missed for certain, nil if none: whatever the arrivals that are planned and
// not done yet will do. at is how long the run goes on; rules with a later After,
// and all of them before AbortAfter, are left out.
//
//   - A percentile is lost when more values miss the target than the planned number
//     of them allows; a share, such as an error rate, likewise.
//   - A maximum, a count or a minimum is lost when it has passed its bound.
//   - A mean is lost when even zeros could not bring it back.
//   - A rule with a window is lost with the first window that misses it.
func (j *Judge) Breached(t *metrics.Totals, at time.Duration) *Breach {
	if at < j.plan.Options.AbortAfter {
		return nil
	}
	for _, i := range j.items() {
		if i.rule.Severity != Fail || at < i.rule.After {
			continue
		}
		if because := j.lost(t, i); because != "" {
			res := j.judge(t, i.rule, i.stage, i.over)
			return breachOf(res, because)
		}
		if i.rule.AtOnce && !j.plan.Options.Part {
			if res := j.judge(t, i.rule, i.stage, i.over); res.Status == Failed {
				return breachOf(res, "it must hold at any time")
			}
		}
	}
	for _, w := range j.windows {
		if w.rule.Severity == Fail && !j.plan.Options.Part {
			if res := w.result(); res.Status == Failed {
				return breachOf(res, fmt.Sprintf("every window of %s must hold", w.rule.Window))
			}
		}
	}
	return nil
}

// Incomplete tells the judge that something of the run is missing. From then on
// Evaluate and Answer let nothing pass: what is missed whatever the rest was fails,
// and all else that the run exercised is undecided.
func (j *Judge) Incomplete() { j.incomplete = true }

func (j *Judge) partial(t *metrics.Totals) []Result {
	var out []Result
	for _, i := range j.items() {
		res := j.judge(t, i.rule, i.stage, i.over)
		switch because := j.lost(t, i); {
		case because != "" && (res.Status == Failed || res.Status == Warned):
		case res.Status != NotExercised:
			res.Status, res.Near, res.Needed = Undecided, false, 0
			if res.Samples == 0 {
				res.Actual = "no data"
			}
		}
		out = append(out, res)
	}
	for _, w := range j.windows {
		res := w.result()
		if res.Status == Passed || res.Status == NoData {
			res.Status = Undecided
		}
		out = append(out, res)
	}
	return out
}

// Unreached leaves what a run that was ended early has no data for undecided: it did
// not come so far.
func Unreached(results []Result) []Result {
	for i := range results {
		if r := &results[i]; r.Status == NoData || r.Status == Undecided && r.Samples == 0 {
			r.Status, r.Strict, r.Actual = Undecided, false, "not reached"
		}
	}
	return results
}

// lost says why a rule is missed whatever still comes; empty where it is not.
func (j *Judge) lost(t *metrics.Totals, i item) string {
	d, recorded := j.units[i.rule.Metric]
	switch {
	case !recorded || len(i.over) == 0:
		return ""
	case i.rule.Metric == Throughput:
		return j.lostThroughput(t, i)
	case isDerived(i.rule.Metric) || d.Kind == metrics.KindRate:
		return j.lostShare(t, i)
	case d.Kind == metrics.KindTrend:
		return j.lostTrend(t, i)
	case d.Kind == metrics.KindCounter:
		return j.lostCount(t, i)
	}
	f := j.figure(t, i.rule, i.over)
	if f.n > 0 && (i.rule.Stat.Name == "max" && beyond(i.rule, f.value) || i.rule.Stat.Name == "min" && below(i.rule, f.value)) {
		return "it cannot come back"
	}
	return ""
}

// beyond says that v, which can only grow, is past the target, below that v, which
// can only fall, is.
func beyond(r Rule, v float64) bool {
	return (r.Op.upper() || r.Op == "==") && v >= r.Value && !r.Op.Holds(v, r.Value)
}

func below(r Rule, v float64) bool {
	return (r.Op.lower() || r.Op == "==") && v <= r.Value && !r.Op.Holds(v, r.Value)
}

// tally is how far the arrivals of some stages have come.
type tally struct {
	// due of planned came due, lost of those are known not to succeed, and open
	// ones are not done.
	due, planned, lost, open int64
	// endless says that nobody planned how many there will be.
	endless bool
}

// rest is how many arrivals are still to succeed or not.
func (c tally) rest() int64 { return max(c.planned-c.due, 0) + c.open }

// final is how many arrivals there will be.
func (c tally) final() int64 { return max(c.planned, c.due) }

func (j *Judge) tally(t *metrics.Totals, scenario string, over []Stage) (c tally) {
	for _, s := range over {
		c.endless = c.endless || s.OpenEnded
		count := func(of string, d metrics.Desc) int64 {
			n, _ := t.Counter(metrics.Selector{Name: d.Name, Tags: metrics.Tags{Scenario: of, Stage: s.Name}})
			return n
		}
		due := count(scenario, metrics.Arrivals)
		lost := int64(0)
		for _, d := range notSucceeded {
			lost += count(scenario, d)
		}
		planned, known := s.PlannedOf[scenario]
		switch {
		case scenario == "":
			planned = s.Planned
		case !known:
			// All that is still to come may be of this scenario.
			planned = due + max(s.Planned-count("", metrics.Arrivals), 0)
		}
		c.due, c.planned, c.lost = c.due+due, c.planned+planned, c.lost+lost
		c.open += max(due-lost-count(scenario, metrics.ArrivalsSucceeded), 0)
	}
	return c
}

// perArrival are the trends that have one value for each arrival that succeeded.
var perArrival = map[string]bool{metrics.ResponseTime.Name: true, metrics.ServiceTime.Name: true}

// fewestDue is how many arrivals must have come due before the number of values of
// one tells how many there will be.
const fewestDue = 100

// finalValues bounds how many values there will be of a metric of which there are
// n; negative where that cannot be told. A metric that has no fixed number of
// values for an arrival may bring twice the mean seen for what is still to come.
func (j *Judge) finalValues(t *metrics.Totals, i item, n int64) int64 {
	c := j.tally(t, i.rule.Tags.Scenario, i.over)
	switch {
	case c.endless:
		return -1
	case perArrival[i.rule.Metric]:
		return max(c.final(), n)
	case c.due < fewestDue:
		return -1
	}
	return n + int64(math.Ceil(2*float64(n)/float64(c.due)*float64(c.rest())))
}
