package rundir

import (
	"cmp"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Run is what a run recorded, whether read from its directory or taken from the
// run that is ending.
type Run struct {
	// Dir is the run directory, empty for a run that has none.
	Dir  string
	Info RunInfo
	// Totals holds each series' total.
	Totals *metrics.Totals
	// Elapsed is how long the run took, from the first arrival's due time to the
	// last second recorded.
	Elapsed time.Duration
	// Seconds is the time axis of Lines. It is empty for a run that was not read
	// from a directory.
	Seconds []Second
	// Lines are the series over time, sorted by key.
	Lines []*Line
	// Outcome is what summary.json says, nil where it is missing or damaged: the
	// run was killed, or goes on.
	Outcome *Outcome
	// Incomplete says that data is missing; Notes say what, and whatever else is
	// wrong with the directory.
	Incomplete bool
	Notes      []string
	// Killed says that the run did not come to its end, NoOutcome is the one of Notes
	// that says why there is no Outcome; empty where there is one.
	Killed    bool
	NoOutcome string
}

// NewRun returns the run that is ending, so that it can be summarised without
// its directory: totals are the collector's, elapsed is the end of its last
// snapshot.
func NewRun(info RunInfo, totals *metrics.Totals, elapsed time.Duration) *Run {
	return &Run{Info: info, Totals: totals, Elapsed: elapsed}
}

// Lose notes that data is missing, as Writer.Err may say of a run that is
// ending: its figures are then not to be trusted.
func (r *Run) Lose(what string) {
	r.Incomplete = true
	r.Notes = append(r.Notes, what)
}

// Second is one snapshot's interval.
type Second struct {
	// Start and End are times since the first arrival could be due.
	Start, End time.Duration
	// At is the wall-clock time of End.
	At time.Time
	// Stage is the stage in force in its middle.
	Stage string
}

// Line is one series over time. Its slices are as long as At.
type Line struct {
	Series metrics.Series
	// At holds the index in Run.Seconds of each point; seconds without an event
	// have none.
	At []int
	// Trend holds a trend's intervals.
	Trend []TrendPoint
	// Value is what a counter grew by, a gauge's reading, or a rate's hits, and
	// Of a rate's number of all.
	Value, Of []float64
}

// TrendPoint is a trend's interval: counts, and times in nanoseconds. The
// quantiles are those of the recorded values and hold the censored ones in
// their tail; -1 stands for one that falls among the censored values, and for
// all of them where Whole is false.
type TrendPoint struct {
	N, Over, Censored  int64
	Sum                float64
	Min, Max           int64
	P50, P90, P95, P99 int64
	// Whole says that the interval's histogram is in Run.Totals. Where it could
	// not be read, only its line in series.ndjson is known.
	Whole bool
}

// quantiles sets the quantiles from the interval's histogram.
func (p *TrendPoint) quantiles(h *metrics.Hist) {
	for _, q := range []struct {
		to *int64
		q  float64
	}{{&p.P50, 0.5}, {&p.P90, 0.9}, {&p.P95, 0.95}, {&p.P99, 0.99}} {
		v, atLeast, ok := h.Quantile(q.q)
		if atLeast || !ok {
			v = -1
		}
		*q.to = v
	}
}

// point returns the index of the point at the given second.
func (l *Line) point(second int) (int, bool) { return slices.BinarySearch(l.At, second) }

// Line returns the series of the given key over time, nil if there is none.
func (r *Run) Line(key string) *Line {
	i, ok := slices.BinarySearchFunc(r.Lines, key, func(l *Line, k string) int { return cmp.Compare(l.Series.Key(), k) })
	if !ok {
		return nil
	}
	return r.Lines[i]
}
