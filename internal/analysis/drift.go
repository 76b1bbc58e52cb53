package analysis

import (
	"fmt"
	"math"

	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/stats"
)

const (
	// driftBin is the length of a bin in seconds; a run that holds fewer than
	// driftBins of them gets shorter ones, down to shortBin.
	driftBin  = 30.0
	shortBin  = 10.0
	driftBins = 30
	// mostBins bounds the pairs that Sen's slope is the median of.
	mostBins = 480
	// driftLevel is how likely a false alarm may be in a run without a drift,
	// over all its series (Bonferroni's correction).
	driftLevel = 0.01
	// driftSize is the change over the run, as a part of the median, from which a
	// drift matters.
	driftSize = 0.1
	// driftKnown is the share of bins that must hold a figure.
	driftKnown = 0.8
)

// driftFloor is the change over the run below which a drift means nothing,
// however large a part of the median it is: milliseconds, bytes, a number, a
// share.
var driftFloor = map[string]float64{
	GroupLatency: 0.1, GroupPoolWait: 0.1, GroupMemory: 1e6, GroupConnections: 2, GroupQueue: 10, GroupHitRatio: 0.01,
}

// driftPlan is the part of a run in which drifts are looked for.
type driftPlan struct {
	// asked is false where the profile holds no load steady for long enough for
	// the question to make sense; why says why it has no answer.
	asked bool
	why   string
	// planned is how long the steady load was to last, in seconds.
	planned  float64
	from, to float64
	bin      float64
	bins     int
}

// planDrift finds the judged stage of constant rate that takes more than half of
// the profile, and cuts it into bins.
func (a *axis) planDrift() driftPlan {
	var whole float64
	var longest *rundir.StageInfo
	for i := range a.stages {
		s := &a.stages[i]
		whole += s.Duration
		if s.Judged && constantLoad(s) && (longest == nil || s.Duration > longest.Duration) {
			longest = s
		}
	}
	if longest == nil || 2*longest.Duration <= whole {
		return driftPlan{}
	}
	p := driftPlan{asked: true, planned: longest.Duration, from: longest.Start, to: min(longest.Start+longest.Duration, a.ended())}
	length := p.to - p.from
	if length < driftBins*shortBin-1 {
		p.why = fmt.Sprintf("the run is too short: steady load for %s, a drift needs %s, %d bins of %s",
			seconds(max(length, 0)), seconds(driftBins*shortBin), driftBins, seconds(shortBin))
		return p
	}
	p.bin = min(driftBin, length/driftBins)
	p.bin = max(p.bin, length/mostBins)
	p.bins = int(length/p.bin + 1e-6)
	return p
}

// binOf returns the bin that holds the middle of a second, -1 for none.
func (p *driftPlan) binOf(a *axis, second int) int {
	if p.bins == 0 {
		return -1
	}
	middle := a.start[second] + a.length[second]/2
	b := int(math.Floor((middle - p.from) / p.bin))
	if b < 0 || b >= p.bins {
		return -1
	}
	return b
}

// binned is a series in bins, NaN where nothing is known.
type binned struct {
	group, key, unit, figure string
	values                   []float64
}

// binGauges returns the gauges and rates that are tested.
func (a *axis) binGauges(p *driftPlan) []binned {
	var out []binned
	for i := range a.gauges {
		g := &a.gauges[i]
		group := groupOf(&g.series)
		if group == "" || group == GroupMemory && g.series.Unit != "bytes" {
			continue
		}
		sums, n := make([]float64, p.bins), make([]float64, p.bins)
		for s, v := range g.values {
			if b := p.binOf(a, s); b >= 0 && !math.IsNaN(v) {
				sums[b] += v
				n[b]++
			}
		}
		out = append(out, binned{group, g.key, string(g.series.Unit), "mean", divide(sums, n)})
	}
	return append(out, a.binRates(p)...)
}

func (a *axis) binRates(p *driftPlan) []binned {
	var out []binned
	at := map[string]int{}
	var hits, all [][]float64
	for _, l := range a.run.Lines {
		if l.Of == nil || groupOf(&l.Series) == "" {
			continue
		}
		i, known := at[l.Series.Name]
		if !known {
			i = len(out)
			at[l.Series.Name] = i
			out = append(out, binned{groupOf(&l.Series), l.Series.Name, string(l.Series.Unit), "ratio", nil})
			hits, all = append(hits, make([]float64, p.bins)), append(all, make([]float64, p.bins))
		}
		for j, second := range l.At {
			if b := p.binOf(a, second); b >= 0 {
				hits[i][b] += l.Value[j]
				all[i][b] += l.Of[j]
			}
		}
	}
	for i := range out {
		out[i].values = divide(hits[i], all[i])
	}
	return out
}

// divide returns x ÷ n, NaN where n is 0.
func divide(x, n []float64) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = math.NaN()
		if n[i] > 0 {
			out[i] = x[i] / n[i]
		}
	}
	return out
}

// drifts tests every series.
func (p *driftPlan) drifts(series []binned, limits map[string]float64) []Drift {
	out := make([]Drift, 0, len(series))
	for i := range series {
		out = append(out, p.drift(&series[i], len(series), limits))
	}
	return out
}

// drift tests one series of many.
func (p *driftPlan) drift(b *binned, many int, limits map[string]float64) Drift {
	d := Drift{Group: b.group, Series: b.key, Unit: b.unit, Figure: b.figure, From: p.from, To: p.to,
		Bin: p.bin, Bins: p.bins, P: 1, Limit: driftLevel / float64(many)}
	var t, x []float64
	for i, v := range b.values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			t = append(t, p.bin*(float64(i)+0.5))
			x = append(x, v)
		}
	}
	if float64(len(x)) < driftKnown*float64(p.bins) || len(x) < 4 {
		d.Because = fmt.Sprintf("it is known in %d of %d bins only", len(x), p.bins)
		return d
	}
	trend, _ := stats.MannKendall(x)
	slope, ok := stats.Sen(t, x, trend.Variance*trend.Cautious, 0.95)
	if !ok {
		d.Because = "it has no slope"
		return d
	}
	length := p.bin * float64(p.bins)
	d.Known, d.P, d.Median = true, significance(trend, x), stats.Median(x)
	d.Slope, d.Low, d.High = slope.Slope, slope.Low, slope.High
	floor := driftFloor[b.group]
	d.Change = slope.Slope * length / max(math.Abs(d.Median), floor)
	worse := slope.Slope > 0
	if b.group == GroupHitRatio {
		worse = slope.Slope < 0
	}
	large := math.Abs(d.Change) >= driftSize && math.Abs(slope.Slope)*length >= floor
	d.Drifts = worse && large && d.P < d.Limit && !settled(t, x, slope.Slope)
	if limit, known := limits[b.key]; known && d.Drifts {
		d.Reaches = reach(t, x, slope.Slope, length, limit)
	}
	return d
}

// outstanding is by how many standard deviations of the noise a change must stand out
// for the plain test to be enough.
const outstanding = 6.0

// significance is the likelihood of such a trend without one: the smaller of
// Mann-Kendall's and of that of the steps, times two. Mann-Kendall's plain
// correction for autocorrelation finds too much where noise is slow, the cautious
// one too little; the plain one counts where the change stands out of the noise.
func significance(trend stats.Trend, x []float64) float64 {
	p := trend.P
	if stats.Clarity(x) < outstanding {
		p = trend.CautiousP
	}
	return min(1, 2*min(p, stats.StepTest(x)))
}

// settled says whether a series that moved has come to rest: in its second half
// it surely moves at less than half the speed of the whole. What a warm-up fills
// grows so, a leak does not.
func settled(t, x []float64, whole float64) bool {
	half := len(x) / 2
	trend, ok := stats.MannKendall(x[half:])
	if !ok {
		return false
	}
	s, ok := stats.Sen(t[half:], x[half:], trend.Variance*trend.Cautious, 0.95)
	if !ok {
		return false
	}
	if whole < 0 {
		return s.Low > whole/2
	}
	return s.High < whole/2
}

// reach returns when a line through the points reaches the limit after the end
// of the run, nil where it moves away from it or has passed it.
func reach(t, x []float64, slope, length, limit float64) *Reach {
	rest := make([]float64, len(x))
	for i := range x {
		rest[i] = x[i] - slope*t[i]
	}
	at := stats.Median(rest) + slope*length
	in := (limit - at) / slope
	if slope == 0 || in < 0 || math.IsInf(in, 0) || math.IsNaN(in) {
		return nil
	}
	return &Reach{Limit: limit, In: in}
}
