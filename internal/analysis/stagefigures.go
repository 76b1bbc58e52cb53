package analysis

import "github.com/perfctl/perfctl/internal/metrics"

// stageFigures is what a stage came to over its whole length.
type stageFigures struct {
	name, class string
	judged      bool
	// p95 of response time is in milliseconds, nil where there are too few values
	// to tell it; atLeast says that the true one is no smaller.
	p95     *float64
	atLeast bool
	// errorRate is the share of the arrivals due that failed, were dropped or did
	// not finish; nil where none was due.
	errorRate *float64
}

// stageFigures returns the figures of each stage, in the order of the profile.
func (a *axis) stageFigures() []*stageFigures {
	var out []*stageFigures
	for _, s := range a.stages {
		f := &stageFigures{name: s.Name, class: s.Class, judged: s.Judged}
		if h := a.run.Totals.Trend(metrics.Selector{Name: metrics.ResponseTime.Name, Tags: metrics.Tags{Stage: s.Name}}); h != nil && h.Carries(0.95) {
			var v int64
			v, f.atLeast, _ = h.Quantile(0.95)
			if h.N > 0 {
				ms := float64(v) / 1e6
				f.p95 = &ms
			}
		}
		count := func(d metrics.Desc) int64 {
			n, _ := a.run.Totals.Counter(metrics.Selector{Name: d.Name, Tags: metrics.Tags{Stage: s.Name}})
			return n
		}
		if due := count(metrics.Arrivals); due > 0 {
			share := float64(count(metrics.ArrivalsFailed)+count(metrics.ArrivalsDropped)+count(metrics.ArrivalsUnfinished)) / float64(due)
			f.errorRate = &share
		}
		out = append(out, f)
	}
	return out
}
