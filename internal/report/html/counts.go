package html

import (
	"slices"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// share is a rate, such as a hit ratio: how many of how many, by stage and over all.
type share struct {
	Scenario, Metric, Name string
	// Stages are in the order of the run's, the last one is all of them.
	Stages []hits
}

type hits struct{ Hits, Total int64 }

// Share returns Hits ÷ Total, nil where there is nothing.
func (h hits) Share() *float64 {
	if h.Total == 0 {
		return nil
	}
	v := float64(h.Hits) / float64(h.Total)
	return &v
}

// tally is a counter over all stages.
type tally struct {
	Scenario, Metric, Name, Help string
	// Shown is Count in its unit.
	Shown string
	Count int64
	// PerSecond is how fast it grew, in its unit.
	PerSecond string
	unit      metrics.Unit
}

// batch is what writing rows in one mode cost.
type batch struct {
	Mode          string
	Inserts, Rows int64
	// PerRow is in milliseconds; RowsPerSecond is what one connection would do that
	// does nothing else.
	PerRow, RowsPerSecond *float64
}

type seriesKey struct{ scenario, metric, name string }

func keyOf(t *metrics.Total) seriesKey {
	k := seriesKey{scenario: t.Series.Scenario, metric: t.Series.Name}
	if of := (metrics.Tags{Operation: t.Series.Operation, Outcome: t.Series.Outcome, Group: t.Series.Group}); of != (metrics.Tags{}) {
		k.name = labelOf("", of)
	}
	return k
}

func (a seriesKey) compare(b seriesKey) int {
	for _, x := range [...][2]string{{a.scenario, b.scenario}, {a.metric, b.metric}, {a.name, b.name}} {
		if x[0] != x[1] {
			if x[0] < x[1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// shares returns every rate of a scenario.
func shares(r *rundir.Run) (out []share) {
	at := map[seriesKey]int{}
	for _, t := range r.Totals.All() {
		if t.Series.Kind != metrics.KindRate {
			continue
		}
		k := keyOf(t)
		if _, known := at[k]; !known {
			at[k] = len(out)
			out = append(out, share{k.scenario, k.metric, k.name, make([]hits, len(r.Info.Stages)+1)})
		}
		s := &out[at[k]]
		i := slices.IndexFunc(r.Info.Stages, func(st rundir.StageInfo) bool { return st.Name == t.Series.Stage })
		for _, j := range []int{i, len(s.Stages) - 1} {
			if j >= 0 {
				s.Stages[j].Hits, s.Stages[j].Total = s.Stages[j].Hits+t.Hits, s.Stages[j].Total+t.Count
			}
		}
	}
	slices.SortFunc(out, func(a, b share) int {
		return seriesKey{a.Scenario, a.Metric, a.Name}.compare(seriesKey{b.Scenario, b.Metric, b.Name})
	})
	return out
}

// tallies returns every counter but the arrivals', which stand elsewhere.
func tallies(r *rundir.Run) (out []tally) {
	at := map[seriesKey]int{}
	for _, t := range r.Totals.All() {
		if t.Series.Kind != metrics.KindCounter || t.Series.Of == metrics.OfArrivals {
			continue
		}
		k := keyOf(t)
		if _, known := at[k]; !known {
			at[k] = len(out)
			out = append(out, tally{Scenario: k.scenario, Metric: k.metric, Name: k.name, Help: t.Series.Help, unit: t.Series.Unit})
		}
		out[at[k]].Count += t.Count
	}
	for i := range out {
		out[i].PerSecond = none
		if out[i].Shown = count(out[i].Count); out[i].unit == metrics.UnitBytes {
			out[i].Shown = figure.Value(float64(out[i].Count), metrics.UnitBytes)
		}
		if s := r.Elapsed.Seconds(); s > 0 {
			v := float64(out[i].Count) / s
			if out[i].PerSecond = optionalRate(&v); out[i].unit == metrics.UnitBytes {
				out[i].PerSecond = figure.Value(v, metrics.UnitBytes) + "/s"
			}
		}
	}
	slices.SortFunc(out, func(a, b tally) int {
		return seriesKey{a.Scenario, a.Metric, a.Name}.compare(seriesKey{b.Scenario, b.Metric, b.Name})
	})
	return out
}

// batches returns what each mode of writing rows cost; nil where none were written.
func batches(r *rundir.Run) (out []batch) {
	for _, t := range r.Totals.Select(metrics.Selector{Role: metrics.RoleBatch}) {
		i := slices.IndexFunc(out, func(b batch) bool { return b.Mode == t.Series.Operation })
		if i < 0 && !t.Hist.Empty() {
			out = append(out, batch{Mode: t.Series.Operation})
		}
	}
	for i := range out {
		b := &out[i]
		q := metrics.Selector{Role: metrics.RoleBatch, Tags: metrics.Tags{Operation: b.Mode}}
		h := r.Totals.Trend(q)
		q.Role = metrics.RoleBatchRows
		b.Inserts = h.N
		if b.Rows, _ = r.Totals.Counter(q); b.Rows > 0 && h.Sum > 0 {
			row, second := h.Sum/1e6/float64(b.Rows), float64(b.Rows)/(h.Sum/1e9)
			b.PerRow, b.RowsPerSecond = &row, &second
		}
	}
	return out
}
