package stream

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Dashboards are what Grafana shows of a run.
type Dashboards string

// The dashboards: of what the listener for Prometheus serves, and of what a receiver of
// OTLP hands on to Prometheus or Mimir.
const (
	PrometheusDashboard Dashboards = "prometheus"
	OTLPDashboard       Dashboards = "otlp"
)

// DashboardRow is metrics that stand under one heading.
type DashboardRow struct {
	Title   string
	Metrics []metrics.Desc
}

// dashboard is as much of Grafana's model as is needed.
type dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	Timezone      string      `json:"timezone"`
	SchemaVersion int         `json:"schemaVersion"`
	Editable      bool        `json:"editable"`
	Refresh       string      `json:"refresh"`
	GraphTooltip  int         `json:"graphTooltip"`
	Time          timeRange   `json:"time"`
	Templating    templating  `json:"templating"`
	Panels        []gridPanel `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type templating struct {
	List []variable `json:"list"`
}

type variable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"`
	Query      string      `json:"query"`
	Datasource *datasource `json:"datasource,omitempty"`
	Refresh    int         `json:"refresh,omitempty"`
	Multi      bool        `json:"multi,omitempty"`
	IncludeAll bool        `json:"includeAll,omitempty"`
	AllValue   string      `json:"allValue,omitempty"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type gridPanel struct {
	ID          int         `json:"id"`
	Type        string      `json:"type"`
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"`
	Datasource  *datasource `json:"datasource,omitempty"`
	GridPos     gridPos     `json:"gridPos"`
	FieldConfig *fields     `json:"fieldConfig,omitempty"`
	Targets     []target    `json:"targets,omitempty"`
	// Collapsed and Panels are a row's.
	Collapsed bool        `json:"collapsed,omitempty"`
	Panels    []gridPanel `json:"panels,omitempty"`
}

type gridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type fields struct {
	Defaults  fieldDefaults `json:"defaults"`
	Overrides []struct{}    `json:"overrides"`
}

type fieldDefaults struct {
	Unit string `json:"unit"`
	Min  *int   `json:"min,omitempty"`
}

type target struct {
	RefID        string `json:"refId"`
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat"`
}

// The size of the grid and of a panel on it.
const (
	gridColumns = 24
	panelWide   = 8
	panelHigh   = 8
)

// Dashboard returns a dashboard for Grafana as JSON: what every run has first, then a
// folded row for each of the others, with a panel for each metric. A metric of several
// rows stands in the first.
func (kind Dashboards) Dashboard(rows []DashboardRow) ([]byte, error) {
	d := dashboard{UID: "perfctl-" + string(kind), Title: "perfctl (" + map[Dashboards]string{PrometheusDashboard: "Prometheus", OTLPDashboard: "OpenTelemetry"}[kind] + ")",
		Description: map[Dashboards]string{
			PrometheusDashboard: "Runs of perfctl with --out prometheus=HOST:PORT. Dropped, timed-out and unfinished arrivals are slower than every figure here: a percentile among them is infinite.",
			OTLPDashboard:       "Runs of perfctl with --out otlp=URL, in Prometheus or Mimir. Percentiles are of the arrivals that were answered: those known only to be slower are counted beside them.",
		}[kind],
		Tags: []string{"perfctl"}, Timezone: "browser", SchemaVersion: 39, Editable: true, Refresh: "5s", GraphTooltip: 1,
		Time: timeRange{"now-30m", "now"}, Templating: templating{variables()}}
	g := grid{kind: kind, seen: map[string]bool{}}
	d.Panels = append(d.Panels, g.overview()...)
	for _, r := range rows {
		if p := g.row(r); len(p.Panels) > 0 {
			d.Panels = append(d.Panels, p)
		}
	}
	out, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the dashboard: %w", err)
	}
	return append(out, '\n'), nil
}

var source = &datasource{Type: "prometheus", UID: "${datasource}"}

// variables are what a reader chooses: where the figures are, and of which job, scenario
// and stage.
func variables() []variable {
	of := func(label, within string) string {
		return fmt.Sprintf("label_values(%s%s, %s)", PrometheusName(metrics.Arrivals)[0], within, label)
	}
	choice := variable{Type: "query", Datasource: source, Refresh: 2, Multi: true, IncludeAll: true, AllValue: ".*"}
	job, scenario, stage := choice, choice, choice
	job.Name, job.Label, job.Query = "job", "Job", of("job", "")
	scenario.Name, scenario.Label, scenario.Query = "scenario", "Scenario", of("scenario", `{job=~"$job"}`)
	stage.Name, stage.Label, stage.Query = "stage", "Stage", of("stage", `{job=~"$job"}`)
	return []variable{{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus"}, job, scenario, stage}
}

// grid places panels and numbers them.
type grid struct {
	kind Dashboards
	seen map[string]bool
	id   int
	// x and y are where the next panel goes.
	x, y int
}

func (g *grid) panel(title, help string, unit metrics.Unit, targets ...target) gridPanel {
	g.id++
	p := gridPanel{ID: g.id, Type: "timeseries", Title: title, Description: help, Datasource: source, GridPos: gridPos{panelHigh, panelWide, g.x, g.y},
		FieldConfig: &fields{Overrides: []struct{}{}}, Targets: targets}
	zero := 0
	p.FieldConfig.Defaults.Unit, p.FieldConfig.Defaults.Min = grafanaUnits[unit], &zero
	for i := range p.Targets {
		p.Targets[i].RefID = string(rune('A' + i))
	}
	if g.x += panelWide; g.x >= gridColumns {
		g.x, g.y = 0, g.y+panelHigh
	}
	return p
}

// grafanaUnits are the units by Grafana's names. Times are exported in seconds.
var grafanaUnits = map[metrics.Unit]string{metrics.UnitTime: "s", metrics.UnitSeconds: "s", metrics.UnitBytes: "bytes", metrics.UnitRatio: "percentunit",
	metrics.UnitPercent: "percent", metrics.UnitPerSec: "cps", metrics.UnitCount: "short"}

// overview is what says most of a run.
func (g *grid) overview() []gridPanel {
	counted := func(d metrics.Desc, by, legend string) target {
		return target{Expr: sumOfRates(PrometheusName(d)[0], by), LegendFormat: legend}
	}
	response := metrics.ResponseTime
	out := []gridPanel{
		g.panel("Load", "arrivals due and arrivals that succeeded", metrics.UnitPerSec,
			counted(metrics.Arrivals, "", "offered"), counted(metrics.ArrivalsSucceeded, "", "achieved")),
		g.panel("Response time", response.Help, metrics.UnitTime, g.quantiles(response, "")...),
		g.panel("Errors", "arrivals that failed, by kind, were dropped, or did not finish", metrics.UnitPerSec,
			counted(metrics.ArrivalsFailed, "outcome", "failed: {{outcome}}"), counted(metrics.ArrivalsDropped, "outcome", "dropped: {{outcome}}"), counted(metrics.ArrivalsUnfinished, "", "unfinished")),
	}
	for _, d := range []metrics.Desc{metrics.Arrivals, metrics.ArrivalsSucceeded, metrics.ArrivalsFailed, metrics.ArrivalsDropped, metrics.ArrivalsUnfinished} {
		g.seen[d.Name] = true
	}
	return out
}

// row is a folded row with a panel for each metric that no other row has.
func (g *grid) row(r DashboardRow) gridPanel {
	if g.x > 0 {
		g.x, g.y = 0, g.y+panelHigh
	}
	g.id++
	p := gridPanel{ID: g.id, Type: "row", Title: r.Title, Collapsed: true, GridPos: gridPos{1, gridColumns, 0, g.y}, Panels: []gridPanel{}}
	g.y++
	for _, d := range r.Metrics {
		if !g.seen[d.Name] {
			g.seen[d.Name] = true
			p.Panels = append(p.Panels, g.metric(d))
		}
	}
	return p
}

// metric is the panel of a metric, by its kind.
func (g *grid) metric(d metrics.Desc) gridPanel {
	names := PrometheusName(d)
	const by = "scenario, operation, outcome, group"
	const legend = "{{scenario}} {{operation}} {{outcome}} {{group}}"
	switch d.Kind {
	case metrics.KindTrend:
		return g.panel(d.Name, d.Help, d.Unit, g.quantiles(d, "scenario, operation")...)
	case metrics.KindCounter:
		unit := metrics.UnitPerSec
		if d.Unit == metrics.UnitBytes {
			unit = metrics.UnitBytes
		}
		return g.panel(d.Name, d.Help+"; per second", unit, target{Expr: sumOfRates(names[0], by), LegendFormat: legend})
	case metrics.KindRate:
		return g.panel(d.Name, d.Help, metrics.UnitRatio, target{Expr: sumOfRates(names[0], by) + " / " + sumOfRates(names[1], by), LegendFormat: legend})
	}
	return g.panel(d.Name, d.Help, d.Unit, target{Expr: names[0] + `{job=~"$job"}`, LegendFormat: legend})
}

// picked are the series of a job, scenario and stage that the reader chose.
const picked = `{job=~"$job",scenario=~"$scenario",stage=~"$stage"}`

func sumOfRates(name, by string) string {
	if by != "" {
		by = " by (" + by + ") "
	}
	return "sum" + by + "(rate(" + name + picked + "[$__rate_interval]))"
}

// quantiles are the percentiles of a time: by its native histogram, and where the server
// keeps only classic ones by those.
func (g *grid) quantiles(d metrics.Desc, by string) (out []target) {
	name := PrometheusName(d)[0]
	for _, q := range []struct{ value, name string }{{"0.5", "p50"}, {"0.95", "p95"}, {"0.99", "p99"}} {
		if by != "" && q.name != "p95" {
			continue // one percentile of many series is enough for one panel
		}
		expr := fmt.Sprintf("histogram_quantile(%s, %s)", q.value, sumOfRates(name, by))
		if g.kind == PrometheusDashboard {
			classic := strings.TrimPrefix(by+", le", ", ")
			expr += fmt.Sprintf(" or histogram_quantile(%s, %s)", q.value, sumOfRates(name+"_bucket", classic))
		}
		legend := q.name
		if by != "" {
			legend += " {{scenario}} {{operation}}"
		}
		out = append(out, target{Expr: expr, LegendFormat: legend})
	}
	if g.kind == OTLPDashboard && by == "" {
		out = append(out, target{Expr: sumOfRates(censoredName(d), ""), LegendFormat: "known only to be slower, per second"})
	}
	return out
}
