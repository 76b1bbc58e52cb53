package sla

import (
	"fmt"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// compare decides by a figure.
func (j *Judge) compare(res *Result, r Rule, f measured) {
	unit := j.unitOf(r)
	v := inUnit(f.value, unit)
	res.Actual, res.ActualValue = figure.Beside(f.value, r.Value, unit), &v
	if f.atLeast {
		res.Actual = "≥ " + res.Actual
	}
	if f.beside != "" {
		res.Actual += ", " + f.beside
	}
	res.Status = f.point(r)
	asked := j.plan.Options.Confidence
	if f.hits >= 0 && asked > 0 {
		if res.Status = decideShare(f.hits, f.n, r, asked); res.Status == Undecided {
			res.Strict, res.Allowed = true, j.plan.Options.AllowUndecided
		}
	}
	if l := f.limits; l != nil {
		j.byLimits(res, r, f)
	}
}

// point decides by the figure alone.
func (f *measured) point(r Rule) Status {
	holds := r.Op.Holds
	if f.atLeast {
		holds = r.Op.holdsAbove
	}
	if holds(f.value, r.Value) {
		return Passed
	}
	return missed(r.Severity)
}

// byLimits decides by the limits of a quantile where the values are few or a
// confidence was asked for, and else says where the target lies between them.
func (j *Judge) byLimits(res *Result, r Rule, f measured) {
	unit, l := j.unitOf(r), f.limits
	if l.hasLow {
		v := inUnit(l.low, unit)
		res.Low = &v
	}
	if l.hasHigh && !l.highAtLeast {
		v := inUnit(l.high, unit)
		res.High = &v
	}
	known := l.decide(r)
	switch few := l.few(f.n); {
	case few:
		res.Status = known
		if known == Undecided {
			res.Needed, res.ActualValue = l.need, nil
			res.Actual = fmt.Sprintf("%d of %d samples", f.n, l.need)
		}
	case known != Undecided:
		// Figure and limits agree.
	case j.plan.Options.Confidence > 0:
		res.Status, res.Near = Undecided, true
		res.Strict, res.Allowed = true, j.plan.Options.AllowUndecided
		res.Actual += " " + l.text(res.Actual, unit)
	case r.Op.upper() || r.Op.lower():
		if res.Near = true; !f.atLeast {
			res.Actual += " " + l.text(res.Actual, unit)
		}
	}
}

// unitOf is the unit of the rule's figure. Where the run does not record the
// metric it is that in which the target was written.
func (j *Judge) unitOf(r Rule) metrics.Unit {
	if d, recorded := j.units[r.Metric]; recorded {
		return figureUnit(d, r.Stat)
	}
	return writtenIn(r.Unit)
}

// writtenIn is the unit that a target of that unit is kept in; empty for none.
func writtenIn(name string) metrics.Unit {
	u, _ := figure.UnitNamed(name)
	return u.Of
}

func missed(s Severity) Status {
	if s == Warn {
		return Warned
	}
	return Failed
}
