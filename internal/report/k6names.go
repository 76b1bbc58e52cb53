package report

import (
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/summary"
)

// k6Aliases are the names under which somebody who comes from k6 looks for figures, and
// what perfctl calls them.
var k6Aliases = []struct{ alias, own string }{
	{"iterations", metrics.ArrivalsSucceeded.Name},
	{"iteration_duration", metrics.ResponseTime.Name},
	{"dropped_iterations", metrics.ArrivalsDropped.Name},
	{"vus", metrics.InFlight.Name},
}

// k6Section shows figures once more under the names that k6 has for them; a script's run
// has those itself.
func k6Section(s *summary.Summary) metricGroup {
	g := metricGroup{name: "the same, as k6 names it"}
	for _, x := range k6Aliases {
		m, has := s.Metrics[x.own]
		if _, own := s.Metrics[x.alias]; has && !own {
			g.lines = append(g.lines, metricLine{key: x.alias, label: x.alias, m: m})
		}
	}
	return g
}
