package sla

import (
	"fmt"
	"math"

	"github.com/perfctl/perfctl/internal/metrics"
)

// partialSamples is how many values a percentile, a mean or a ratio needs before
// a run that goes on may be ended by it.
const partialSamples = 100

// Breached returns the first rule that a run which still goes on has breached,
// as text; empty if none. What only grows, as a maximum or a count does, is
// judged from the first value on; percentiles, means and ratios need 100 values.
// Rules that bound a figure from below may still be met and are not judged.
func (j *Judge) Breached(t *metrics.Totals) string {
	for _, r := range j.rules {
		d, recorded := j.units[r.Metric]
		if r.Severity != Fail || !recorded || isDerived(r.Metric) && r.Metric != ErrorRate {
			continue
		}
		stages := j.judgedStages(r.Class)
		if r.Tags.Stage != "" {
			stages = j.stagesNamed(r.Tags.Stage)
		}
		f := j.figure(t, r, j.whole(r, stages))
		if f.n == 0 || math.IsNaN(f.value) {
			continue
		}
		if onlyGrows(d.Kind, r.Stat) {
			// What only dropped arrivals hide is larger still.
			if !r.Op.exceeded(f.value, r.Value) && (!f.atLeast || !r.Op.upper()) {
				continue
			}
		} else if !r.Op.upper() || f.n < partialSamples {
			continue
		}
		if res := j.outcome(r, "", f); res.Status == Failed {
			return fmt.Sprintf("%s is %s, the target is %s", r.Name, res.Actual, res.Target)
		}
	}
	return ""
}

// Pending is the status of a rule whose outcome a run that goes on cannot tell yet;
// only SoFar returns it.
const Pending Status = "pending"

// SoFar judges a run that goes on: each rule once, over all the stages that it is
// for. A target that bounds a figure from below and is not met can still be, and a
// figure of too few values can still change: both are Pending.
func (j *Judge) SoFar(t *metrics.Totals) []Result {
	var out []Result
	for _, r := range j.rules {
		d, recorded := j.units[r.Metric]
		stages := j.judgedStages(r.Class)
		if r.Tags.Stage != "" {
			stages = j.stagesNamed(r.Tags.Stage)
		}
		over := j.whole(r, stages)
		res := j.judge(t, r, r.Tags.Stage, over)
		switch res.Status {
		case NoData:
			res.Status = Pending
		case NotExercised:
			if f := j.figure(t, r, over); f.n > 0 && math.IsNaN(f.value) {
				res.Status = Pending
			}
		case Failed, Warned:
			if !r.Op.upper() || !recorded || !onlyGrows(d.Kind, r.Stat) && j.figure(t, r, over).n < partialSamples {
				res.Status = Pending
			}
		}
		out = append(out, res)
	}
	return out
}

// onlyGrows says whether a figure can only rise while a run goes on. A counter's
// rate does, because it is taken over the whole length of its stages.
func onlyGrows(k metrics.Kind, s Stat) bool {
	switch k {
	case metrics.KindCounter:
		return true
	case metrics.KindTrend:
		return s.Name == "count" || s.Name == "max" || s.Name == "p" && s.Percent == 100
	case metrics.KindGauge:
		return s.Name == "max"
	}
	return false
}
