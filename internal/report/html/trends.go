package html

import (
	"cmp"
	"maps"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// namedQuantile is a line of a chart of percentiles.
type namedQuantile struct {
	name string
	q    float64
}

// quantileLines are percentiles over time of the series that pick picks, of all of
// them together or of each operation by itself.
type quantileLines struct {
	pick        metrics.Selector
	byOperation bool
	quantiles   []namedQuantile

	lines map[string]*quantileLine // by operation
}

// slowest is what stands for the percentiles of a chart by operation where most bins
// hold too few values of an operation to tell them.
const slowest = "max"

// quantileLine is one operation's: the histogram of the bin that is being read, and
// what came of those before. A run has too many series to keep a histogram of each in
// each bin.
type quantileLine struct {
	hist     metrics.Hist
	censored []int64 // of intervals that hold nothing else, by bin
	values   [][]*float64
	count    int64
}

// line returns the line that a series belongs to, nil where it is not picked.
func (q *quantileLines) line(s *metrics.Series, bins int) *quantileLine {
	if !q.pick.Matches(s) {
		return nil
	}
	name := ""
	if q.byOperation {
		name = s.Operation
	}
	if q.lines == nil {
		q.lines = map[string]*quantileLine{}
	}
	x := q.lines[name]
	if x == nil {
		x = &quantileLine{censored: make([]int64, bins), values: make([][]*float64, len(q.quantiles))}
		for i := range x.values {
			x.values[i] = make([]*float64, bins)
		}
		q.lines[name] = x
	}
	return x
}

// finish makes the figures of a bin and empties its histogram.
func (q *quantileLines) finish(bin int) {
	for _, x := range q.lines {
		if x.hist.Censored += x.censored[bin]; x.hist.N > 0 {
			for i, of := range q.quantiles {
				x.values[i][bin] = quantileOf(&x.hist, of.q)
			}
			x.count += x.hist.N
		}
		x.hist.Reset()
	}
}

// told returns which of the two quantiles of a chart by operation is drawn: the first,
// unless it can be told in fewer than half of the bins of the second.
func (q *quantileLines) told() int {
	known := [2]int{}
	for _, x := range q.lines {
		for i := range known {
			for _, v := range x.values[i] {
				if v != nil {
					known[i]++
				}
			}
		}
	}
	if 2*known[0] < known[1] {
		return 1
	}
	return 0
}

// series returns the lines, of the operations with the most values at most so many.
func (q *quantileLines) series(most int) (out []series) {
	names := slices.Sorted(maps.Keys(q.lines))
	if q.byOperation {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(q.lines[b].count, q.lines[a].count) })
		names = names[:min(len(names), most)]
		slices.Sort(names)
	}
	for _, name := range names {
		values := q.lines[name].values
		if q.byOperation {
			out = append(out, series{Name: cmp.Or(name, "all"), Values: values[q.told()]})
			continue
		}
		for i, of := range q.quantiles {
			out = append(out, series{Name: of.name, Values: values[i]})
		}
	}
	return out
}

// quantileLines reads the histograms of the run once and fills all that is wanted.
func (a axis) quantileLines(wanted []*quantileLines) error {
	if len(wanted) == 0 {
		return nil
	}
	now := 0
	err := a.r.Intervals(func(l *rundir.Line) bool {
		return slices.ContainsFunc(wanted, func(q *quantileLines) bool { return q.pick.Matches(&l.Series) })
	}, func(second int, l *rundir.Line, h *metrics.Hist) {
		bin := a.bin(second)
		for _, q := range wanted {
			x := q.line(&l.Series, a.n)
			switch {
			case x == nil:
			case h.N == 0: // these come before all others
				x.censored[bin] += h.Censored
			}
		}
		if h.N == 0 {
			return
		}
		if bin != now {
			for _, q := range wanted {
				q.finish(now)
			}
			now = bin
		}
		for _, q := range wanted {
			if x := q.line(&l.Series, a.n); x != nil {
				x.hist.Merge(h)
			}
		}
	})
	for _, q := range wanted {
		if a.n > 0 {
			q.finish(now)
		}
	}
	return err
}
