// Package stream holds the streams that a run's one-second snapshots are sent to
// while it goes on: JSON and CSV lines, a Prometheus listener, an OTLP exporter. It
// holds no view of a finished run, opens no file and knows no engine and no target.
//
// A stream is a guest: its Snapshot never waits, whatever it is connected to. What
// it could not deliver is dropped, counted and told by Close.
package stream

import (
	"context"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Stream receives the snapshots of a run.
type Stream interface {
	// Snapshot takes a second. It is called by one goroutine, keeps nothing of
	// the snapshot and never waits for the receiver.
	Snapshot(s *metrics.Snapshot)
	// Close delivers what it still can until ctx ends, and gives everything
	// back. It is called once, after the last Snapshot; its error says what was
	// lost of the run and why.
	Close(ctx context.Context) error
}

// Run is what receivers are told about the run besides its figures.
type Run struct {
	// ID is the run's identity.
	ID string
	// Profile is the name of its profile.
	Profile string
	// Version is perfctl's version.
	Version string
	// Started is when it was started.
	Started time.Time
}

// quantiles are the percentiles of a trend's line, in the order of its fields.
var quantiles = [...]struct {
	name string
	q    float64
}{{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}}

// trendFigures are the figures of one trend and second, in milliseconds.
type trendFigures struct {
	count, censored int64
	min, avg, max   float64
	percentiles     [len(quantiles)]float64
	// atLeast is the name of the lowest percentile that falls among arrivals
	// that were dropped, timed out or did not finish: it and those above it are
	// lower bounds. Empty where there is none.
	atLeast string
}

// figures computes a histogram's figures. A histogram that holds censored values
// alone has no figures but its counts.
func figures(h *metrics.Hist) (f trendFigures) {
	f.count, f.censored = h.N, h.Censored
	if h.N == 0 {
		return f
	}
	const ms = 1e6
	f.min, f.avg, f.max = float64(h.Min)/ms, h.Mean()/ms, float64(h.Max)/ms
	for i, x := range quantiles {
		v, atLeast, _ := h.Quantile(x.q)
		f.percentiles[i] = float64(v) / ms
		if atLeast && f.atLeast == "" {
			f.atLeast = x.name
		}
	}
	if f.atLeast == "" && h.Censored > 0 {
		f.atLeast = "max"
	}
	return f
}
