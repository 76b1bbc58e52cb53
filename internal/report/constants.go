package report

import (
	"slices"

	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// withoutConstants takes out the gauges that had one value all along and that no rule
// judges, and returns those that were not zero with their values.
func withoutConstants(groups []metricGroup, s *summary.Summary) (rest []metricGroup, still []string) {
	for _, g := range groups {
		g.lines = slices.DeleteFunc(g.lines, func(l metricLine) bool {
			f := l.m.Gauge
			if f == nil || f.Min != f.Max || slices.ContainsFunc(s.SLA, func(r sla.Result) bool { return lineOf(s, r.Metric) == l.key }) {
				return false
			}
			if f.Max != 0 && !l.sub {
				still = append(still, l.label+" "+show(f.Max, l.m.Unit))
			}
			return true
		})
		if len(g.lines) > 0 {
			rest = append(rest, g)
		}
	}
	return rest, still
}
