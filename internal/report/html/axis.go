package html

import (
	"math"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// mostBins bounds the points of a chart: a longer run has longer bins, whose
// percentiles are those of their merged histograms.
const mostBins = 600

// axis puts seconds into bins.
type axis struct {
	width int // seconds a bin
	n     int
	r     *rundir.Run
}

func newAxis(r *rundir.Run) axis {
	last := 0
	for _, s := range r.Seconds {
		last = max(last, int(s.Start/time.Second))
	}
	a := axis{r: r, width: max((last+mostBins)/mostBins, 1)}
	if len(r.Seconds) > 0 {
		a.n = last/a.width + 1
	}
	return a
}

// bin returns the bin of the second with that index.
func (a axis) bin(second int) int { return int(a.r.Seconds[second].Start/time.Second) / a.width }

// trend returns the merged histograms of a metric's bins; nil where nothing was
// recorded.
func (a axis) trend(name string) ([]*metrics.Hist, error) {
	out := make([]*metrics.Hist, a.n)
	err := a.r.Intervals(func(l *rundir.Line) bool { return l.Series.Name == name }, func(second int, _ *rundir.Line, h *metrics.Hist) {
		b := a.bin(second)
		if out[b] == nil {
			out[b] = new(metrics.Hist)
		}
		out[b].Merge(h)
	})
	return out, err
}

func at(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	v = roundTo(v, 5)
	return &v
}

// roundTo keeps so many significant digits: more would only be bytes.
func roundTo(v float64, digits int) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, float64(digits)-math.Ceil(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// width returns how many seconds of bin i were recorded.
func (a axis) widths() []float64 {
	out := make([]float64, a.n)
	for i, s := range a.r.Seconds {
		out[a.bin(i)] += (s.End - s.Start).Seconds()
	}
	return out
}

// counter returns a counter per second in each bin.
func (a axis) counter(name string) []*float64 {
	var lines []*rundir.Line
	for _, l := range a.r.Lines {
		if l.Series.Name == name {
			lines = append(lines, l)
		}
	}
	return a.sum(lines)
}

// sum returns what counters grew by per second in each bin.
func (a axis) sum(lines []*rundir.Line) []*float64 {
	widths, total := a.widths(), a.total(lines)
	out := make([]*float64, a.n)
	for i := range out {
		if widths[i] > leastOfBin*float64(a.width) || i == 0 && widths[i] > 0 {
			out[i] = at(total[i] / widths[i])
		}
	}
	return out
}

// leastOfBin is the share of a bin that must have been recorded for a rate: what ends in
// the last instant of a run would be a peak that was none.
const leastOfBin = 0.2

// total returns what counters grew by in each bin.
func (a axis) total(lines []*rundir.Line) []float64 {
	out := make([]float64, a.n)
	for _, l := range lines {
		for i, v := range l.Value {
			out[a.bin(l.At[i])] += v
		}
	}
	return out
}

// byLabel puts lines together that only differ in their stage: stages follow one
// another in time and are one line.
func byLabel(lines []*rundir.Line) map[string][]*rundir.Line {
	out := map[string][]*rundir.Line{}
	for _, l := range lines {
		label := labelOf(l.Series.Name, l.Series.Tags)
		out[label] = append(out[label], l)
	}
	return out
}

// levels returns the mean readings of gauges in each bin, times in milliseconds.
func (a axis) levels(lines []*rundir.Line) (out []series) {
	all := byLabel(lines)
	for _, label := range sorted(all) {
		sum, n := make([]float64, a.n), make([]float64, a.n)
		scale := 1.0
		for _, l := range all[label] {
			if l.Series.Unit == metrics.UnitTime {
				scale = 1e6 // recorded in nanoseconds
			}
			for i, v := range l.Value {
				b := a.bin(l.At[i])
				sum[b], n[b] = sum[b]+v, n[b]+1
			}
		}
		s := series{Name: label, Values: make([]*float64, a.n)}
		for i := range n {
			if n[i] > 0 {
				s.Values[i] = at(sum[i] / n[i] / scale)
			}
		}
		out = append(out, s)
	}
	return out
}

// ratios returns the shares of rates in each bin.
func (a axis) ratios(lines []*rundir.Line) (out []series) {
	all := byLabel(lines)
	for _, label := range sorted(all) {
		hits, of := make([]float64, a.n), make([]float64, a.n)
		for _, l := range all[label] {
			for i, v := range l.Value {
				b := a.bin(l.At[i])
				hits[b], of[b] = hits[b]+v, of[b]+l.Of[i]
			}
		}
		s := series{Name: label, Values: make([]*float64, a.n)}
		for i := range of {
			if of[i] > 0 {
				s.Values[i] = at(hits[i] / of[i])
			}
		}
		out = append(out, s)
	}
	return out
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
