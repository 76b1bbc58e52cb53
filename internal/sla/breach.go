package sla

import "fmt"

// Breach is a rule that was missed for certain, whatever still comes.
type Breach struct {
	Rule   string `json:"rule"`
	Metric string `json:"metric"`
	// Stage is the stage that it was judged in, empty for all judged ones together.
	Stage string `json:"stage"`
	// Aggregation is the statistic, as the threshold grammar writes it.
	Aggregation string `json:"aggregation"`
	// Target and Actual are what it was to be and is, as text, TargetValue and
	// ActualValue in the metric's unit, a time in milliseconds.
	Target      string   `json:"target"`
	Actual      string   `json:"actual"`
	TargetValue *float64 `json:"target_value"`
	ActualValue *float64 `json:"actual_value"`
	// Because says why nothing that still comes can mend it.
	Because string `json:"because"`
}

// breachOf makes a breach of a missed rule's result.
func breachOf(r Result, because string) *Breach {
	return &Breach{Rule: r.Rule, Metric: r.Metric, Stage: r.Stage, Aggregation: r.Aggregation, Target: r.Target, Actual: r.Actual,
		TargetValue: r.TargetValue, ActualValue: r.ActualValue, Because: because}
}

// String says what was missed, by how much, and why for certain.
func (b Breach) String() string {
	in := ""
	if b.Stage != "" {
		in = " in " + b.Stage
	}
	return fmt.Sprintf("%s%s: %s, target %s (%s)", b.Rule, in, b.Actual, b.Target, b.Because)
}
