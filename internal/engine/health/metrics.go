package health

import "github.com/perfctl/perfctl/internal/metrics"

// Metrics returns the gauges of the generator itself, which every run has.
func Metrics() []metrics.Desc {
	return []metrics.Desc{cpuPercent, rss, goroutines, gcPauseMax, runQueueMean}
}
