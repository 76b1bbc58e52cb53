package metrics

import "time"

// Mark is one arrival that stands for those of its response time: an exemplar, as
// receivers of histograms call it.
type Mark struct {
	Scenario, Stage string
	// K is the arrival's number, Trace the identity of its trace and Span that of its
	// own span in it, in hexadecimal digits; empty for none.
	K           int64
	Trace, Span string
	// Response is its response time, At when it was done.
	Response time.Duration
	At       time.Time
}
