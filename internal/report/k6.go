package report

import (
	"cmp"
	"encoding/json"
	"io"
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// k6Group is a group of checks in the form that k6 writes.
type k6Group struct {
	Name   string              `json:"name"`
	Path   string              `json:"path"`
	ID     string              `json:"id"`
	Groups map[string]*k6Group `json:"groups"`
	Checks map[string]k6Check  `json:"checks"`
}

type k6Check struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	ID     string `json:"id"`
	Passes int64  `json:"passes"`
	Fails  int64  `json:"fails"`
}

// K6 writes the summary in the form of k6's --summary-export, as its documentation has
// it: the figures of each metric, the checks by group, and of each threshold whether it
// was missed: true is a miss there.
// The totals tell the checks apart, also where there is only one.
func K6(w io.Writer, s *summary.Summary, t *metrics.Totals) error {
	root := newGroup("", "")
	for _, x := range t.Select(metrics.Selector{Name: "checks"}) {
		if x.Series.Operation != "" {
			hits, total := t.Rate(metrics.Selector{Name: x.Series.Name, Tags: x.Series.Tags})
			root.add(x.Series.Group, x.Series.Operation, hits, total)
		}
	}
	all := map[string]map[string]any{}
	for key, m := range s.Metrics {
		series, ok := metrics.ParseKey(key)
		if ok && (series.Operation != "" || series.Group != "" || series.Scenario != "" || series.Stage != "" || series.Outcome != "") {
			continue
		}
		all[key] = k6Figures(&m)
	}
	for i := range s.SLA {
		k6Threshold(all, &s.SLA[i])
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "    ")
	e.SetEscapeHTML(false)
	return e.Encode(map[string]any{"metrics": all, "root_group": root})
}

func newGroup(name, path string) *k6Group {
	return &k6Group{Name: name, Path: path, ID: path, Groups: map[string]*k6Group{}, Checks: map[string]k6Check{}}
}

// add puts a check into its group; a group's path is names with :: between.
func (g *k6Group) add(group, name string, hits, total int64) {
	for part := range strings.SplitSeq(group, "::") {
		if part == "" {
			continue
		}
		if g.Groups[part] == nil {
			g.Groups[part] = newGroup(part, g.Path+"::"+part)
		}
		g = g.Groups[part]
	}
	path := g.Path + "::" + name
	g.Checks[name] = k6Check{Name: name, Path: path, ID: path, Passes: hits, Fails: total - hits}
}

func k6Figures(m *summary.Metric) map[string]any {
	out := map[string]any{}
	set := func(name string, v *float64) {
		if v != nil {
			out[name] = *v
		}
	}
	switch {
	case m.Trend != nil:
		d := m.Trend
		set("avg", d.Avg)
		set("min", d.Min)
		set("med", d.Med)
		set("max", d.Max)
		// Of so few values the nearest rank is the highest.
		set("p(90)", cmp.Or(d.P90, d.Max))
		set("p(95)", cmp.Or(d.P95, d.Max))
		set("p(99)", cmp.Or(d.P99, d.Max))
		out["count"] = d.Count
	case m.Counter != nil:
		out["count"] = m.Counter.Count
		set("rate", m.Counter.Rate)
	case m.Gauge != nil:
		out["min"], out["max"] = m.Gauge.Min, m.Gauge.Max
		set("value", m.Gauge.Last)
	case m.Rate != nil:
		set("value", m.Rate.Rate)
		out["passes"], out["fails"] = m.Rate.Hits, m.Rate.Total-m.Rate.Hits
	}
	return out
}

// k6Threshold notes a rule beside its metric.
func k6Threshold(all map[string]map[string]any, r *sla.Result) {
	m := all[r.Metric]
	rule, err := sla.ParseThreshold(r.Threshold)
	if m == nil || err != nil {
		return
	}
	missed, _ := m["thresholds"].(map[string]bool)
	if missed == nil {
		missed = map[string]bool{}
		m["thresholds"] = missed
	}
	missed[rule.Condition] = r.Status != sla.Passed
}
