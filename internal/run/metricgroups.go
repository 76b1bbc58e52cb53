package run

import (
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// MetricGroup is metrics that belong together.
type MetricGroup struct {
	Title   string
	Metrics []metrics.Desc
}

// MetricGroups returns every metric that rules may name: those that every run has, those
// that rules derive, each scenario's, and those read of targets and processes. A metric
// of several scenarios stands in each of their groups.
func MetricGroups() []MetricGroup {
	out := []MetricGroup{
		{"Every run", metrics.Standard()},
		{"Derived from arrivals, for rules", sla.Derived},
	}
	for _, d := range all.Registry().Definitions() {
		out = append(out, MetricGroup{"Scenario " + d.Name, d.Metrics})
	}
	return append(out,
		MetricGroup{"Read of the targets", probe.Metrics()},
		MetricGroup{"Read of watched processes", process.Metrics()},
		MetricGroup{"The run's own accounts and faults", slices.Concat(accountMetrics(), faultMetrics())})
}
