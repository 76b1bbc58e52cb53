package sla

import (
	"fmt"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/stats"
)

func (j *Judge) lostTrend(t *metrics.Totals, i item) string {
	r := i.rule
	h := new(metrics.Hist)
	for _, s := range i.over {
		if part := t.Trend(selector(r, s)); part != nil {
			h.Merge(part)
		}
	}
	n := h.N + h.Censored
	if n == 0 {
		return ""
	}
	q := r.Stat.Percent / 100
	switch r.Stat.Name {
	case "max":
		q = 1
	case "med":
		q = 0.5
	case "count":
		if beyond(r, float64(h.N)) {
			return "it cannot come back"
		}
		return ""
	case "min":
		if h.N > 0 && below(r, float64(h.Min)) {
			return "it cannot come back"
		}
		return ""
	case "avg":
		return j.lostMean(t, i, h)
	}
	if q == 1 {
		if h.Censored > 0 && (r.Op.upper() || r.Op == "==") || h.N > 0 && beyond(r, float64(h.Max)) {
			return "it cannot come back"
		}
		return ""
	}
	return j.lostQuantile(t, i, h, q)
}

func (j *Judge) lostMean(t *metrics.Totals, i item, h *metrics.Hist) string {
	if h.Censored > 0 && i.rule.Op.upper() {
		return "arrivals that were lost have no time"
	}
	final := j.finalValues(t, i, h.N)
	if final > 0 && beyond(i.rule, h.Sum/float64(final)) {
		return fmt.Sprintf("zeros for the rest of %d planned could not bring it back", final)
	}
	return ""
}

// lostQuantile says whether the quantile is missed even if all values still to come
// keep the target.
func (j *Judge) lostQuantile(t *metrics.Totals, i item, h *metrics.Hist, q float64) string {
	r := i.rule
	if !r.Op.upper() && !r.Op.lower() {
		return ""
	}
	missed := h.CountOf(func(v int64) bool { return !r.Op.Holds(float64(v), r.Value) })
	if r.Op.upper() {
		missed += h.Censored
	}
	final := j.finalValues(t, i, h.N+h.Censored)
	if missed == 0 || final < 0 {
		return ""
	}
	alpha := (1 - j.confidence()) / 2
	low, high := stats.QuantileRanks(final, q, alpha)
	if final >= stats.QuantileNeeds(q, alpha) && j.plan.Options.Confidence == 0 {
		low = metrics.QuantileRank(final, q)
		high = low
	}
	// In order, what keeps an upper target comes first, and a lower one's last.
	if r.Op.upper() && low > final-missed || r.Op.lower() && high <= missed {
		return fmt.Sprintf("%d of at most %d missed it already", missed, final)
	}
	return ""
}

func (j *Judge) lostShare(t *metrics.Totals, i item) string {
	r := i.rule
	f := j.figure(t, r, i.over)
	if f.n == 0 || f.hits < 0 || !r.Op.upper() && !r.Op.lower() {
		return ""
	}
	c := j.tally(t, r.Tags.Scenario, i.over)
	if c.endless {
		return ""
	}
	final, hits := c.final(), f.hits
	switch r.Metric {
	case AchievedRatio:
		hits = f.n - c.lost - c.open // of which the open ones may still succeed
		if r.Op.lower() {
			hits += c.rest()
		}
	case ErrorRate:
		if r.Op.lower() {
			hits += c.rest()
		}
	default:
		if final = j.finalValues(t, i, f.n); final < 0 {
			return ""
		}
		if r.Op.lower() {
			hits += final - f.n
		}
	}
	best := float64(hits) / float64(final)
	status := Passed
	if !r.Op.Holds(best, r.Value) {
		status = missed(r.Severity)
	}
	if asked := j.plan.Options.Confidence; asked > 0 {
		status = decideShare(hits, final, r, asked)
	}
	if status == missed(r.Severity) {
		return fmt.Sprintf("at best %s of %d planned", figure.Value(best, metrics.UnitRatio), final)
	}
	return ""
}

func (j *Judge) lostCount(t *metrics.Totals, i item) string {
	f := j.figure(t, i.rule, i.over)
	if f.n == 0 {
		return ""
	}
	if beyond(i.rule, f.value) { // also of a rate, which is over the whole length of its stages
		return "it cannot come back"
	}
	c := j.tally(t, i.rule.Tags.Scenario, i.over)
	most := c.final()
	if c.endless {
		return ""
	}
	switch i.rule.Metric {
	case metrics.ArrivalsSucceeded.Name:
		most -= c.lost
	case metrics.Arrivals.Name, metrics.ArrivalsStarted.Name:
	default:
		return ""
	}
	best := float64(most)
	if i.rule.Stat.Name == "rate" {
		best /= lengthOf(i.over)
	}
	if below(i.rule, best) {
		return fmt.Sprintf("%d are planned", c.planned)
	}
	return ""
}

func lengthOf(over []Stage) (seconds float64) {
	for _, s := range over {
		seconds += s.Duration.Seconds()
	}
	return seconds
}

// lostThroughput says whether no stage can reach the target any more. A target that
// was never offered is not exercised, and not lost.
func (j *Judge) lostThroughput(t *metrics.Totals, i item) string {
	if !i.rule.Op.lower() || j.tally(t, "", i.over).endless {
		return ""
	}
	best, offered := 0.0, 0.0
	for _, s := range i.over {
		if s.Duration > 0 {
			c := j.tally(t, i.rule.Tags.Scenario, []Stage{s})
			best = max(best, float64(c.final()-c.lost)/s.Duration.Seconds())
			offered = max(offered, float64(c.planned)/s.Duration.Seconds())
		}
	}
	if i.rule.Op.Holds(offered, i.rule.Value) && !i.rule.Op.Holds(best, i.rule.Value) {
		return "at best " + figure.Value(best, metrics.UnitPerSec)
	}
	return ""
}
