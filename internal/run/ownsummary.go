package run

import (
	"context"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// ownSummary lets the scenarios make something of the run's figures: texts by the
// name of the file that each is for, stdout and stderr among them.
func (x *Prepared) ownSummary(ctx context.Context, s *summary.Summary, t *metrics.Totals) map[string]string {
	var out map[string]string
	for _, sc := range x.scenarios {
		own, ok := sc.(scenarios.Summariser)
		if !ok {
			continue
		}
		texts, err := own.Summarise(context.WithoutCancel(ctx), figuresForScripts(s, t, own.TrendStats(), x.checksOf(t)))
		if err != nil {
			x.session.Observer.Warn("warning: the summary of the script: " + err.Error())
			continue
		}
		for name, text := range texts {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = text
		}
	}
	return out
}

// scriptMetric is a metric in the form that handleSummary of a k6 script takes, as
// k6's documentation describes it.
type scriptMetric struct {
	Type       metrics.Kind                 `json:"type"`
	Contains   string                       `json:"contains"`
	Values     map[string]float64           `json:"values"`
	Thresholds map[string]scriptedThreshold `json:"thresholds,omitempty"`
}

type scriptedThreshold struct {
	OK bool `json:"ok"`
}

type scriptCheck struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	ID     string `json:"id"`
	Passes int64  `json:"passes"`
	Fails  int64  `json:"fails"`
}

type scriptGroup struct {
	Name   string         `json:"name"`
	Path   string         `json:"path"`
	ID     string         `json:"id"`
	Groups []*scriptGroup `json:"groups"`
	Checks []scriptCheck  `json:"checks"`
}

// figuresForScripts are the run's figures for handleSummary, of trends those in stats.
func figuresForScripts(s *summary.Summary, t *metrics.Totals, stats []string, root *scriptGroup) []byte {
	all := map[string]*scriptMetric{}
	for name, m := range s.Metrics {
		if !ofSeries.MatchString(name) {
			all[name] = figuresOf(&m)
			if m.Trend != nil {
				all[name].Values = trendFigures(t.Trend(metrics.Selector{Name: name}), stats)
			}
		}
	}
	for i := range s.SLA {
		noteThreshold(all, &s.SLA[i])
	}
	text, _ := json.Marshal(map[string]any{ // of plain values: it has no error
		"metrics": all, "root_group": root,
		"state": map[string]any{"isStdOutTTY": false, "isStdErrTTY": false, "testRunDurationMs": s.Run.Duration * 1e3},
	})
	return text
}

// ofSeries are the names of single series, which perfctl tells apart by tags of its
// own.
var ofSeries = regexp.MustCompile(`\{(scenario|operation|stage|outcome|group):`)

func figuresOf(m *summary.Metric) *scriptMetric {
	x := &scriptMetric{Type: m.Type, Contains: "default", Values: map[string]float64{}}
	switch m.Unit {
	case metrics.UnitTime:
		x.Contains = "time"
	case metrics.UnitBytes:
		x.Contains = "data"
	}
	set := func(name string, v *float64) {
		if v != nil {
			x.Values[name] = *v
		}
	}
	switch {
	case m.Counter != nil:
		x.Values["count"] = float64(m.Counter.Count)
		set("rate", m.Counter.Rate)
	case m.Gauge != nil:
		x.Values["min"], x.Values["max"], x.Values["value"] = m.Gauge.Min, m.Gauge.Max, m.Gauge.Max
		set("value", m.Gauge.Last)
	case m.Rate != nil:
		x.Values["passes"], x.Values["fails"], x.Values["rate"] = float64(m.Rate.Hits), float64(m.Rate.Total-m.Rate.Hits), 0
		set("rate", m.Rate.Rate)
	}
	return x
}

// trendFigures are a trend's figures in milliseconds, by the words of a threshold. Of few
// values a percentile is the one of the nearest rank.
func trendFigures(h *metrics.Hist, stats []string) map[string]float64 {
	out := map[string]float64{}
	if h == nil {
		h = &metrics.Hist{}
	}
	ms := func(ns float64) float64 { return ns / 1e6 }
	quantile := func(q float64) float64 {
		v, _, _ := h.Quantile(q)
		return ms(float64(v))
	}
	for _, name := range stats {
		switch name {
		case "avg":
			if out[name] = 0; h.N > 0 {
				out[name] = ms(h.Mean())
			}
		case "min":
			out[name] = ms(float64(h.Min))
		case "max":
			out[name] = ms(float64(h.Max))
		case "med":
			out[name] = quantile(0.5)
		case "count":
			out[name] = float64(h.N)
		default:
			if p, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimPrefix(name, "p("), ")"), 64); err == nil && p >= 0 && p <= 100 {
				out[name] = quantile(p / 100)
			}
		}
	}
	return out
}

// noteThreshold puts a threshold's outcome beside its metric.
func noteThreshold(all map[string]*scriptMetric, r *sla.Result) {
	m := all[r.Metric]
	rule, err := sla.ParseThreshold(r.Threshold)
	if m == nil || err != nil {
		return
	}
	if m.Thresholds == nil {
		m.Thresholds = map[string]scriptedThreshold{}
	}
	before, told := m.Thresholds[rule.Condition]
	// As the exit code has it: one that may stay undecided is no miss.
	m.Thresholds[rule.Condition] = scriptedThreshold{OK: !r.Breaches() && (before.OK || !told)}
}

// checksOf are the checks by the groups that they were made in.
func (x *Prepared) checksOf(t *metrics.Totals) *scriptGroup {
	root := &scriptGroup{Groups: []*scriptGroup{}, Checks: []scriptCheck{}}
	for _, series := range x.registry.Series() {
		if series.Name != "checks" || series.Operation == "" {
			continue
		}
		hits, total := t.Rate(metrics.Selector{Name: series.Name, Tags: series.Tags})
		in := root
		for name := range strings.SplitSeq(series.Group, "::") {
			if name != "" {
				in = in.child(name)
			}
		}
		path := in.Path + "::" + series.Operation
		in.Checks = append(in.Checks, scriptCheck{series.Operation, path, path, hits, total - hits})
	}
	return root
}

func (g *scriptGroup) child(name string) *scriptGroup {
	for _, c := range g.Groups {
		if c.Name == name {
			return c
		}
	}
	path := g.Path + "::" + name
	c := &scriptGroup{Name: name, Path: path, ID: path, Groups: []*scriptGroup{}, Checks: []scriptCheck{}}
	g.Groups = append(g.Groups, c)
	return c
}
