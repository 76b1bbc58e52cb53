package analysis

import (
	"math"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// guideMemory is up to where the guide's tables let the memory of a worker grow.
const guideMemory = 500e6

// limits returns up to where series may grow, by their keys: what a rule of the
// SLA says, the size of a pool, or the guide's figure for a process.
func (a *axis) limits(results []sla.Result) map[string]float64 {
	out := map[string]float64{}
	for i := range a.gauges {
		g := &a.gauges[i]
		switch g.series.Role {
		case metrics.RolePoolSize:
			if most := a.poolMax(g); most > 0 {
				out[g.key] = most
			}
		case metrics.RoleProcessMemory:
			out[g.key] = guideMemory
		}
		for _, r := range rulesOf(results) {
			q := metrics.Selector{Name: r.Metric, Tags: r.Tags}
			if q.Matches(&g.series) && (r.Op == "<" || r.Op == "<=") {
				out[g.key] = r.Value
			}
		}
	}
	for _, r := range rulesOf(results) {
		if r.Tags == (metrics.Tags{}) && r.Stat.Name == "p" && r.Stat.Percent == 95 && (r.Op == "<" || r.Op == "<=") {
			out[r.Metric] = milliseconds(r)
		}
	}
	return out
}

// milliseconds returns the target of a rule about a time.
func milliseconds(r sla.Rule) float64 {
	if r.Unit == "" {
		return r.Value
	}
	return r.Value / 1e6
}

// poolMax returns the largest reading of how many connections a pool may have.
func (a *axis) poolMax(pool *gauge) float64 {
	for i := range a.gauges {
		s := &a.gauges[i].series
		if s.Role == metrics.RolePoolMax && s.Part == pool.series.Part && s.Tags == pool.series.Tags {
			most := math.Inf(-1)
			for _, v := range read(a.gauges[i].values) {
				most = max(most, v)
			}
			return most
		}
	}
	return math.NaN()
}

// rulesOf returns the rules that the results are of, each once.
func rulesOf(results []sla.Result) []sla.Rule {
	var out []sla.Rule
	seen := map[string]bool{}
	for _, r := range results {
		if seen[r.Rule] || r.Threshold == "" {
			continue
		}
		seen[r.Rule] = true
		rule, err := sla.ParseThreshold(r.Threshold)
		if err != nil {
			continue // of a later version: its limits are unknown here
		}
		rule.Name, rule.Severity, rule.Action, rule.Class = r.Rule, r.Severity, r.Action, r.Class
		out = append(out, rule)
	}
	return out
}
