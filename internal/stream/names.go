package stream

import "github.com/perfctl/perfctl/internal/metrics"

// The suffixes of the two counters of a rate, and of what is known only to be slower.
const (
	hits     = "_hits_total"
	events   = "_events_total"
	censored = "_censored_total"
)

// PrometheusName returns the names that a metric has in Prometheus, by the listener as by
// OTLP: one, or for a rate that of its hits and that of its events.
func PrometheusName(d metrics.Desc) []string {
	switch d.Kind {
	case metrics.KindCounter:
		return []string{"perfctl_" + d.Name + "_total"}
	case metrics.KindRate:
		return []string{"perfctl_" + d.Name + hits, "perfctl_" + d.Name + events}
	}
	return []string{promName(d)}
}

// censoredName is that of the counter that stands beside a time by OTLP.
func censoredName(d metrics.Desc) string { return "perfctl_" + d.Name + censored }
