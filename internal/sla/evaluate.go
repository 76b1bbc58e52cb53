package sla

import (
	"fmt"
	"math"
	"slices"
	"strings"

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
// count only where a rule names them.
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
			out = append(out, j.judge(t, r, "", judged))
		}
	}
	return out
}

// partialSamples is how many values a rule needs before a run that goes on may
// be ended by it.
const partialSamples = 100

// Breached returns the first rule that a run which still goes on has breached
// for certain, as text; empty if none. Rules that bound a figure from below
// may still be met and are not judged.
func (j *Judge) Breached(t *metrics.Totals) string {
	for _, r := range j.rules {
		if r.Severity != Fail || !r.Op.upper() || r.Metric == AchievedRatio {
			continue
		}
		stages := j.judgedStages(r.Class)
		if r.Tags.Stage != "" {
			stages = j.stagesNamed(r.Tags.Stage)
		}
		f := j.figure(t, r, stages)
		if f.n < partialSamples || math.IsNaN(f.value) {
			continue
		}
		if res := j.outcome(r, "", f); res.Status == Failed {
			return fmt.Sprintf("%s is %s, the target is %s", r.Name, res.Actual, res.Target)
		}
	}
	return ""
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

func (j *Judge) stagesNamed(name string) []Stage {
	i := slices.IndexFunc(j.plan.Stages, func(s Stage) bool { return s.Name == name })
	return j.plan.Stages[i : i+1]
}

func (j *Judge) judge(t *metrics.Totals, r Rule, stage string, over []Stage) Result {
	if r.Metric == Throughput {
		return j.throughput(t, r, over)
	}
	return j.outcome(r, stage, j.figure(t, r, over))
}

// outcome compares a figure with the rule's target.
func (j *Judge) outcome(r Rule, stage string, f figure) Result {
	unit := figureUnit(j.units[r.Metric], r.Stat)
	res := Result{
		Rule: r.Name, Metric: r.series(), Stage: stage, Severity: r.Severity, Action: r.Action,
		Target: fmt.Sprintf("%s %s %s", strings.ToUpper(r.Stat.short()), r.Op, FormatValue(r.Value, unit)),
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
	default:
		v := f.value
		if res.Actual = FormatValue(v, unit); unit == metrics.UnitTime {
			v /= 1e6
		}
		res.ActualValue = &v
		if f.atLeast {
			res.Actual = "≥ " + res.Actual
		}
		// What is only known to be larger than every recorded value keeps no
		// upper bound.
		if r.Op.holds(f.value, r.Value) && (!f.atLeast || !r.Op.upper()) {
			res.Status = Passed
		} else {
			res.Status = missed(r.Severity)
		}
	}
	return res
}

func missed(s Severity) Status {
	if s == Warn {
		return Warned
	}
	return Failed
}

// throughput judges the best stage. A target that the profile does not offer is
// not exercised.
func (j *Judge) throughput(t *metrics.Totals, r Rule, over []Stage) Result {
	best, offered := 0.0, 0.0
	for _, s := range over {
		if s.Duration <= 0 {
			continue
		}
		n, _ := t.Counter(metrics.Selector{Name: metrics.ArrivalsSucceeded.Name, Tags: metrics.Tags{Stage: s.Name}})
		best = max(best, float64(n)/s.Duration.Seconds())
		offered = max(offered, float64(s.Planned)/s.Duration.Seconds())
	}
	f := figure{n: 1, value: best, planned: 1, expected: true}
	if offered <= r.Value {
		res := j.outcome(r, "", f)
		res.Status = NotExercised
		res.Actual = fmt.Sprintf("offered at most %s", FormatValue(offered, metrics.UnitPerSec))
		return res
	}
	return j.outcome(r, "", f)
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
