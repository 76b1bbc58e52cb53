package stream

import (
	"cmp"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/perfctl/perfctl/internal/metrics"
)

// otlpScale and otlpBuckets bound an exported histogram: the finest scale in which
// it has no more buckets, as OpenTelemetry's own histograms do.
const (
	otlpScale   = 8
	otlpBuckets = 160
)

// otlpUnits are the units in the notation of OpenTelemetry.
var otlpUnits = map[metrics.Unit]string{
	metrics.UnitTime: "s", metrics.UnitSeconds: "s", metrics.UnitBytes: "By", metrics.UnitRatio: "1",
	metrics.UnitPercent: "%", metrics.UnitPerSec: "1/s",
	// A number of things is no ratio: Prometheus names a gauge of the unit 1 one.
	metrics.UnitCount: "{count}",
}

// builder collects data points by metric, in the order of their first series.
type builder struct {
	from, to    time.Time
	temporality metricdata.Temporality
	order       []string
	metrics     map[string]*metricdata.Metrics
	exemplars   func(*metrics.Series) []metricdata.Exemplar[float64]
}

// extent is how much of a run was added up: so many seconds, up to a time.
type extent struct {
	seconds int64
	at      time.Time
}

// take returns what is to be exported, with how much of the run it holds.
// Where deltas are exported, the sums begin anew; undo gives them back.
func (o *OTLP) take() (data *metricdata.ResourceMetrics, upTo extent, undo func()) {
	a := o.account
	a.mu.Lock()
	defer a.mu.Unlock()
	b := &builder{from: o.run.Started, to: a.at, temporality: metricdata.CumulativeTemporality, metrics: map[string]*metricdata.Metrics{}, exemplars: a.exemplars}
	if o.delta {
		b.from, b.temporality = o.since, metricdata.DeltaTemporality
	}
	for _, t := range a.totals.All() {
		b.total(t)
	}
	for _, key := range a.order {
		g := a.gauges[key]
		b.gauge(g.desc, key.tags, baseValue(g.desc, g.value))
	}
	scope := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: "github.com/perfctl/perfctl", Version: o.run.Version}}
	for _, name := range b.order {
		scope.Metrics = append(scope.Metrics, *b.metrics[name])
	}
	undo = func() {}
	if o.delta {
		taken := a.totals
		a.totals = metrics.NewTotals()
		clear(a.marks)
		undo = func() { a.giveBack(taken) }
	}
	return &metricdata.ResourceMetrics{Resource: o.resource, ScopeMetrics: []metricdata.ScopeMetrics{scope}}, extent{a.seconds, a.at}, undo
}

// giveBack adds sums that did not arrive to those that came since.
func (a *account) giveBack(taken *metrics.Totals) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.totals.All() {
		s := &t.Series
		switch s.Kind {
		case metrics.KindTrend:
			taken.AddTrend(s, t.Hist)
		case metrics.KindCounter:
			taken.AddCounter(s, t.Count)
		case metrics.KindRate:
			taken.AddRate(s, t.Hits, t.Count)
		}
	}
	a.totals = taken
}

func (b *builder) total(t *metrics.Total) {
	s := t.Series
	switch s.Kind {
	case metrics.KindTrend:
		b.trend(s, t.Hist)
	case metrics.KindCounter:
		b.sum(s, "", s.Help, t.Count)
	case metrics.KindRate:
		b.sum(s, ".hits", s.Help+": the hits", t.Hits)
		b.sum(s, ".events", s.Help+": hits and misses", t.Count)
	}
}

// metric returns the metric of that name, made with empty data where it is new.
func (b *builder) metric(name, help, unit string, empty metricdata.Aggregation) *metricdata.Metrics {
	m := b.metrics[name]
	if m == nil {
		m = &metricdata.Metrics{Name: name, Description: help, Unit: unit, Data: empty}
		b.metrics[name] = m
		b.order = append(b.order, name)
	}
	return m
}

func (b *builder) sum(s metrics.Series, suffix, help string, n int64) {
	m := b.metric("perfctl."+s.Name+suffix, help, "1", metricdata.Sum[int64]{Temporality: b.temporality, IsMonotonic: true})
	data := m.Data.(metricdata.Sum[int64])
	data.DataPoints = append(data.DataPoints, metricdata.DataPoint[int64]{
		Attributes: attributes(s.Tags), StartTime: b.from, Time: b.to, Value: n,
	})
	m.Data = data
}

func (b *builder) gauge(d metrics.Desc, t metrics.Tags, v float64) {
	m := b.metric("perfctl."+d.Name, d.Help, cmp.Or(otlpUnits[d.Unit], "1"), metricdata.Gauge[float64]{})
	data := m.Data.(metricdata.Gauge[float64])
	data.DataPoints = append(data.DataPoints, metricdata.DataPoint[float64]{Attributes: attributes(t), Time: b.to, Value: v})
	m.Data = data
}

// trend adds a histogram in seconds. An exponential histogram has no place for
// values that are only known to be larger than all others: they are a sum beside it.
func (b *builder) trend(s metrics.Series, h *metrics.Hist) {
	if h.Censored > 0 {
		b.sum(s, ".censored", s.Help+": arrivals known only to be slower than those of the histogram", h.Censored)
	}
	m := b.metric("perfctl."+s.Name, s.Help, "s", metricdata.ExponentialHistogram[float64]{Temporality: b.temporality})
	data := m.Data.(metricdata.ExponentialHistogram[float64])
	e := exponentialOf(h, 1e-9, otlpScale, otlpBuckets)
	p := metricdata.ExponentialHistogramDataPoint[float64]{
		Attributes: attributes(s.Tags), StartTime: b.from, Time: b.to,
		Count: uint64(h.N), Sum: h.Sum / 1e9, Scale: int32(e.scale), ZeroCount: e.zero, Exemplars: b.exemplars(&s),
	}
	if h.N > 0 {
		p.Min, p.Max = metricdata.NewExtrema(float64(h.Min)/1e9), metricdata.NewExtrema(float64(h.Max)/1e9)
	}
	if e.low <= e.high {
		p.PositiveBucket = metricdata.ExponentialBucket{Offset: int32(e.low - 1), Counts: make([]uint64, e.high-e.low+1)}
		for i, n := range e.counts {
			p.PositiveBucket.Counts[i-e.low] = uint64(n)
		}
	}
	data.DataPoints = append(data.DataPoints, p)
	m.Data = data
}

func attributes(t metrics.Tags) attribute.Set {
	var out []attribute.KeyValue
	for name, v := range t.All() {
		if v != "" {
			out = append(out, attribute.String(name, v))
		}
	}
	return attribute.NewSet(out...)
}
