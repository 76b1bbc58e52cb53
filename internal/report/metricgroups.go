package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

// groupMetrics sorts the metrics into groups: arrivals, response, each
// scenario's own, those that several scenarios share, those of no scenario,
// and the generator's.
func groupMetrics(s *summary.Summary) []metricGroup {
	names := map[string][]string{} // the names of a group's metrics
	subs := map[string][]string{}  // the keys of a metric's series
	for _, key := range slices.Sorted(maps.Keys(s.Metrics)) {
		if name, _, tagged := strings.Cut(key, "{"); tagged && hasMetric(s, name) {
			subs[name] = append(subs[name], key)
			continue
		}
		g := groupOf(key, s.Metrics[key])
		names[g] = append(names[g], key)
	}
	order := []string{arrivalGroup, responseGroup}
	for _, sc := range s.Run.Scenarios {
		order = append(order, scenarioGroup(sc.Name))
	}
	for _, g := range slices.Sorted(maps.Keys(names)) {
		if strings.HasPrefix(g, scenarioGroup("")) && !slices.Contains(order, g) {
			order = append(order, g)
		}
	}
	order = append(order, sharedGroup, otherGroup, generatorGroup)
	for _, keys := range subs {
		slices.SortStableFunc(keys, func(a, b string) int { return scenarioRank(s, a) - scenarioRank(s, b) })
	}
	names[arrivalGroup] = inOrder(names[arrivalGroup], arrivalNames)
	names[responseGroup] = inOrder(names[responseGroup], responseNames)
	var out []metricGroup
	for _, g := range order {
		group := metricGroup{name: g}
		for _, name := range names[g] {
			group.lines = append(group.lines, metricLine{key: name, label: figure.Line(name), m: s.Metrics[name]})
			for _, key := range subs[name] {
				if l, ok := subLine(key, s.Metrics[key], len(s.Metrics[name].Scenarios) > 1); ok {
					group.lines = append(group.lines, l)
				}
			}
		}
		if len(group.lines) > 0 {
			out = append(out, group)
		}
	}
	return out
}

func hasMetric(s *summary.Summary, name string) bool {
	_, ok := s.Metrics[name]
	return ok
}

// scenarioRank returns the place of a series' scenario among the run's.
func scenarioRank(s *summary.Summary, key string) int {
	series, _ := metrics.ParseKey(key)
	return slices.IndexFunc(s.Run.Scenarios, func(sc rundir.ScenarioShare) bool { return sc.Name == series.Scenario })
}

func scenarioGroup(name string) string { return "scenario " + figure.Line(name) }

func groupOf(name string, m summary.Metric) string {
	switch {
	case slices.Contains(arrivalNames, name):
		return arrivalGroup
	case slices.Contains(responseNames, name):
		return responseGroup
	case m.Of == metrics.OfGenerator:
		return generatorGroup
	case len(m.Scenarios) == 1:
		return scenarioGroup(m.Scenarios[0])
	case len(m.Scenarios) > 1:
		return sharedGroup
	default:
		return otherGroup
	}
}

// inOrder returns the names in the order of all.
func inOrder(names, all []string) []string {
	var out []string
	for _, n := range all {
		if slices.Contains(names, n) {
			out = append(out, n)
		}
	}
	return out
}

// subLine returns the line of one of a metric's series, labelled with the tags
// that tell it apart, several of them without their names. The counts of arrivals are only split by outcome: by scenario
// they follow from the weights.
func subLine(key string, m summary.Metric, manyScenarios bool) (metricLine, bool) {
	series, ok := metrics.ParseKey(key)
	if !ok {
		return metricLine{}, false
	}
	var names, values []string
	add := func(name, value string) {
		if value != "" {
			names, values = append(names, name), append(values, value)
		}
	}
	if manyScenarios {
		add("scenario", series.Scenario)
	}
	add("operation", series.Operation)
	add("outcome", series.Outcome)
	add("group", series.Group)
	if len(names) == 0 || slices.Contains(arrivalNames, series.Name) && series.Outcome == "" {
		return metricLine{}, false
	}
	label := strings.Join(values, ", ")
	if len(names) == 1 {
		label = names[0] + ":" + label
	}
	return metricLine{key: key, label: figure.Line("  { " + label + " }"), sub: true, m: m}, true
}
