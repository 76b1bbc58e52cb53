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
// exercised and that has no data is a breach, never a pass. One that is undecided
// has too few values to tell, or its target lies within what they leave open.
const (
	Passed       Status = "pass"
	Failed       Status = "fail"
	Warned       Status = "warn"
	Undecided    Status = "undecided"
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
	// Bound is the target without the statistic's name, as in < 500 ms.
	Bound string `json:"bound,omitempty"`
	// Threshold is the rule in the threshold grammar, Aggregation its statistic.
	Threshold   string `json:"threshold"`
	Aggregation string `json:"aggregation,omitempty"`
	// Class is the class of stages that the rule is for, empty for all.
	Class string `json:"class,omitempty"`
	// ActualValue is the figure in the metric's unit, a time in milliseconds;
	// nil where there is none. TargetValue is the target in the same unit.
	ActualValue *float64 `json:"actual_value"`
	TargetValue *float64 `json:"target_value,omitempty"`
	// Low and High are the confidence limits of a quantile, in the same unit; nil
	// where the values bound it on that side by nothing.
	Low  *float64 `json:"actual_low,omitempty"`
	High *float64 `json:"actual_high,omitempty"`
	// Near says that the target lies between the limits: the figure decided, and
	// in another run it could decide otherwise.
	Near bool `json:"near,omitempty"`
	// Samples is how many values the figure is made of, and Needed how many it
	// takes for it to be decided, where it is not.
	Samples  int64    `json:"samples,omitempty"`
	Needed   int64    `json:"needed,omitempty"`
	Status   Status   `json:"status"`
	Severity Severity `json:"severity"`
	Action   string   `json:"action"`
	// Strict says that the rule breaches where it is undecided: the user gave it,
	// or asked for a confidence that the figure does not reach. Allowed says that
	// it may stay undecided, or without data.
	Strict  bool `json:"strict,omitempty"`
	Allowed bool `json:"allowed,omitempty"`
}

// Breaches says whether the result breaches the SLA.
func (r Result) Breaches() bool {
	if r.Severity != Fail {
		return false
	}
	switch r.Status {
	case Failed:
		return true
	case NoData:
		return !r.Allowed
	case Undecided:
		return r.Strict && !r.Allowed
	}
	return false
}

// Evaluate judges a run's totals by every rule: for the judged stages together,
// and for rules that ask for it for each of them. Stages that are not judged
// count only where a rule names them, and for the value of a gauge, which is its
// last reading in the run. Rules with a window are judged by the seconds that
// Second was given.
func (j *Judge) Evaluate(t *metrics.Totals) []Result {
	if j.incomplete {
		return j.partial(t)
	}
	var out []Result
	for _, i := range j.items() {
		out = append(out, j.judge(t, i.rule, i.stage, i.over))
	}
	for _, w := range j.windows {
		out = append(out, w.result())
	}
	return out
}

// item is one result to come: a rule, the stage that it is judged in, empty for all
// together, and the stages whose values count.
type item struct {
	rule  Rule
	stage string
	over  []Stage
}

// items returns what the rules are judged by, in the order of the rules.
func (j *Judge) items() (out []item) {
	for _, r := range j.rules {
		if r.Tags.Stage != "" {
			out = append(out, item{r, r.Tags.Stage, j.stagesNamed(r.Tags.Stage)})
			continue
		}
		judged := j.judgedStages(r.Class)
		if r.PerStage {
			for _, s := range judged {
				out = append(out, item{r.in(s), s.Name, []Stage{s}})
			}
		}
		if !r.PerStage || len(judged) > 1 {
			out = append(out, j.over(r, judged))
		}
	}
	return out
}

// over returns the rule over all its stages together. The rule that every run is
// judged by leaves stages of class spike to themselves, of which it asks less.
func (j *Judge) over(r Rule, judged []Stage) item {
	if r.everyRun() {
		calm := slices.DeleteFunc(slices.Clone(judged), func(s Stage) bool { return s.Class == spikeClass })
		if len(calm) == 0 {
			r = r.in(judged[0])
		} else {
			judged = calm
		}
	}
	return item{r, "", j.whole(r, judged)}
}

// in returns the rule as it is judged in one stage.
func (r Rule) in(s Stage) Rule {
	if r.everyRun() && s.Class == spikeClass {
		r.Value, r.Text = spikeValue, "achieved_ratio: rate >= 95%"
	}
	return r
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
	var res Result
	if r.Metric == Throughput {
		res = j.throughput(t, r, stage, over)
	} else {
		res = j.outcome(r, stage, j.figure(t, r, over))
	}
	return asked(r, res)
}

// asked leaves a rule of the command line that the run did not exercise undecided:
// who asks for a rule wants it judged. Failures that did not occur have kept theirs.
func asked(r Rule, res Result) Result {
	if r.Required && res.Status == NotExercised && r.Tags.Outcome == "" && r.Metric != metrics.FailureTime.Name {
		res.Status = Undecided
	}
	return res
}

// outcome compares a figure with the rule's target.
func (j *Judge) outcome(r Rule, stage string, f measured) Result {
	res := j.result(r, stage)
	res.Samples = f.n
	switch {
	case f.planned == 0 && f.n == 0 && f.expected:
		res.Status, res.Actual = NotExercised, "nothing came due"
	case f.n == 0 && !f.expected:
		res.Status, res.Actual = NotExercised, "not measured"
	case f.n == 0:
		res.Status, res.Actual = NoData, "no data"
	case f.allLost:
		res.Status, res.Actual = missed(r.Severity), fmt.Sprintf("none of %d succeeded", f.n)
	default:
		j.compare(&res, r, f)
	}
	return res
}

// result is a rule's outcome without a figure.
func (j *Judge) result(r Rule, stage string) Result {
	unit := j.unitOf(r)
	target := inUnit(r.Value, unit)
	bound := fmt.Sprintf("%s %s", r.Op, figure.Value(r.Value, unit))
	return Result{
		Rule: r.Name, Metric: r.series(), Stage: stage, Severity: r.Severity, Action: r.Action, Threshold: r.Text, Class: r.Class,
		Target: strings.ToUpper(r.Stat.short()) + " " + bound, Bound: bound, TargetValue: &target,
		Aggregation: r.Stat.String(), Strict: r.Own, Allowed: r.Own && j.plan.Options.AllowUndecided,
	}
}

// inUnit is a figure in the unit of reports: a time in milliseconds.
func inUnit(v float64, unit metrics.Unit) float64 {
	if unit == metrics.UnitTime {
		return v / 1e6
	}
	return v
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
		if r.Tags.Scenario != "" || s.OpenEnded {
			due = count(metrics.Arrivals) // a scenario's part of the plan is known from what came due
		}
		if offered = max(offered, float64(due)/s.Duration.Seconds()); s.OpenEnded && r.Required {
			// Users come again as soon as they are served: whoever asks a number of them
			// for a throughput is told. A table's does not know how many there are.
			offered = math.Inf(1)
		}
	}
	res := j.outcome(r, stage, measured{n: 1, value: best, planned: 1, expected: true})
	if !r.Op.upper() && !r.Op.Holds(offered, r.Value) {
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
