package sla

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// Plan is what a run is to exercise.
type Plan struct {
	Stages []Stage
	// Metrics are all metrics that the run can record.
	Metrics []metrics.Desc
	// Scenarios are the names of the run's scenarios, Known those of all; without
	// Known, the scenarios that rules name are not checked.
	Scenarios, Known []string
	// Anywhere are the names of every metric that any run can have. A rule of a table
	// about none of them, and near to one, is a typing error; others may be about
	// metrics of programs that this run does not read. Without Anywhere, the metrics
	// that rules of a table name are not checked: a recorded run is judged by a table
	// that was checked when it was planned.
	Anywhere []string
	// Series are the series that the run can record, by which operations and
	// outcomes of thresholds are checked; those of a metric that has none here
	// are not.
	Series []metrics.Series
	// Faults are the names of what is broken on purpose.
	Faults []string
	// Own says that the table is the user's, not the built-in one.
	Own     bool
	Options Options
}

// Options are how a run is judged.
type Options struct {
	// Confidence, above 0, has a rule pass or fail only where that is known at this
	// confidence, as 0.95; else the figure itself decides.
	Confidence float64 `json:"confidence,omitempty"`
	// AllowUndecided lets rules that the user gave stay undecided, or without data.
	AllowUndecided bool `json:"allow_undecided,omitempty"`
	// AbortAfter is how long a run is ended by no rule.
	AbortAfter time.Duration `json:"abort_after,omitempty"`
	// Part says that only a part of the run is seen: Breached is then what that part
	// misses of the whole's rules by itself, whatever the others do.
	Part bool `json:"-"`
}

// Stage is a stage as far as rules are concerned.
type Stage struct {
	Name, Class string
	Judged      bool
	Duration    time.Duration
	// Planned is how many arrivals are due in it, PlannedOf how many of each
	// scenario, where that is known.
	Planned   int64
	PlannedOf map[string]int64
	// OpenEnded says that how many arrivals come due is not planned: it depends on
	// how quick the users of the stage are served.
	OpenEnded bool
}

// achieved is the rule that every run is judged by, whatever its table says.
var achieved = Rule{
	Name: "Achieved ÷ offered load", Text: "achieved_ratio: rate >= 99%", Metric: AchievedRatio, Stat: Stat{Name: "rate"}, Op: ">=", Value: 0.99, Unit: "%",
	PerStage: true, Severity: Fail,
	Action: "The offered load was not done: read the failures; raise -u if arrivals were held back, else offer less",
}

// everyRun says whether the rule is that one.
func (r Rule) everyRun() bool { return r.Metric == AchievedRatio && r.Name == achieved.Name }

// spikeValue is what the achieved load of a stage of class spike is judged by: the
// guide lets 5 % of its arrivals fail.
const (
	spikeValue = 0.95
	spikeClass = "spike"
)

// Judge holds the rules that apply to a run.
type Judge struct {
	plan  Plan
	rules []Rule
	// answers are the rules about what an analysis answers, windows those that are
	// judged on every stretch of some length.
	answers []Rule
	windows []*window
	// incomplete says that something of the run is missing.
	incomplete bool
	units      map[string]metrics.Desc
}

// NewJudge checks the table's rules and the user's own thresholds against the
// plan. Rules of a table for scenarios and classes that the plan lacks are left
// out, as are those for its stages; those for a metric of no scenario that the run does not record, such
// as one of a process that nobody watches, come out as not exercised. A name
// that does not exist is an error with the nearest one. All errors are returned
// at once.
func NewJudge(plan Plan, table, thresholds []Rule) (*Judge, error) {
	j := &Judge{plan: plan, units: map[string]metrics.Desc{}}
	for _, d := range append(slices.Clone(plan.Metrics), Derived...) {
		j.units[d.Name] = d
	}
	var errs []error
	add := func(r Rule, check func(Rule) error) {
		var err error
		if r, err = j.fromK6(r); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.place(), err))
			return
		}
		if r.isAnswered() {
			err = j.addAnswer(r)
		} else if err = check(r); err == nil {
			err = j.add(r)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.place(), err))
		}
	}
	add(achieved, j.knownToTable)
	for _, r := range table {
		r.Own = plan.Own
		add(r, j.knownToTable)
	}
	for _, r := range thresholds {
		r.Required, r.Own = true, true
		add(r, j.known)
	}
	return j, errors.Join(errs...)
}

// add checks statistic, tags and unit against the metric, brings the target into
// the metric's own unit, and adds the rule if it applies to the run.
func (j *Judge) add(r Rule) error {
	if !j.applies(r) {
		return nil
	}
	d, recorded := j.units[r.Metric]
	if !recorded {
		j.take(r)
		return nil
	}
	stat := r.Stat.Name
	if stat == "p" {
		stat = "p(N)"
	}
	if !slices.Contains(statsOf[d.Kind], stat) {
		return fmt.Errorf("%s is a %s and has no %s; it has %s", d.Name, d.Kind, r.Stat, strings.Join(statsOf[d.Kind], " "))
	}
	if err := derivedTags(r); err != nil {
		return err
	}
	if r.Window > 0 && r.Metric == Throughput {
		return fmt.Errorf("%s is that of a stage and has no window; arrivals_succeeded: rate %s %s over %s judges every stretch", r.Metric, r.Op, figure.Value(r.Value, metrics.UnitPerSec), r.Window)
	}
	have := figureUnit(d, r.Stat)
	if r.Unit == "" {
		if have == metrics.UnitTime {
			r.Value *= 1e6
		}
		j.take(r)
		return nil
	}
	u, _ := figure.UnitNamed(r.Unit)
	switch {
	case u.Of == have:
	case u.Of == metrics.UnitTime && have == metrics.UnitSeconds:
		r.Value /= 1e9
	case u.Of == metrics.UnitRatio && have == metrics.UnitPercent:
		r.Value *= 100
	default:
		return fmt.Errorf("%s of %s is in %s, not in %s", r.Stat, d.Name, have, r.Unit)
	}
	j.take(r)
	return nil
}

// take adds a rule that was checked.
func (j *Judge) take(r Rule) {
	if r.Window == 0 {
		j.rules = append(j.rules, r)
		return
	}
	j.windows = append(j.windows, newWindow(j, r))
}

// derivedTags refuses tags by which a derived metric is not counted.
func derivedTags(r Rule) error {
	outcome := r.Tags.Outcome != "" && r.Metric != ErrorRate
	if isDerived(r.Metric) && (r.Tags.Operation != "" || outcome) {
		return fmt.Errorf("%s is counted by scenario and stage, not by operation or outcome", r.Metric)
	}
	return nil
}

func isDerived(name string) bool {
	return slices.ContainsFunc(Derived, func(d metrics.Desc) bool { return d.Name == name })
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
