package html

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// charts is the data of the charts. Times are in seconds since the first arrival
// could be due, response times in milliseconds; null stands for what is not
// known.
type charts struct {
	// Bin is how many seconds each point stands for, T when each bin starts, and
	// End when the last one ends.
	Bin    float64     `json:"bin"`
	T      []float64   `json:"t"`
	End    float64     `json:"end"`
	Stages []stageSpan `json:"stages"`
	Marks  []finding   `json:"marks"`
	Limits []limit     `json:"limits"`
	Panels []panel     `json:"panels"`
	Heat   heat        `json:"heat"`
	Curves []curve     `json:"curves"`
}

type stageSpan struct {
	Name   string  `json:"name"`
	Class  string  `json:"class"`
	Judged bool    `json:"judged"`
	From   float64 `json:"from"`
	To     float64 `json:"to"`
}

// finding is the interval in which a finding is to be seen.
type finding struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Title string  `json:"title"`
}

// limit is a rule about response time, drawn as a line.
type limit struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// panel is a chart over time.
type panel struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Help  string `json:"help"`
	Unit  string `json:"unit"`
	Group string `json:"group"`
	// Log asks for a logarithmic axis, Limits for the rules' lines.
	Log    bool     `json:"log,omitempty"`
	Limits bool     `json:"limits,omitempty"`
	Series []series `json:"series"`
}

type series struct {
	Name   string     `json:"name"`
	Values []*float64 `json:"values"`
	// Base are the values of the baseline at the same time since its start; nil
	// without one.
	Base []*float64 `json:"base,omitempty"`
	// Style is line, dashed or area.
	Style string `json:"style,omitempty"`
}

// heat is how many arrivals had which response time when: Rows are the upper
// bounds of its rows in milliseconds, Cells their counts by bin and row.
type heat struct {
	Rows  []float64  `json:"rows"`
	Cells [][3]int64 `json:"cells"` // bin, row, count
}

// curve is the percentile spectrum of a stage: pairs of 1/(1-q) and
// milliseconds.
type curve struct {
	Name   string       `json:"name"`
	Points [][2]float64 `json:"points"`
	// Base says that it is the baseline's.
	Base bool `json:"base,omitempty"`
}

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

// gather makes the charts of a run, with those of base, where it is not nil, behind
// them.
func gather(r *rundir.Run, s *summary.Summary, base *rundir.Run) (*charts, error) {
	a := newAxis(r)
	c := &charts{Bin: float64(a.width), T: make([]float64, a.n), End: r.Elapsed.Seconds(), Limits: limits(s), Marks: []finding{}}
	for i := range c.T {
		c.T[i] = float64(i * a.width)
	}
	for _, st := range r.Info.Stages {
		c.Stages = append(c.Stages, stageSpan{st.Name, st.Class, st.Judged, st.Start, st.Start + st.Duration})
	}
	for _, f := range answersOf(s).Findings {
		if f.Evidence.To > f.Evidence.From {
			c.Marks = append(c.Marks, finding{f.Evidence.From, f.Evidence.To, f.Title})
		}
	}
	c.Marks = append(c.Marks, slowMarks(s)...)
	response, err := a.trend(metrics.ResponseTime.Name)
	if err != nil {
		return nil, err
	}
	if c.Panels, err = a.panels(response); err != nil {
		return nil, err
	}
	c.Heat = heatOf(response)
	c.Curves = curves(r)
	if base == nil {
		return c, nil
	}
	return c, c.behind(base)
}

// panels returns every chart over time.
func (a axis) panels(response []*metrics.Hist) ([]panel, error) {
	lag, err := a.trend(metrics.DispatchLag.Name)
	if err != nil {
		return nil, err
	}
	out := []panel{a.load(), percentiles("response", "Response time",
		"from when an arrival was due until it was done; percentiles of each point's own arrivals", response), a.errors()}
	out[1].Limits = true
	out = append(out, a.gauges()...)
	p := percentiles("lag", "Release lag", "from when an arrival was due until it started: the generator's own lateness", lag)
	p.Group = generatorGroup
	return append(out, p), nil
}

// behind adds the lines of the baseline, second by second since its start.
func (c *charts) behind(base *rundir.Run) error {
	a := newAxis(base)
	a.width = int(c.Bin)
	if len(base.Seconds) > 0 {
		a.n = int(base.Seconds[len(base.Seconds)-1].Start/time.Second)/a.width + 1
	}
	response, err := a.trend(metrics.ResponseTime.Name)
	if err != nil {
		return err
	}
	panels, err := a.panels(response)
	if err != nil {
		return err
	}
	lines := map[[2]string][]*float64{}
	for _, p := range panels {
		for _, s := range p.Series {
			lines[[2]string{p.ID, s.Name}] = s.Values
		}
	}
	for i := range c.Panels {
		for j := range c.Panels[i].Series {
			s := &c.Panels[i].Series[j]
			old := lines[[2]string{c.Panels[i].ID, s.Name}]
			if old == nil {
				continue
			}
			s.Base = make([]*float64, len(c.T))
			copy(s.Base, old)
		}
	}
	if of := curves(base); len(of) > 0 {
		last := of[len(of)-1] // all stages, or the only one
		c.Curves = append(c.Curves, curve{Name: "baseline", Points: last.Points, Base: true})
	}
	return nil
}

// limits returns the rules about response time as lines.
func limits(s *summary.Summary) []limit {
	out := []limit{}
	for _, r := range s.SLA {
		if r.Metric != metrics.ResponseTime.Name || r.Stage != "" || r.Status == sla.NotExercised {
			continue
		}
		rule, err := sla.ParseThreshold(r.Threshold)
		if err != nil {
			continue
		}
		out = append(out, limit{rule.Stat.String(), rule.Value / 1e6})
	}
	return out
}

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

// quantiles are the lines of a chart of percentiles.
var quantiles = []struct {
	name string
	q    float64
}{{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"max", 1}}

func percentiles(id, title, help string, bins []*metrics.Hist) panel {
	p := panel{ID: id, Title: title, Help: help, Unit: string(metrics.UnitTime), Log: true}
	for _, q := range quantiles {
		x := series{Name: q.name, Values: make([]*float64, len(bins))}
		for i, h := range bins {
			if h == nil || h.N == 0 || q.q < 1 && float64(h.N+h.Censored)*(1-q.q) < 1 {
				continue // too few to tell
			}
			if v, _, ok := h.Quantile(q.q); ok {
				x.Values[i] = at(float64(v) / 1e6)
			}
		}
		p.Series = append(p.Series, x)
	}
	return p
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
	widths := a.widths()
	sum := make([]float64, a.n)
	for _, l := range a.r.Lines {
		if l.Series.Name != name {
			continue
		}
		for i, v := range l.Value {
			sum[a.bin(l.At[i])] += v
		}
	}
	out := make([]*float64, a.n)
	for i := range out {
		if widths[i] > 0 {
			out[i] = at(sum[i] / widths[i])
		}
	}
	return out
}

func (a axis) load() panel {
	return panel{
		ID: "load", Title: "Load", Unit: string(metrics.UnitPerSec), Help: "arrivals due and arrivals that succeeded, per second",
		Series: []series{{Name: "offered", Values: a.counter(metrics.Arrivals.Name), Style: "dashed"},
			{Name: "achieved", Values: a.counter(metrics.ArrivalsSucceeded.Name)}},
	}
}

func (a axis) errors() panel {
	return panel{
		ID: "errors", Title: "Errors", Unit: string(metrics.UnitPerSec), Help: "arrivals that failed, were dropped, or did not finish, per second",
		Series: []series{{Name: "failed", Values: a.counter(metrics.ArrivalsFailed.Name), Style: "area"},
			{Name: "dropped", Values: a.counter(metrics.ArrivalsDropped.Name), Style: "area"},
			{Name: "unfinished", Values: a.counter(metrics.ArrivalsUnfinished.Name), Style: "area"}},
	}
}

const generatorGroup = "generator"

// gauges returns a chart for each gauge, one line for each of its series; stages
// follow one another in time and are one line.
func (a axis) gauges() []panel {
	type sum struct{ total, n []float64 }
	lines := map[string]map[string]*sum{}
	descs := map[string]metrics.Desc{}
	for _, l := range a.r.Lines {
		if l.Series.Kind != metrics.KindGauge {
			continue
		}
		name, label := l.Series.Name, labelOf(l.Series.Tags)
		if lines[name] == nil {
			lines[name], descs[name] = map[string]*sum{}, l.Series.Desc
		}
		x := lines[name][label]
		if x == nil {
			x = &sum{make([]float64, a.n), make([]float64, a.n)}
			lines[name][label] = x
		}
		for i, v := range l.Value {
			b := a.bin(l.At[i])
			x.total[b], x.n[b] = x.total[b]+v, x.n[b]+1
		}
	}
	var out []panel
	for _, name := range sorted(lines) {
		d := descs[name]
		scale := 1.0
		if d.Unit == metrics.UnitTime {
			scale = 1e6 // recorded in nanoseconds
		}
		p := panel{ID: "gauge-" + name, Title: name, Help: d.Help, Unit: string(d.Unit), Group: groupOf(d.Of)}
		for _, label := range sorted(lines[name]) {
			x := lines[name][label]
			s := series{Name: label, Values: make([]*float64, a.n)}
			for i, n := range x.n {
				if n > 0 {
					s.Values[i] = at(x.total[i] / n / scale)
				}
			}
			p.Series = append(p.Series, s)
		}
		out = append(out, p)
	}
	return out
}

// groupOf says under which heading a gauge stands.
func groupOf(s metrics.Subject) string {
	switch s {
	case metrics.OfGenerator:
		return generatorGroup
	case metrics.OfProcess:
		return "processes"
	case metrics.OfArrivals:
		return "arrivals"
	}
	return "targets"
}

func labelOf(t metrics.Tags) string {
	var parts []string
	for _, s := range []string{t.Scenario, t.Operation, t.Outcome, t.Group} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, " ")
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
