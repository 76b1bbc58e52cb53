// Package metrics holds what a run counts: trends (HDR histograms), counters,
// gauges and rates, the handles that record into them without a lock or an
// allocation, and the one-second snapshots that everything downstream reads.
// It holds no file format, no target and no judgement.
package metrics

import "strings"

// Kind is what sort of metric a name stands for.
type Kind string

// The four kinds.
const (
	KindTrend   Kind = "trend"
	KindCounter Kind = "counter"
	KindGauge   Kind = "gauge"
	KindRate    Kind = "rate"
)

// Unit is what a metric's values are in.
type Unit string

// The units. A trend's values are always nanoseconds inside and milliseconds
// in reports.
const (
	UnitTime    Unit = "ms"
	UnitCount   Unit = "count"
	UnitBytes   Unit = "bytes"
	UnitRatio   Unit = "ratio"
	UnitPercent Unit = "percent"
	UnitPerSec  Unit = "1/s"
	UnitSeconds Unit = "s"
)

// Desc is the description of a metric.
type Desc struct {
	// Name is the metric's name in reports and thresholds.
	Name string
	// Kind is its sort.
	Kind Kind
	// Unit is the unit of its values in reports.
	Unit Unit
	// Help says what it counts, with its exact start and end where it is a time.
	Help string
}

// Tags tell the series of one metric apart. They are few and fixed before the
// first arrival.
type Tags struct {
	Scenario  string `json:"scenario,omitempty"`
	Operation string `json:"operation,omitempty"`
	Stage     string `json:"stage,omitempty"`
	Outcome   string `json:"outcome,omitempty"`
	// Group is what a user put the operation under.
	Group string `json:"group,omitempty"`
}

// Series is one metric under one set of tags.
type Series struct {
	Desc
	Tags
}

// Key returns the series as text, in the form that thresholds use:
// name{scenario:tasks,stage:peak}. Equal series have equal keys.
func (s Series) Key() string {
	var b strings.Builder
	b.WriteString(s.Name)
	sep := byte('{')
	for _, t := range []struct{ k, v string }{
		{"scenario", s.Scenario}, {"operation", s.Operation}, {"stage", s.Stage}, {"outcome", s.Outcome}, {"group", s.Group},
	} {
		if t.v == "" {
			continue
		}
		b.WriteByte(sep)
		b.WriteString(t.k)
		b.WriteByte(':')
		b.WriteString(t.v)
		sep = ','
	}
	if sep == ',' {
		b.WriteByte('}')
	}
	return b.String()
}

// ParseKey is the inverse of Key; ok is false for a text that is the key of no
// series. Kind, unit and help stay empty.
func ParseKey(key string) (s Series, ok bool) {
	name, tags, tagged := strings.Cut(key, "{")
	s.Name = name
	if tagged {
		tags, ok = strings.CutSuffix(tags, "}")
		if !ok {
			return s, false
		}
		for tag := range strings.SplitSeq(tags, ",") {
			k, v, _ := strings.Cut(tag, ":")
			switch k {
			case "scenario":
				s.Scenario = v
			case "operation":
				s.Operation = v
			case "stage":
				s.Stage = v
			case "outcome":
				s.Outcome = v
			case "group":
				s.Group = v
			}
		}
	}
	// A key that is not the one of what it was read as is damaged.
	return s, name != "" && s.Key() == key
}

// Selector picks series: an empty field matches everything.
type Selector struct {
	Name string
	Tags
}

// Matches says whether the selector picks the series.
func (q Selector) Matches(s *Series) bool {
	return q.Name == s.Name &&
		(q.Scenario == "" || q.Scenario == s.Scenario) &&
		(q.Operation == "" || q.Operation == s.Operation) &&
		(q.Stage == "" || q.Stage == s.Stage) &&
		(q.Outcome == "" || q.Outcome == s.Outcome) &&
		(q.Group == "" || q.Group == s.Group)
}
