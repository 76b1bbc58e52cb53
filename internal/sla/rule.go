// Package sla holds rules about metrics: how they are written, which of them a
// run exercises, and whether its figures keep them. It records nothing and
// knows neither profiles nor reports.
package sla

import (
	"strconv"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// Severity is what a missed rule means.
type Severity string

// A missed Fail rule breaches the SLA, a missed Warn rule is only told.
const (
	Fail Severity = "fail"
	Warn Severity = "warn"
)

// OwnValue is the statistic of a metric that is a single figure by itself.
const OwnValue = "value"

// Stat is which figure of a metric is judged.
type Stat struct {
	// Name is one of avg, min, med, max, p, count, rate, value.
	Name string
	// Percent is the percentile of p, above 0 and up to 100.
	Percent float64
}

// String returns the statistic as the grammar writes it.
func (s Stat) String() string {
	if s.Name == "p" {
		return "p(" + strconv.FormatFloat(s.Percent, 'f', -1, 64) + ")"
	}
	return s.Name
}

// Op compares a figure with a target.
type Op string

// Holds says whether the comparison is true.
func (o Op) Holds(v, target float64) bool {
	switch o {
	case "<":
		return v < target
	case "<=":
		return v <= target
	case ">":
		return v > target
	case ">=":
		return v >= target
	case "!=":
		return v != target
	}
	return v == target
}

// holdsAbove says whether the comparison is true of a figure that is only known
// to be larger than v: for certain, not perhaps.
func (o Op) holdsAbove(v, target float64) bool {
	switch o {
	case ">", ">=", "!=":
		return v >= target
	}
	return false
}

// upper says whether the rule bounds the figure from above, lower whether it does
// from below.
func (o Op) upper() bool { return o == "<" || o == "<=" }

func (o Op) lower() bool { return o == ">" || o == ">=" }

// Rule is one target for one metric.
type Rule struct {
	// Name is what people call it; for a threshold it is its text.
	Name string
	// Text is the rule in the threshold grammar.
	Text string
	// Condition is the text behind the metric, as in p(95)<500ms; ParseThreshold sets it.
	Condition string
	// Metric and Tags pick the series; a stage among the tags picks exactly
	// that stage, judged or not.
	Metric string
	Tags   metrics.Tags
	// Fault picks one fault of the run, for what its analysis answers.
	Fault string
	Stat  Stat
	Op    Op
	// Value is the target: nanoseconds for a time, bytes, a ratio, or a plain
	// number.
	Value float64
	// Unit is the unit that the target was written in, to check it against the
	// metric's; empty if it had none.
	Unit string
	// Class restricts the rule to judged stages of that class; empty means all.
	Class string
	// PerStage judges each judged stage, besides the run as a whole.
	PerStage bool
	// Scenario is the scenario without which the rule does not apply.
	Scenario string
	Severity Severity
	// Action is what the SLA table advises where the rule is missed.
	Action string
	// Window, above 0, has the rule judged on every stretch of that length in the
	// judged stages, in place of all of them together.
	Window time.Duration
	// After is how long into the run the rule ends no run, and none of its windows
	// begins.
	After time.Duration
	// AtOnce lets the rule end a run by what it is so far, as abortOnFail of k6 does,
	// in place of what no rest of the run could win back.
	AtOnce bool
	// Required makes a metric without data a breach even where nothing says that
	// the run exercises it; NewJudge sets it for a user's own thresholds.
	Required bool
	// Own says that the user gave the rule, as a threshold or in an SLA file: one
	// that is not decided breaches then. NewJudge sets it.
	Own bool
	// Pos is where the rule stands in its SLA file; zero for a threshold.
	Pos strictyaml.Pos
}

// The derived metrics, which rules may name like recorded ones.
const (
	// ErrorRate is (failed + dropped + unfinished) ÷ due arrivals.
	ErrorRate = "error_rate"
	// AchievedRatio is succeeded ÷ due arrivals: how much of the offered load was
	// done, and done well.
	AchievedRatio = "achieved_ratio"
	// Throughput is the highest rate of arrivals succeeded in a judged stage,
	// per second.
	Throughput = "throughput"
)

// Derived describes the derived metrics.
var Derived = []metrics.Desc{
	{Name: ErrorRate, Kind: metrics.KindRate, Unit: metrics.UnitRatio, Help: "arrivals failed, dropped or unfinished ÷ arrivals due"},
	{Name: AchievedRatio, Kind: metrics.KindRate, Unit: metrics.UnitRatio, Help: "arrivals succeeded ÷ arrivals due: how much of the offered load was done, and done well"},
	{Name: Throughput, Kind: metrics.KindGauge, Unit: metrics.UnitPerSec, Help: "arrivals succeeded per second in the best judged stage"},
}
