package metrics

import "sync"

// Registry holds the run's metrics. They are declared before the first
// arrival; declaring the same metric under the same tags again returns the
// same handle.
type Registry struct {
	mu       sync.Mutex
	stages   []string
	trends   []*Trend
	counters []*Counter
	gauges   []*Gauge
	rates    []*Rate
	byKey    map[string]any
}

// NewRegistry returns an empty registry for a run whose stages have the given
// names, in order. There is at least one.
func NewRegistry(stages []string) *Registry {
	if len(stages) == 0 {
		stages = []string{"run"}
	}
	return &Registry{stages: stages, byKey: map[string]any{}}
}

// Stages returns the names of the run's stages.
func (r *Registry) Stages() []string { return r.stages }

// Trend declares a trend and returns its handle.
func (r *Registry) Trend(d Desc, t Tags) *Trend {
	return declare(r, d, t, func() *Trend {
		h := &Trend{series: r.perStage(d, t), cells: make([]cell, len(r.stages))}
		r.trends = append(r.trends, h)
		return h
	})
}

// Counter declares a counter and returns its handle.
func (r *Registry) Counter(d Desc, t Tags) *Counter {
	return declare(r, d, t, func() *Counter {
		h := &Counter{series: r.perStage(d, t), cells: make([]paddedInt, len(r.stages))}
		r.counters = append(r.counters, h)
		return h
	})
}

// Gauge declares a gauge and returns its handle. It has no reading until Set.
func (r *Registry) Gauge(d Desc, t Tags) *Gauge {
	return declare(r, d, t, func() *Gauge {
		h := &Gauge{series: Series{d, t}}
		r.gauges = append(r.gauges, h)
		return h
	})
}

// Rate declares a rate and returns its handle.
func (r *Registry) Rate(d Desc, t Tags) *Rate {
	return declare(r, d, t, func() *Rate {
		h := &Rate{series: r.perStage(d, t), hits: make([]paddedInt, len(r.stages)), total: make([]paddedInt, len(r.stages))}
		r.rates = append(r.rates, h)
		return h
	})
}

// declare returns the handle under (d, t), making it where it is new. A name
// declared as two kinds is a fault of the program, hence the panic.
func declare[H any](r *Registry, d Desc, t Tags, fresh func() *H) *H {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Stage = ""
	key := Series{d, t}.Key()
	if known, ok := r.byKey[key]; ok {
		h, same := known.(*H)
		if !same {
			panic("metrics: " + key + " is declared as two kinds of metric")
		}
		return h
	}
	h := fresh()
	r.byKey[key] = h
	return h
}

func (r *Registry) perStage(d Desc, t Tags) []Series {
	s := make([]Series, len(r.stages))
	for i, name := range r.stages {
		t.Stage = name
		s[i] = Series{d, t}
	}
	return s
}

// Series returns every declared series, without its stage.
func (r *Registry) Series() []Series {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Series
	staged := func(s Series) {
		s.Stage = ""
		all = append(all, s)
	}
	for _, t := range r.trends {
		staged(t.series[0])
	}
	for _, c := range r.counters {
		staged(c.series[0])
	}
	for _, x := range r.rates {
		staged(x.series[0])
	}
	for _, g := range r.gauges {
		staged(g.series)
	}
	return all
}

// Descs returns the description of every declared metric, one for each name.
func (r *Registry) Descs() []Desc {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Desc
	seen := map[string]bool{}
	add := func(d Desc) {
		if !seen[d.Name] {
			seen[d.Name] = true
			all = append(all, d)
		}
	}
	for _, t := range r.trends {
		add(t.series[0].Desc)
	}
	for _, c := range r.counters {
		add(c.series[0].Desc)
	}
	for _, x := range r.rates {
		add(x.series[0].Desc)
	}
	for _, g := range r.gauges {
		add(g.series.Desc)
	}
	return all
}
