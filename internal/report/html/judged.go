package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// subject is what rules are about: the series of a metric that they pick, whatever
// the stage.
type subject struct {
	metrics.Selector
	// quantile is the percentile that the rules judge, 0.95 where they judge another
	// figure.
	quantile float64
	// missed says that a rule about it was missed, and note how.
	missed bool
	note   string
	limits []limit
}

// subjects returns what the rules of a run are about, each once: what was missed
// first, then in the order of the rules. Rules about what the run did not exercise
// are left out.
func subjects(s *summary.Summary) []subject {
	var out []subject
	for _, r := range s.SLA {
		if r.Status == sla.NotExercised {
			continue
		}
		key, ok := metrics.ParseKey(r.Metric)
		if !ok {
			key = metrics.Series{Desc: metrics.Desc{Name: r.Metric}}
		}
		key.Stage = ""
		i := slices.IndexFunc(out, func(x subject) bool { return x.Name == key.Name && x.Tags == key.Tags })
		if i < 0 {
			i = len(out)
			out = append(out, subject{Selector: metrics.Selector{Name: key.Name, Tags: key.Tags}, quantile: 0.95})
		}
		out[i].add(r)
	}
	slices.SortStableFunc(out, func(a, b subject) int { return cmp.Compare(b.rank(), a.rank()) })
	return out
}

// add takes in what came of one rule.
func (x *subject) add(r sla.Result) {
	rule, err := sla.ParseThreshold(r.Threshold)
	if err == nil && rule.Stat.Name == "p" && (!x.missed || r.Breaches()) {
		x.quantile = rule.Stat.Percent / 100
	}
	if r.Breaches() || r.Status == sla.Failed || r.Status == sla.Warned || r.Status == sla.NoData {
		if !x.missed || r.Stage == "" {
			x.note = r.Actual + ", target " + r.Target
		}
		x.missed = true
	}
	// A count or a share over all the run is no line over its time.
	if r.TargetValue == nil || err == nil && rule.Stat.Name == "count" {
		return
	}
	// A figure that a metric has by itself needs no name on its own chart.
	l := limit{Name: r.Target, Value: *r.TargetValue}
	if r.Aggregation == sla.OwnValue {
		l.Name = r.Bound
	}
	if !slices.Contains(x.limits, l) {
		x.limits = append(x.limits, l)
	}
}

// rank puts what was missed before what held.
func (x subject) rank() int {
	if x.missed {
		return 1
	}
	return 0
}

// The charts that are there whatever was judged.
const (
	loadChart     = "load"
	responseChart = "response"
	errorChart    = "errors"
	failureChart  = "failures"
)

// usualChart returns the chart that shows a subject already, empty for none.
func (x subject) usualChart() string {
	if x.Tags != (metrics.Tags{}) {
		return ""
	}
	switch x.Name {
	case metrics.ResponseTime.Name:
		return responseChart
	case sla.AchievedRatio, sla.Throughput:
		return loadChart
	case metrics.Arrivals.Name, metrics.ArrivalsSucceeded.Name:
		return loadChart
	case metrics.FailureTime.Name:
		return failureChart
	case metrics.ArrivalsFailed.Name, metrics.ArrivalsDropped.Name, metrics.ArrivalsUnfinished.Name:
		return errorChart
	}
	return gaugeChart(x.Name)
}

// judged gives every subject its chart: a usual one takes the rules' lines, others are
// added. It returns the ids of the charts of what was missed, in their order.
func (a axis) judged(panels []panel, all []subject) ([]panel, []string, error) {
	var missed []string
	chart := map[int]int{} // subject → panel
	for i, x := range all {
		id := x.usualChart()
		at := slices.IndexFunc(panels, func(p panel) bool { return p.ID == id })
		if at < 0 {
			p, ok := a.chartOf(x)
			if !ok {
				continue
			}
			p.ID, p.Group = fmt.Sprintf("judged-%d", i), judgedGroup
			at = len(panels)
			panels = append(panels, p)
		}
		chart[i] = at
		p := &panels[at]
		if x.Name != sla.AchievedRatio { // its target is a share, the chart shows rates
			p.Limits = append(p.Limits, x.limits...)
		}
		if x.missed {
			p.Note, p.Group = x.note, ""
			if !slices.Contains(missed, p.ID) {
				missed = append(missed, p.ID)
			}
		}
	}
	return panels, missed, a.fillTrends(panels, all, chart)
}

// chartOf returns the chart of a subject that no usual chart shows; ok is false where
// the run has none of it. The lines of a trend are filled by fillTrends.
func (a axis) chartOf(x subject) (p panel, ok bool) {
	if x.Name == sla.ErrorRate {
		return a.errorRate(x.Tags), true
	}
	var lines []*rundir.Line
	for _, l := range a.r.Lines {
		if x.Matches(&l.Series) {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return panel{}, false
	}
	d := lines[0].Series.Desc
	p = panel{Title: metrics.Series{Desc: d, Tags: x.Tags}.Key(), Help: d.Help, Unit: string(d.Unit)}
	switch d.Kind {
	case metrics.KindTrend:
		p.Log = true
	case metrics.KindRate:
		p.Series = a.ratios(lines)
	case metrics.KindCounter:
		p.Unit = perSecond(d.Unit)
		p.Series = []series{{Name: d.Name, Values: a.sum(lines)}}
	case metrics.KindGauge:
		p.Series = a.levels(lines)
	}
	return p, true
}

// errorRate is the share of the arrivals due that did not succeed.
func (a axis) errorRate(t metrics.Tags) panel {
	of := func(d metrics.Desc) []*rundir.Line {
		var out []*rundir.Line
		for _, l := range a.r.Lines {
			if (metrics.Selector{Name: d.Name, Tags: t}).Matches(&l.Series) {
				out = append(out, l)
			}
		}
		return out
	}
	due := a.total(of(metrics.Arrivals))
	lost := a.total(append(append(of(metrics.ArrivalsFailed), of(metrics.ArrivalsDropped)...), of(metrics.ArrivalsUnfinished)...))
	values := make([]*float64, a.n)
	for i := range values {
		if due[i] > 0 {
			values[i] = at(min(lost[i]/due[i], 1))
		}
	}
	return panel{Title: metrics.Series{Desc: metrics.Desc{Name: sla.ErrorRate}, Tags: t}.Key(), Unit: string(metrics.UnitRatio),
		Help: "arrivals that failed, were dropped or did not finish ÷ arrivals due", Series: []series{{Name: sla.ErrorRate, Values: values, Style: "area"}}}
}

// mostLines bounds the lines of a chart by operation: more cannot be told apart.
const mostLines = 8

// fillTrends fills the charts of judged times, and gives each time that several
// operations have a chart with a line for each of them: the steps of a flow, the
// statements of a table.
func (a axis) fillTrends(panels []panel, all []subject, chart map[int]int) error {
	var wanted []*quantileLines
	into := map[*quantileLines]int{}
	for i, x := range all {
		p, ok := chart[i]
		if !ok || !panels[p].Log || panels[p].Series != nil {
			continue
		}
		q := &quantileLines{pick: x.Selector, quantiles: quantiles}
		if x.Operation == "" && a.operations(x.Selector) > 1 {
			q.byOperation, q.quantiles = true, []namedQuantile{{percentName(x.quantile), x.quantile}, {slowest, 1}}
		}
		wanted, into[q] = append(wanted, q), p
	}
	if err := a.quantileLines(wanted); err != nil {
		return err
	}
	for _, q := range wanted {
		p := &panels[into[q]]
		if p.Series = q.series(mostLines); q.byOperation {
			p.Title += ", " + q.quantiles[q.told()].name + " by operation"
		}
	}
	return nil
}

// operations counts the operations that a time is measured of.
func (a axis) operations(q metrics.Selector) int {
	seen := map[string]bool{}
	for _, l := range a.r.Lines {
		if l.Series.Operation != "" && q.Matches(&l.Series) {
			seen[l.Series.Operation] = true
		}
	}
	return len(seen)
}

func percentName(q float64) string {
	if q >= 1 {
		return "max"
	}
	return fmt.Sprintf("p%g", math.Round(q*1e6)/1e4)
}
