package sla

import (
	"fmt"
	"maps"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/suggest"
)

// place says which rule an error is about, and where it stands.
func (r Rule) place() string {
	if at := r.Pos.String(); at != "" {
		return fmt.Sprintf("%s: rule %q", at, r.Name)
	}
	return fmt.Sprintf("threshold %q", r.Name)
}

// scenarios are the scenarios that the rule names.
func (r Rule) scenarios() []string {
	return slices.DeleteFunc([]string{r.Scenario, r.Tags.Scenario}, func(s string) bool { return s == "" })
}

// knownToTable says whether what a rule of a table names exists: in this run, or
// in another that the table is for.
func (j *Judge) knownToTable(r Rule) error {
	for _, s := range r.scenarios() {
		if len(j.plan.Known) > 0 && !slices.Contains(j.plan.Known, s) {
			return fmt.Errorf("no scenario is named %q%s", s, near(s, j.plan.Known))
		}
	}
	// Whatever its scenario records is known.
	if _, known := j.units[r.Metric]; !known && j.applies(r) && len(r.scenarios()) > 0 {
		return fmt.Errorf("the scenario %s has no metric %q%s", r.scenarios()[0], r.Metric, near(r.Metric, j.metricNames()))
	}
	if _, known := j.units[r.Metric]; !known && len(j.plan.Anywhere) > 0 && !slices.Contains(j.plan.Anywhere, r.Metric) {
		if meant, ok := suggest.Nearest(r.Metric, slices.Concat(j.metricNames(), j.plan.Anywhere)); ok {
			return fmt.Errorf("there is no metric %q; did you mean %q?", r.Metric, meant)
		}
	}
	return nil
}

// applies says whether the plan has the scenarios, the stage and the class that
// the rule names.
func (j *Judge) applies(r Rule) bool {
	for _, s := range r.scenarios() {
		if !slices.Contains(j.plan.Scenarios, s) {
			return false
		}
	}
	return slices.ContainsFunc(j.plan.Stages, func(s Stage) bool {
		return (r.Tags.Stage == "" || s.Name == r.Tags.Stage) && (r.Class == "" || s.Judged && s.Class == r.Class)
	})
}

// known says whether what a threshold names exists.
func (j *Judge) known(r Rule) error {
	if _, known := j.units[r.Metric]; !known {
		return fmt.Errorf("no metric %q in this run%s", r.Metric, near(r.Metric, j.metricNames()))
	}
	if s := r.Tags.Scenario; s != "" && !slices.Contains(j.plan.Scenarios, s) {
		return fmt.Errorf("no scenario %q in this run%s", s, near(s, j.plan.Scenarios))
	}
	stages := make([]string, len(j.plan.Stages))
	for i, s := range j.plan.Stages {
		stages[i] = s.Name
	}
	if s := r.Tags.Stage; s != "" && !slices.Contains(stages, s) {
		return fmt.Errorf("no stage %q in this run%s", s, near(s, stages))
	}
	if err := j.knownTag(r, "operation", func(t metrics.Tags) string { return t.Operation }); err != nil {
		return err
	}
	if err := j.knownTag(r, "group", func(t metrics.Tags) string { return t.Group }); err != nil {
		return err
	}
	return j.knownTag(r, "outcome", func(t metrics.Tags) string { return t.Outcome })
}

// knownTag says whether a series of the metric has the value that the rule gives
// a tag.
func (j *Judge) knownTag(r Rule, key string, of func(metrics.Tags) string) error {
	want := of(r.Tags)
	var values []string
	series := 0
	for _, s := range j.plan.Series {
		if s.Name != r.Metric {
			continue
		}
		series++
		if v := of(s.Tags); v != "" && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	switch {
	case want == "" || series == 0 || slices.Contains(values, want):
		return nil
	case len(values) == 0:
		return fmt.Errorf("%s has no tag %s", r.Metric, key)
	}
	return fmt.Errorf("no %s %q of %s in this run%s", key, want, r.Metric, near(want, values))
}

func (j *Judge) metricNames() []string { return slices.Sorted(maps.Keys(j.units)) }

// statsOf are the statistics that each kind of metric has.
var statsOf = map[metrics.Kind][]string{
	metrics.KindTrend:   {"avg", "min", "med", "max", "p(N)", "count"},
	metrics.KindCounter: {"count", "rate"},
	metrics.KindGauge:   {"value", "min", "max", "avg", "med", "p(N)"},
	metrics.KindRate:    {"rate", "value"},
}
