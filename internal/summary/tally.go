package summary

import (
	"cmp"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// metrics returns every metric over the whole run: under its name, and each of
// its series under name and tags where it has several.
func (t *tally) metrics() map[string]Metric {
	byName := map[string][]*metrics.Total{}
	for _, e := range t.all {
		byName[e.Series.Name] = append(byName[e.Series.Name], e)
	}
	out := map[string]Metric{}
	for name, all := range byName {
		series := map[string][]*metrics.Total{}
		for _, e := range all {
			whole := e.Series
			whole.Stage = ""
			series[whole.Key()] = append(series[whole.Key()], e)
		}
		t.put(out, name, all, len(series) == 1)
		if len(series) == 1 {
			continue
		}
		for key, part := range series {
			t.put(out, key, part, true)
		}
	}
	return out
}

// put adds a metric, unless it is a gauge without a reading.
func (t *tally) put(out map[string]Metric, key string, all []*metrics.Total, one bool) {
	if m := t.metric(all, one); m.Type != metrics.KindGauge || m.Gauge != nil {
		out[key] = m
	}
}

// metric sums up totals of one metric; one says that they are of one series
// but for its stage.
func (t *tally) metric(all []*metrics.Total, one bool) Metric {
	d := all[0].Series.Desc
	m := Metric{Type: d.Kind, Unit: d.Unit, Role: d.Role, Of: d.Of, Scenarios: t.scenarios(all)}
	switch m.Type {
	case metrics.KindTrend:
		sum := new(metrics.Hist)
		for _, e := range all {
			if e.Hist != nil {
				sum.Merge(e.Hist)
			}
		}
		d := distribution(sum)
		m.Trend = &d
	case metrics.KindCounter:
		c := new(CounterFigures)
		for _, e := range all {
			c.Count += e.Count
		}
		c.Rate = ratio(float64(c.Count), t.run.Elapsed.Seconds())
		m.Counter = c
	case metrics.KindRate:
		r := new(RateFigures)
		for _, e := range all {
			r.Hits += e.Hits
			r.Total += e.Count
		}
		r.Rate = ratio(float64(r.Hits), float64(r.Total))
		m.Rate = r
	case metrics.KindGauge:
		var values []float64
		for _, e := range t.inTime(all) {
			values = append(values, e.Values...)
		}
		m.Gauge = gauge(values, one)
	}
	return m
}

// inTime returns a gauge's totals in the order of the stages that they are of.
func (t *tally) inTime(all []*metrics.Total) []*metrics.Total {
	at := func(e *metrics.Total) int {
		return slices.IndexFunc(t.run.Info.Stages, func(s rundir.StageInfo) bool { return s.Name == e.Series.Stage })
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *metrics.Total) int { return cmp.Compare(at(a), at(b)) })
	return all
}

// scenarios returns the scenarios that the totals are of, in the run's order.
func (t *tally) scenarios(all []*metrics.Total) []string {
	var out []string
	for _, e := range all {
		if s := e.Series.Scenario; s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	at := func(name string) int {
		i := slices.IndexFunc(t.run.Info.Scenarios, func(s rundir.ScenarioShare) bool { return s.Name == name })
		if i < 0 {
			i = len(t.run.Info.Scenarios)
		}
		return i
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(a, b)) })
	return out
}
