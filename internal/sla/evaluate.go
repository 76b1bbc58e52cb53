package sla

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// Status is what became of a rule.
type Status string

// A rule that the run did not exercise is neither passed nor failed. One that it
// exercised and that has no data is a breach, never a pass.
const (
	Passed       Status = "pass"
	Failed       Status = "fail"
	Warned       Status = "warn"
	NotExercised Status = "not_exercised"
	NoData       Status = "no_data"
)

// Result is one rule's outcome, as summary.json holds it.
type Result struct {
	Rule string `json:"rule"`
	// Metric is the metric's name, with the tags that the rule picks.
	Metric string `json:"metric"`
	// Stage is the stage that was judged, empty for all judged ones together.
	Stage  string `json:"stage"`
	Target string `json:"target"`
	Actual string `json:"actual"`
	// Threshold is the rule in the threshold grammar.
	Threshold string `json:"threshold"`
	// Class is the class of stages that the rule is for, empty for all.
	Class string `json:"class,omitempty"`
	// ActualValue is the figure in the metric's unit, a time in milliseconds;
	// nil where there is none.
	ActualValue *float64 `json:"actual_value"`
	Status      Status   `json:"status"`
	Severity    Severity `json:"severity"`
	Action      string   `json:"action"`
}

// Breaches says whether the result breaches the SLA.
func (r Result) Breaches() bool {
	return r.Severity == Fail && (r.Status == Failed || r.Status == NoData)
}

// Evaluate judges a run's totals by every rule: for the judged stages together,
// and for rules that ask for it for each of them. Stages that are not judged
// count only where a rule names them, and for the value of a gauge, which is its
// last reading in the run.
func (j *Judge) Evaluate(t *metrics.Totals) []Result {
	var out []Result
	for _, r := range j.rules {
		if r.Tags.Stage != "" {
			out = append(out, j.judge(t, r, r.Tags.Stage, j.stagesNamed(r.Tags.Stage)))
			continue
		}
		judged := j.judgedStages(r.Class)
		if r.PerStage {
			for _, s := range judged {
				out = append(out, j.judge(t, r, s.Name, []Stage{s}))
			}
		}
		if !r.PerStage || len(judged) > 1 {
			out = append(out, j.judge(t, r, "", j.whole(r, judged)))
		}
	}
	return out
}

func (j *Judge) judgedStages(class string) []Stage {
	var out []Stage
	for _, s := range j.plan.Stages {
		if s.Judged && (class == "" || s.Class == class) && (s.Planned > 0 || s.Duration > 0) {
			out = append(out, s)
		}
	}
	return out
}

// whole returns the stages of a result over the run.
func (j *Judge) whole(r Rule, judged []Stage) []Stage {
	if r.Stat.Name == "value" && r.Class == "" && j.units[r.Metric].Kind == metrics.KindGauge && !isDerived(r.Metric) {
		return j.plan.Stages
	}
	return judged
}

// stagesNamed returns the one stage of that name.
func (j *Judge) stagesNamed(name string) []Stage {
	return slices.DeleteFunc(slices.Clone(j.plan.Stages), func(s Stage) bool { return s.Name != name })
}

func (j *Judge) judge(t *metrics.Totals, r Rule, stage string, over []Stage) Result {
	if r.Metric == Throughput {
		return j.throughput(t, r, stage, over)
	}
	return j.outcome(r, stage, j.figure(t, r, over))
}

// outcome compares a figure with the rule's target.
func (j *Judge) outcome(r Rule, stage string, f measured) Result {
	unit := j.unitOf(r)
	res := Result{
		Rule: r.Name, Metric: r.series(), Stage: stage, Severity: r.Severity, Action: r.Action, Threshold: r.Text, Class: r.Class,
		Target: fmt.Sprintf("%s %s %s", strings.ToUpper(r.Stat.short()), r.Op, figure.Value(r.Value, unit)),
	}
	switch {
	case f.planned == 0 && f.n == 0 && f.expected:
		res.Status, res.Actual = NotExercised, "no arrivals planned"
	case f.n == 0 && !f.expected:
		res.Status, res.Actual = NotExercised, "not measured"
	case f.n == 0:
		res.Status, res.Actual = NoData, "no data"
	case math.IsNaN(f.value):
		res.Status, res.Actual = NotExercised, fmt.Sprintf("insufficient samples (%d)", f.n)
	case f.allLost:
		res.Status, res.Actual = missed(r.Severity), fmt.Sprintf("none of %d succeeded", f.n)
	default:
		v := f.value
		if res.Actual = figure.Beside(v, r.Value, unit); unit == metrics.UnitTime {
			v /= 1e6
		}
		res.ActualValue = &v
		holds := r.Op.holds
		if f.atLeast {
			res.Actual = "≥ " + res.Actual
			holds = r.Op.holdsAbove
		}
		if res.Status = missed(r.Severity); holds(f.value, r.Value) {
			res.Status = Passed
		}
	}
	return res
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

// throughput judges the best stage: the highest of arrivals succeeded ÷ length.
// A target that even the mean rate offered in the busiest stage cannot meet is
// not exercised. A stage without length, a burst, has no rate.
func (j *Judge) throughput(t *metrics.Totals, r Rule, stage string, over []Stage) Result {
	best, offered := 0.0, 0.0
	for _, s := range over {
		if s.Duration <= 0 {
			continue
		}
		count := func(d metrics.Desc) int64 {
			n, _ := t.Counter(metrics.Selector{Name: d.Name, Tags: metrics.Tags{Scenario: r.Tags.Scenario, Stage: s.Name}})
			return n
		}
		best = max(best, float64(count(metrics.ArrivalsSucceeded))/s.Duration.Seconds())
		due := s.Planned
		if r.Tags.Scenario != "" {
			due = count(metrics.Arrivals) // a scenario's part of the plan is known from what came due
		}
		offered = max(offered, float64(due)/s.Duration.Seconds())
	}
	res := j.outcome(r, stage, measured{n: 1, value: best, planned: 1, expected: true})
	if !r.Op.upper() && !r.Op.holds(offered, r.Value) {
		res.Status, res.ActualValue = NotExercised, nil
		res.Actual = fmt.Sprintf("offered at most %s", figure.Value(offered, metrics.UnitPerSec))
	}
	return res
}

// series is the metric with the rule's tags, the stage apart.
func (r Rule) series() string {
	t := r.Tags
	t.Stage = ""
	return metrics.Series{Desc: metrics.Desc{Name: r.Metric}, Tags: t}.Key()
}

// short names a statistic as people write it: P95.
func (s Stat) short() string {
	if s.Name == "p" {
		return "p" + strings.TrimSuffix(strings.TrimPrefix(s.String(), "p("), ")")
	}
	return s.Name
}
