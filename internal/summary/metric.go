package summary

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Metric is one metric, or one of its series, over the whole run. One of Trend,
// Counter, Gauge and Rate is set; in JSON its fields stand beside type and
// unit.
type Metric struct {
	Type metrics.Kind
	Unit metrics.Unit
	// Role and Of are the metric's. They are not in summary.json: the run's metrics
	// say them.
	Role metrics.Role
	Of   metrics.Subject
	// Scenarios are those that the metric is of, in the order of the run; empty
	// for a metric of the run itself.
	Scenarios []string
	Trend     *Distribution
	Counter   *CounterFigures
	Gauge     *GaugeFigures
	Rate      *RateFigures
}

// Distribution is a trend's figures, times in milliseconds. Min, Max and Avg
// are exact; a quantile is at most 0.1 % too high. A figure is null where there
// are too few values to tell it: fewer than 1/(1-q) for the quantile q.
type Distribution struct {
	// Count is how many values were recorded.
	Count int64    `json:"count"`
	Min   *float64 `json:"min"`
	Avg   *float64 `json:"avg"`
	Med   *float64 `json:"med"`
	P90   *float64 `json:"p90"`
	P95   *float64 `json:"p95"`
	P99   *float64 `json:"p99"`
	P999  *float64 `json:"p999"`
	Max   *float64 `json:"max"`
	// Censored is how many more values are known only to lie above all recorded
	// ones: arrivals dropped, timed out or unfinished. They count in the tail of
	// the quantiles.
	Censored int64 `json:"censored,omitempty"`
	// AtLeast names the figures that fall among the censored values: the true
	// one is no smaller.
	AtLeast []string `json:"at_least,omitempty"`
}

// CounterFigures is a count and what it is a second, over the run's duration.
type CounterFigures struct {
	Count int64    `json:"count"`
	Rate  *float64 `json:"rate"`
}

// GaugeFigures is a gauge's readings, one a second. Last is null for several
// gauges together.
type GaugeFigures struct {
	Avg  float64  `json:"avg"`
	Min  float64  `json:"min"`
	Med  float64  `json:"med"`
	Max  float64  `json:"max"`
	Last *float64 `json:"last"`
}

// RateFigures is how many of all were hits.
type RateFigures struct {
	Rate  *float64 `json:"rate"`
	Hits  int64    `json:"hits"`
	Total int64    `json:"total"`
}

// metricHead is what the metrics of every type have in JSON.
type metricHead struct {
	Type      metrics.Kind `json:"type"`
	Unit      metrics.Unit `json:"unit"`
	Scenarios []string     `json:"scenarios,omitempty"`
}

// MarshalJSON writes the figures beside type and unit.
func (m Metric) MarshalJSON() ([]byte, error) {
	head := metricHead{m.Type, m.Unit, m.Scenarios}
	switch {
	case m.Trend != nil:
		return json.Marshal(struct {
			metricHead
			*Distribution
		}{head, m.Trend})
	case m.Counter != nil:
		return json.Marshal(struct {
			metricHead
			*CounterFigures
		}{head, m.Counter})
	case m.Gauge != nil:
		return json.Marshal(struct {
			metricHead
			*GaugeFigures
		}{head, m.Gauge})
	case m.Rate != nil:
		return json.Marshal(struct {
			metricHead
			*RateFigures
		}{head, m.Rate})
	}
	return json.Marshal(head)
}

// UnmarshalJSON is the inverse of MarshalJSON. A type that it does not know
// leaves the figures out.
func (m *Metric) UnmarshalJSON(text []byte) error {
	var head metricHead
	if err := json.Unmarshal(text, &head); err != nil {
		return fmt.Errorf("read a metric: %w", err)
	}
	*m = Metric{Type: head.Type, Unit: head.Unit, Scenarios: head.Scenarios}
	var into any
	switch head.Type {
	case metrics.KindTrend:
		m.Trend = new(Distribution)
		into = m.Trend
	case metrics.KindCounter:
		m.Counter = new(CounterFigures)
		into = m.Counter
	case metrics.KindGauge:
		m.Gauge = new(GaugeFigures)
		into = m.Gauge
	case metrics.KindRate:
		m.Rate = new(RateFigures)
		into = m.Rate
	default:
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read a %s: %w", head.Type, err)
	}
	return nil
}

// distribution returns a histogram's figures; a nil one has none.
func distribution(h *metrics.Hist) Distribution {
	var d Distribution
	if h == nil {
		return d
	}
	d.Count, d.Censored = h.N, h.Censored
	if h.N > 0 {
		d.Min, d.Max = millis(float64(h.Min)), millis(float64(h.Max))
		d.Avg = millis(math.Round(h.Mean()))
	}
	for _, q := range []struct {
		to   **float64
		name string
		q    float64
	}{{&d.Med, "med", 0.5}, {&d.P90, "p90", 0.9}, {&d.P95, "p95", 0.95}, {&d.P99, "p99", 0.99}, {&d.P999, "p999", 0.999}} {
		if !h.Carries(q.q) {
			continue
		}
		v, atLeast, _ := h.Quantile(q.q)
		if atLeast {
			d.AtLeast = append(d.AtLeast, q.name)
		}
		if h.N > 0 {
			*q.to = millis(float64(v))
		}
	}
	if h.Censored > 0 {
		d.AtLeast = append(d.AtLeast, "max")
	}
	return d
}

// Bounded says whether the named figure is only a lower bound.
func (d *Distribution) Bounded(name string) bool { return slices.Contains(d.AtLeast, name) }

func millis(ns float64) *float64 {
	v := ns / 1e6
	return &v
}

// gauge returns the figures of readings in the order of time; nil without any.
func gauge(values []float64, one bool) *GaugeFigures {
	values = slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	if len(values) == 0 {
		return nil
	}
	var g GaugeFigures
	if one {
		last := values[len(values)-1]
		g.Last = &last
	}
	for _, v := range values {
		g.Avg += v / float64(len(values))
	}
	slices.Sort(values)
	n := len(values)
	g.Min, g.Max = values[0], values[n-1]
	g.Med = values[n/2]
	if n%2 == 0 {
		g.Med = values[n/2-1]/2 + values[n/2]/2
	}
	return &g
}

// ratio returns a/b, nil where b is 0.
func ratio(a, b float64) *float64 {
	if b == 0 {
		return nil
	}
	v := a / b
	return &v
}
