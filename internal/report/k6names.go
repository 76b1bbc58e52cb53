package report

import (
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// k6Shown are the names of k6's metrics that are shown, in this order.
var k6Shown = []string{"iterations", "iteration_duration", "dropped_iterations", "vus"}

// k6Section shows figures once more under the names that k6 has for them; a script's run
// has those itself.
func k6Section(s *summary.Summary) metricGroup {
	g := metricGroup{name: "the same, as k6 names it"}
	for _, name := range k6Shown {
		own, _ := sla.K6Metric(name)
		m, has := s.Metrics[own]
		if _, itself := s.Metrics[name]; has && !itself {
			g.lines = append(g.lines, metricLine{key: name, label: name, m: m})
		}
	}
	return g
}
