package sla

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// The answers that rules may name like metrics. They are not counted but found
// by an analysis of the run, or by a search, and handed to Judge.Answer.
const (
	// RecoveryTime is from the end of a spike until the system is again what it
	// was before; a stage picks one spike of several, else the slowest counts.
	RecoveryTime = "recovery_time"
	// Capacity is the highest rate of arrivals that holds the SLA, found by
	// perfctl capacity.
	Capacity = "capacity"
	// Drift is the number of series of a group that drift for the worse:
	// drift(memory). The group may also be the name of a metric.
	Drift = "drift"
	// Lost and Duplicated are what the scenarios' own accounts miss, and have twice.
	// They, RecoveryTime and ErrorRate may be those of one fault.
	Lost       = "lost"
	Duplicated = "duplicated"
)

// ofFaults are the answers about a fault.
var ofFaults = []string{RecoveryTime, ErrorRate, Lost, Duplicated}

// DriftGroups are the groups of series that a rule may name: drift(memory).
var DriftGroups = []string{"latency", "memory", "connections", "queue", "pool_wait", "hit_ratio"}

// answerUnit is what the answers are in.
var answerUnit = map[string]metrics.Unit{RecoveryTime: metrics.UnitTime, Capacity: metrics.UnitPerSec, Lost: metrics.UnitCount, Duplicated: metrics.UnitCount}

// unitOf is the unit of an answer of a rule.
func (r Rule) unitOf() metrics.Unit {
	if r.Metric == ErrorRate {
		return metrics.UnitRatio
	}
	return answerUnit[r.Metric]
}

// Answer is a figure, or why there is none.
type Answer struct {
	// Metric is recovery_time, capacity, drift(group), or one about a fault; Stage is
	// the spike's, Fault the name of the fault.
	Metric, Stage, Fault string
	// Value is in nanoseconds for a time, arrivals per second for a capacity, a
	// number of series for a drift. AtLeast says that the true one is no smaller.
	Value   float64
	AtLeast bool
	// Text is how the figure is shown, where not as a value with its unit.
	Text string
	// Because says why there is no figure; empty where there is one. Without
	// Exercised the run did not ask the question.
	Because   string
	Exercised bool
}

// DriftOf is the metric of a drift: drift(memory).
func DriftOf(group string) string { return Drift + "(" + group + ")" }

// IsDrift says whether a metric is a drift, of whatever.
func IsDrift(metric string) bool { return strings.HasPrefix(metric, Drift+"(") }

func isAnswer(metric string) bool { return answerUnit[metric] != "" || IsDrift(metric) }

// isAnswered says whether a rule is about what an analysis answers.
func (r Rule) isAnswered() bool { return r.Fault != "" || isAnswer(r.Metric) }

// addAnswer checks a rule about an answer and adds it.
func (j *Judge) addAnswer(r Rule) error {
	t := r.Tags
	t.Stage = ""
	if r.Fault != "" {
		if err := j.checkFault(r); err != nil {
			return err
		}
	}
	switch {
	case t != (metrics.Tags{}), r.Tags.Stage != "" && r.Metric != RecoveryTime:
		return fmt.Errorf("%s has no such tag", r.Metric)
	case IsDrift(r.Metric):
		group := strings.TrimSuffix(strings.TrimPrefix(r.Metric, Drift+"("), ")")
		if _, known := j.units[group]; !known && !slices.Contains(DriftGroups, group) {
			return fmt.Errorf("no series is named %q%s", group, near(group, DriftGroups))
		}
	case r.Unit == "" && r.Metric == RecoveryTime:
		r.Value *= 1e6
	case r.Unit != "" && writtenIn(r.Unit) != r.unitOf():
		return fmt.Errorf("%s is in %s, not in %s", r.Metric, r.unitOf(), r.Unit)
	}
	stages := j.stagesNamed(r.Tags.Stage)
	if r.Tags.Stage != "" && len(stages) == 0 {
		if r.Required {
			return j.known(Rule{Metric: Throughput, Tags: r.Tags}) // which says what stages there are
		}
		return nil
	}
	j.answers = append(j.answers, r)
	return nil
}

// Answer judges the rules about answers. One that was asked for and has no
// figure has no data, which is a breach; one that the run does not ask for, such
// as a recovery where the profile has no spike, is not exercised.
func (j *Judge) Answer(answers []Answer) []Result {
	out := []Result{}
	for _, r := range j.answers {
		target := inUnit(r.Value, r.unitOf())
		res := Result{Rule: r.Name, Metric: r.Metric, Stage: r.Tags.Stage, Severity: r.Severity, Action: r.Action,
			Threshold: r.Text, Target: fmt.Sprintf("%s %s", r.Op, figure.Value(r.Value, r.unitOf())), TargetValue: &target,
			Aggregation: r.Stat.String(), Strict: r.Own, Allowed: r.Own && j.plan.Options.AllowUndecided,
			Status: NotExercised, Actual: idle(r)}
		if IsDrift(r.Metric) {
			res.Target = none
		}
		res.Bound = res.Target
		if a, ok := worst(answers, r); ok {
			res.answer(r, a)
		}
		if res = asked(r, res); j.incomplete && res.Status == Passed {
			res.Status = Undecided
		}
		out = append(out, res)
	}
	return out
}

// idle says why a run has no answer.
func idle(r Rule) string {
	if r.Fault != "" {
		return "the run ended before the fault"
	}
	switch r.Metric {
	case Lost, Duplicated:
		return "no scenario of the run keeps an account"
	case RecoveryTime:
		return "the profile has no spike"
	case Capacity:
		return "perfctl capacity finds it"
	}
	return "no load is steady for long enough"
}

// worst returns the answer that the rule is judged by: one that is not known
// over one that is, the larger over the smaller.
func worst(answers []Answer, r Rule) (out Answer, ok bool) {
	for _, a := range answers {
		if a.Metric != r.Metric || a.Fault != r.Fault || r.Tags.Stage != "" && a.Stage != r.Tags.Stage {
			continue
		}
		switch {
		case !ok, out.Because == "" && a.Because != "",
			out.Because == "" && (a.Value > out.Value || a.Value == out.Value && a.AtLeast):
			out, ok = a, true
		}
	}
	return out, ok
}

// answer compares the answer with the rule's target.
func (res *Result) answer(r Rule, a Answer) {
	if a.Because != "" {
		res.Actual = a.Because
		if a.Exercised {
			res.Status = NoData
		}
		return
	}
	v := a.Value
	if r.unitOf() == metrics.UnitTime {
		v /= 1e6
	}
	res.ActualValue = &v
	holds := r.Op.Holds
	res.Actual = figure.Beside(a.Value, r.Value, r.unitOf())
	if a.AtLeast {
		res.Actual, holds = "≥ "+res.Actual, r.Op.holdsAbove
	}
	if a.Text != "" {
		res.Actual = a.Text
	}
	if res.Status = missed(r.Severity); holds(a.Value, r.Value) {
		res.Status = Passed
	}
}

// checkFault checks a rule about a fault against those of the plan.
func (j *Judge) checkFault(r Rule) error {
	switch {
	case r.Tags != (metrics.Tags{}):
		return fmt.Errorf("a rule about a fault has no other tag")
	case slices.Contains(j.plan.Faults, r.Fault):
		return nil
	case len(j.plan.Faults) == 0:
		return fmt.Errorf("the run has no fault %q: it breaks nothing", r.Fault)
	}
	return fmt.Errorf("the run has no fault %q%s", r.Fault, near(r.Fault, j.plan.Faults))
}

// ofFault refuses a rule about something that is not known of one fault alone.
func (r Rule) ofFault() error {
	if r.Fault == "" || slices.Contains(ofFaults, r.Metric) {
		return nil
	}
	return fmt.Errorf("%s is not known of one fault alone: there are %s", r.Metric, strings.Join(ofFaults, ", "))
}
