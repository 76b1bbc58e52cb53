package sla

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Plan is what a run is to exercise.
type Plan struct {
	Stages []Stage
	// Metrics are all metrics that the run can record.
	Metrics []metrics.Desc
	// Scenarios are the names of the run's scenarios, Known those of all.
	Scenarios, Known []string
}

// Stage is a stage as far as rules are concerned.
type Stage struct {
	Name, Class string
	Judged      bool
	Duration    time.Duration
	// Planned is how many arrivals are due in it, MaxRate its highest rate per
	// second.
	Planned int64
	MaxRate float64
}

// achieved is the rule that every run is judged by, whatever its table says.
var achieved = Rule{
	Name: "Achieved ÷ offered load", Metric: AchievedRatio, Stat: Stat{Name: "rate"}, Op: ">=", Value: 0.99, Unit: "%",
	PerStage: true, Severity: Fail,
	Action: "The offered load was not executed: raise -u if the bound was reached, else offer less",
}

// Judge holds the rules that apply to a run.
type Judge struct {
	plan  Plan
	rules []Rule
	units map[string]metrics.Desc
}

// NewJudge checks the table's rules and the user's own thresholds against the
// plan. Rules of a table for scenarios and classes that the plan lacks are left
// out; a threshold that names something that does not exist is an error with
// the nearest name.
func NewJudge(plan Plan, table, thresholds []Rule) (*Judge, error) {
	j := &Judge{plan: plan, units: map[string]metrics.Desc{}}
	for _, d := range append(slices.Clone(plan.Metrics), Derived...) {
		j.units[d.Name] = d
	}
	var errs []error
	for _, r := range append([]Rule{achieved}, table...) {
		if !j.applies(r) {
			continue
		}
		if _, known := j.units[r.Metric]; !known {
			continue // of a scenario that does not run
		}
		errs = append(errs, j.add(r))
	}
	for _, r := range thresholds {
		if err := j.known(r); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, j.add(r))
	}
	return j, errors.Join(errs...)
}

func (j *Judge) applies(r Rule) bool {
	for _, s := range []string{r.Scenario, r.Tags.Scenario} {
		if s != "" && !slices.Contains(j.plan.Scenarios, s) {
			return false
		}
	}
	return r.Class == "" || slices.ContainsFunc(j.plan.Stages, func(s Stage) bool { return s.Judged && s.Class == r.Class })
}

// known says whether what a threshold names exists.
func (j *Judge) known(r Rule) error {
	names := make([]string, 0, len(j.units))
	for n := range j.units {
		names = append(names, n)
	}
	slices.Sort(names)
	if !slices.Contains(names, r.Metric) {
		return fmt.Errorf("threshold %q: no metric %q in this run%s", r.Name, r.Metric, near(r.Metric, names))
	}
	if s := r.Tags.Scenario; s != "" && !slices.Contains(j.plan.Scenarios, s) {
		return fmt.Errorf("threshold %q: no scenario %q in this run%s", r.Name, s, near(s, j.plan.Scenarios))
	}
	stages := make([]string, len(j.plan.Stages))
	for i, s := range j.plan.Stages {
		stages[i] = s.Name
	}
	if s := r.Tags.Stage; s != "" && !slices.Contains(stages, s) {
		return fmt.Errorf("threshold %q: no stage %q in this run%s", r.Name, s, near(s, stages))
	}
	return nil
}

// statsOf are the statistics that each kind of metric has.
var statsOf = map[metrics.Kind][]string{
	metrics.KindTrend:   {"avg", "min", "med", "max", "p", "count"},
	metrics.KindCounter: {"count", "rate"},
	metrics.KindGauge:   {"value", "min", "max", "avg", "med", "p"},
	metrics.KindRate:    {"rate", "value"},
}

// add checks statistic and unit against the metric and brings the target into
// the metric's own unit.
func (j *Judge) add(r Rule) error {
	d := j.units[r.Metric]
	if !slices.Contains(statsOf[d.Kind], r.Stat.Name) {
		return fmt.Errorf("rule %q: %s is a %s and has no %s; it has %v", r.Name, d.Name, d.Kind, r.Stat, statsOf[d.Kind])
	}
	have := figureUnit(d, r.Stat)
	if r.Unit == "" {
		if have == metrics.UnitTime {
			r.Value *= 1e6
		}
		j.rules = append(j.rules, r)
		return nil
	}
	u := units[r.Unit]
	switch {
	case u.of == have, u.of == metrics.UnitPerSec && r.Stat.Name == "rate":
	case u.of == metrics.UnitTime && have == metrics.UnitSeconds:
		r.Value /= 1e9
	case u.of == metrics.UnitRatio && have == metrics.UnitPercent:
		r.Value *= 100
	default:
		return fmt.Errorf("rule %q: %s of %s is in %s, not in %s", r.Name, r.Stat, d.Name, have, r.Unit)
	}
	j.rules = append(j.rules, r)
	return nil
}

// figureUnit is the unit of a statistic of a metric.
func figureUnit(d metrics.Desc, s Stat) metrics.Unit {
	switch {
	case d.Kind == metrics.KindRate:
		return metrics.UnitRatio
	case s.Name == "count":
		return metrics.UnitCount
	case d.Kind == metrics.KindCounter && s.Name == "rate":
		return metrics.UnitPerSec
	}
	return d.Unit
}
