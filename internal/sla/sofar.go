package sla

import (
	"github.com/perfctl/perfctl/internal/metrics"
)

// partialSamples is how many values a mean or a ratio needs before a run that goes
// on is shown as missing it.
const partialSamples = 100

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
		i := j.over(r, j.judgedStages(r.Class))
		if r.Tags.Stage != "" {
			i = item{r, r.Tags.Stage, j.stagesNamed(r.Tags.Stage)}
		}
		res := j.judge(t, i.rule, r.Tags.Stage, i.over)
		switch res.Status {
		case NoData, Undecided:
			res.Status = Pending
		case Failed, Warned:
			if !r.Op.upper() || !recorded || !onlyGrows(d.Kind, r.Stat) && res.Samples < partialSamples {
				res.Status = Pending
			}
		}
		out = append(out, res)
	}
	for _, w := range j.windows {
		res := w.result()
		if res.Status == NoData || res.Status == Undecided {
			res.Status = Pending
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
