package probe

import "context"

// Pauses reads for how long a program was stopped.
type Pauses struct {
	endpoint *endpoint
	names    map[string]bool
	gc, lag  []string
}

// NewPauses returns a reader of a program with an endpoint for Prometheus.
func NewPauses(s Scrape) *Pauses {
	p := &Pauses{endpoint: newEndpoint(s.URL, s.Reach), names: map[string]bool{}}
	for _, f := range figures() {
		switch f.desc.Name {
		case gcShare.Name:
			p.gc = f.from
		case loopLag.Name:
			// The 99th percentile is of the whole time since the program began: what is
			// late now is the mean.
			p.lag = []string{"nodejs_eventloop_lag_seconds"}
		default:
			continue
		}
	}
	for _, name := range append(append([]string{}, p.gc...), p.lag...) {
		p.names[name] = true
	}
	return p
}

// Read returns for how long in all the program's garbage collection has stopped it, and
// how late its event loop is, in seconds; 0 for what it does not say.
func (p *Pauses) Read(ctx context.Context) (gc, lag float64, err error) {
	f, err := p.endpoint.scrape(ctx, p.names)
	if err != nil {
		return 0, 0, err
	}
	return f.first(p.gc), f.first(p.lag), nil
}

// first is the sum of the first of the metrics that is there.
func (f families) first(names []string) float64 {
	for _, name := range names {
		if v, ok := f.sum(name, nil); ok {
			return v
		}
	}
	return 0
}

// Close ends the reader's connections.
func (p *Pauses) Close() { p.endpoint.close() }
