package report

import (
	"maps"
	"slices"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/summary"
)

// briefSteps bounds the rows of one scenario's steps.
const briefSteps = 8

// scenarioTable writes the response time of each scenario, and below a flow's those
// of its steps.
func (p *page) scenarioTable(s *summary.Summary) {
	t := table{right: 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5, drop: []int{1}}
	for _, sc := range s.Run.Scenarios {
		m, ok := s.Metrics[metrics.Series{Desc: metrics.Desc{Name: metrics.ResponseTime.Name}, Tags: metrics.Tags{Scenario: sc.Name}}.Key()]
		if !ok && len(s.Run.Scenarios) == 1 {
			m, ok = s.Metrics[metrics.ResponseTime.Name]
		}
		if ok && m.Trend != nil {
			t.add(distributionCells("  "+shorten(figure.Line(sc.Name), widestName), m.Trend)...)
		}
		for _, step := range stepsOf(s, sc.Name) {
			t.add(distributionCells("    "+shorten(figure.Line(step.name), widestName-2), step.d)...)
		}
	}
	if len(t.rows) == 0 {
		return
	}
	p.line()
	p.line(span{bold, "response time by scenario"})
	t.rows = slices.Insert(t.rows, 0, dimmed("  scenario", "done", "p(50)", "p(95)", "p(99)", "max"))
	p.table(&t)
}

func distributionCells(name string, d *summary.Distribution) []span {
	return plainCells(name, showCount(d.Count), bounded(d, "med", d.Med), bounded(d, "p95", d.P95), bounded(d, "p99", d.P99), bounded(d, "max", d.Max))
}

type step struct {
	name string
	d    *summary.Distribution
}

// stepsOf returns the times of a scenario's steps, the slowest first.
func stepsOf(s *summary.Summary, scenario string) (out []step) {
	for _, key := range slices.Sorted(maps.Keys(s.Metrics)) {
		series, ok := metrics.ParseKey(key)
		m := s.Metrics[key]
		if !ok || m.Role != metrics.RoleStep || series.Scenario != "" && series.Scenario != scenario || series.Operation == "" || m.Trend == nil || !slices.Contains(m.Scenarios, scenario) {
			continue
		}
		out = append(out, step{series.Operation, m.Trend})
	}
	slices.SortStableFunc(out, func(a, b step) int {
		switch va, vb := value(a.d.P95), value(b.d.P95); {
		case va > vb:
			return -1
		case va < vb:
			return 1
		}
		return 0
	})
	return firstOf(out, briefSteps)
}

func value(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}
