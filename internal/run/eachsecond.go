package run

import "github.com/perfctl/perfctl/internal/metrics"

// EachSecond is Sinks of one function.
type EachSecond func(*metrics.Snapshot)

// Subscribers returns it.
func (f EachSecond) Subscribers() []func(*metrics.Snapshot) {
	return []func(*metrics.Snapshot){f}
}

// Close has nothing to close.
func (EachSecond) Close() (notes []string, kept bool) { return nil, false }
