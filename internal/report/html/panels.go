package html

import (
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// panels returns every chart over time; those of load and response time come first.
func (a axis) panels(response []*metrics.Hist) ([]panel, error) {
	lag, err := a.trend(metrics.DispatchLag.Name)
	if err != nil {
		return nil, err
	}
	out := []panel{a.load(), percentiles(responseChart, "Response time",
		"from when an arrival was due until it was done; percentiles of each point's own arrivals", response), a.errors()}
	out = a.users(append(out, a.gauges()...))
	failures, err := a.trend(metrics.FailureTime.Name)
	if err != nil {
		return nil, err
	}
	out = append(out, percentiles(failureChart, "Time until arrivals failed", metrics.FailureTime.Help, failures))
	p := percentiles("lag", "Release lag", "from when an arrival was due until it started: the generator's own lateness", lag)
	p.Group = generatorGroup
	return append(out, p), nil
}

// quantiles are the lines of a chart of percentiles.
var quantiles = []namedQuantile{{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"max", 1}}

func percentiles(id, title, help string, bins []*metrics.Hist) panel {
	p := panel{ID: id, Title: title, Help: help, Unit: string(metrics.UnitTime), Log: true}
	for _, q := range quantiles {
		x := series{Name: q.name, Values: make([]*float64, len(bins))}
		for i, h := range bins {
			if h != nil && h.N > 0 {
				x.Values[i] = quantileOf(h, q.q)
			}
		}
		p.Series = append(p.Series, x)
	}
	return p
}

// quantileOf returns a quantile in milliseconds for a chart, where it may stand among
// values that are only known to be larger; nil where there are too few to tell.
func quantileOf(h *metrics.Hist, q float64) *float64 {
	if q < 1 && float64(h.N+h.Censored)*(1-q) < 1 {
		return nil
	}
	v, _, ok := h.Quantile(q)
	if !ok {
		return nil
	}
	return at(float64(v) / 1e6)
}

func (a axis) load() panel {
	help := "arrivals due and arrivals that succeeded"
	if closed(a.r) {
		help += "; users offer what they come to"
	}
	return panel{
		ID: loadChart, Title: "Load", Unit: string(metrics.UnitPerSec), Help: help,
		Series: []series{{Name: "offered", Values: a.counter(metrics.Arrivals.Name), Style: "dashed"},
			{Name: "achieved", Values: a.counter(metrics.ArrivalsSucceeded.Name)}},
	}
}

// errors shows what did not succeed by its kind, the most frequent ones first.
func (a axis) errors() panel {
	p := panel{ID: errorChart, Title: "Errors", Unit: string(metrics.UnitPerSec), Help: "arrivals that failed, by kind, were dropped, or did not finish"}
	byKind := map[string][]*rundir.Line{}
	count := map[string]float64{}
	for _, l := range a.r.Lines {
		word, is := lostWord(l.Series.Name)
		if !is {
			continue
		}
		if word == "failed" && l.Series.Outcome != "" {
			word = l.Series.Outcome
		}
		byKind[word] = append(byKind[word], l)
		for _, v := range l.Value {
			count[word] += v
		}
	}
	kinds := sorted(byKind)
	slices.SortStableFunc(kinds, func(x, y string) int {
		switch {
		case count[x] > count[y]:
			return -1
		case count[x] < count[y]:
			return 1
		}
		return 0
	})
	for i, kind := range kinds {
		if count[kind] == 0 {
			continue
		}
		if i >= mostLines-1 && i < len(kinds)-1 { // the rest in one line
			var rest []*rundir.Line
			for _, k := range kinds[i:] {
				rest = append(rest, byKind[k]...)
			}
			p.Series = append(p.Series, series{Name: "other", Values: a.sum(rest)})
			break
		}
		p.Series = append(p.Series, series{Name: kind, Values: a.sum(byKind[kind])})
	}
	return p
}

// lostWord says how arrivals that the counter counts were lost.
func lostWord(name string) (string, bool) {
	switch name {
	case metrics.ArrivalsFailed.Name:
		return "failed", true
	case metrics.ArrivalsDropped.Name:
		return "dropped", true
	case metrics.ArrivalsUnfinished.Name:
		return "unfinished", true
	}
	return "", false
}

// The groups of charts, each under a heading of its own.
const (
	generatorGroup = "generator"
	processGroup   = "processes"
	arrivalGroup   = "arrivals"
	targetGroup    = "targets"
	judgedGroup    = "judged"
)

func gaugeChart(name string) string { return "gauge-" + name }

// gauges returns a chart for each gauge, one line for each of its series; stages
// follow one another in time and are one line.
func (a axis) gauges() []panel {
	byName := map[string][]*rundir.Line{}
	for _, l := range a.r.Lines {
		if l.Series.Kind == metrics.KindGauge {
			byName[l.Series.Name] = append(byName[l.Series.Name], l)
		}
	}
	var out []panel
	for _, name := range sorted(byName) {
		d := byName[name][0].Series.Desc
		out = append(out, panel{ID: gaugeChart(name), Title: name, Help: d.Help, Unit: string(d.Unit), Group: groupOf(d.Of), Series: a.levels(byName[name])})
	}
	return out
}

// groupOf says under which heading a gauge stands.
func groupOf(s metrics.Subject) string {
	switch s {
	case metrics.OfGenerator:
		return generatorGroup
	case metrics.OfProcess:
		return processGroup
	case metrics.OfArrivals:
		return arrivalGroup
	}
	return targetGroup
}

// labelOf names a series by its tags, or else by its metric.
func labelOf(name string, t metrics.Tags) string {
	var parts []string
	for _, s := range []string{t.Scenario, t.Operation, t.Outcome, t.Group} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return name
	}
	return strings.Join(parts, " ")
}

// perSecond is the unit of how fast something grows that is counted in u.
func perSecond(u metrics.Unit) string {
	if u == metrics.UnitBytes {
		return "bytes/s"
	}
	return string(metrics.UnitPerSec)
}
