package metrics

import (
	"cmp"
	"slices"
)

// Totals holds what a run, or a part of one, recorded in all: one entry for
// each series. It is for one goroutine. Adding is associative, so the totals
// of the shards of a run add up to those of the run.
type Totals struct {
	byKey map[string]*Total
	order []*Total
	// direct finds the entry of a series by address, which saves building keys
	// once a second.
	direct map[*Series]*Total
}

// Total is one series' total. Which fields hold something depends on the kind.
type Total struct {
	Series Series
	// Hist is a trend's histogram.
	Hist *Hist
	// Count is a counter's sum, or the number of all of a rate.
	Count int64
	// Hits is the number of hits of a rate.
	Hits int64
	// Values are a gauge's readings, one a second, in the order of time.
	Values []float64
}

// NewTotals returns empty totals.
func NewTotals() *Totals {
	return &Totals{byKey: map[string]*Total{}, direct: map[*Series]*Total{}}
}

// Add adds a snapshot.
func (t *Totals) Add(s *Snapshot) {
	for _, v := range s.Trends {
		t.AddTrend(v.Series, v.Hist)
	}
	for _, v := range s.Counters {
		t.AddCounter(v.Series, v.Delta)
	}
	for _, v := range s.Rates {
		t.AddRate(v.Series, v.Hits, v.Total)
	}
	for _, v := range s.Gauges {
		t.AddGauge(v.Series, v.Value)
	}
}

// AddTrend merges a histogram into the series.
func (t *Totals) AddTrend(s *Series, h *Hist) {
	e := t.entry(s)
	if e.Hist == nil {
		e.Hist = new(Hist)
	}
	e.Hist.Merge(h)
}

// AddCounter adds to the series' count.
func (t *Totals) AddCounter(s *Series, delta int64) { t.entry(s).Count += delta }

// AddRate adds to the series' share.
func (t *Totals) AddRate(s *Series, hits, total int64) {
	e := t.entry(s)
	e.Hits += hits
	e.Count += total
}

// AddGauge appends a reading.
func (t *Totals) AddGauge(s *Series, v float64) {
	e := t.entry(s)
	e.Values = append(e.Values, v)
}

func (t *Totals) entry(s *Series) *Total {
	if e := t.direct[s]; e != nil {
		return e
	}
	key := s.Key()
	e := t.byKey[key]
	if e == nil {
		e = &Total{Series: *s}
		t.byKey[key] = e
		t.order = append(t.order, e)
	}
	t.direct[s] = e
	return e
}

// All returns every series' total, sorted by key.
func (t *Totals) All() []*Total {
	slices.SortStableFunc(t.order, func(a, b *Total) int { return cmp.Compare(a.Series.Key(), b.Series.Key()) })
	return slices.Clone(t.order)
}

// Select returns the totals of the series that q picks.
func (t *Totals) Select(q Selector) []*Total {
	var out []*Total
	for _, e := range t.order {
		if q.Matches(&e.Series) {
			out = append(out, e)
		}
	}
	return out
}

// Trend returns the merged histogram of the series that q picks, nil if there
// is none. The caller must not change it.
func (t *Totals) Trend(q Selector) *Hist {
	var out *Hist
	own := false
	for _, e := range t.order {
		if e.Hist == nil || !q.Matches(&e.Series) {
			continue
		}
		switch {
		case out == nil:
			out = e.Hist
		case !own:
			sum := new(Hist)
			sum.Merge(out)
			sum.Merge(e.Hist)
			out, own = sum, true
		default:
			out.Merge(e.Hist)
		}
	}
	return out
}

// Counter returns the summed count of the counters that q picks; ok is false
// if there is none.
func (t *Totals) Counter(q Selector) (n int64, ok bool) {
	for _, e := range t.order {
		if e.Series.Kind == KindCounter && q.Matches(&e.Series) {
			n += e.Count
			ok = true
		}
	}
	return n, ok
}

// Rate returns the summed hits and totals of the rates that q picks.
func (t *Totals) Rate(q Selector) (hits, total int64) {
	for _, e := range t.order {
		if e.Series.Kind == KindRate && q.Matches(&e.Series) {
			hits += e.Hits
			total += e.Count
		}
	}
	return hits, total
}

// Gauge returns all readings of the gauges that q picks.
func (t *Totals) Gauge(q Selector) []float64 {
	var out []float64
	for _, e := range t.order {
		if e.Series.Kind == KindGauge && q.Matches(&e.Series) {
			out = append(out, e.Values...)
		}
	}
	return out
}
