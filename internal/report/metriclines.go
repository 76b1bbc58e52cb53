package report

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/summary"
)

// metricLine is a metric's line before it is laid out.
type metricLine struct {
	key, label string
	sub        bool
	m          summary.Metric
	cells      []string
}

// metricGroup is the lines under one heading.
type metricGroup struct {
	name  string
	lines []metricLine
}

// The groups that are not a scenario's.
const (
	arrivalGroup   = "arrivals"
	responseGroup  = "response"
	sharedGroup    = "several scenarios"
	otherGroup     = "servers and processes"
	generatorGroup = "generator"
)

// The metrics of the groups that are not a scenario's, in their order.
var (
	arrivalNames = []string{
		metrics.Arrivals.Name, metrics.ArrivalsStarted.Name, metrics.ArrivalsSucceeded.Name, metrics.ArrivalsFailed.Name,
		metrics.ArrivalsDropped.Name, metrics.ArrivalsUnfinished.Name, metrics.InFlight.Name, metrics.Queued.Name, metrics.Users.Name,
	}
	responseNames = []string{
		metrics.ResponseTime.Name, metrics.ServiceTime.Name, metrics.SessionDuration.Name, metrics.SessionPause.Name, metrics.ScheduleLag.Name, metrics.FailureTime.Name,
	}
)

// metrics writes every metric, grouped; gauges that never changed take one line
// together, or none where they were zero.
func (p *page) metrics(s *summary.Summary) {
	groups, still := withoutConstants(groupMetrics(s), s)
	if k6 := k6Section(s); len(k6.lines) > 0 {
		groups = append(groups, k6)
	}
	name := 0
	var widths []int
	for _, g := range groups {
		for i := range g.lines {
			l := &g.lines[i]
			l.cells = metricCells(&l.m)
			name = max(name, utf8.RuneCountInString(l.label))
			if l.m.Trend == nil {
				continue
			}
			for c, text := range l.cells {
				if c == len(widths) {
					widths = append(widths, 0)
				}
				widths[c] = max(widths[c], utf8.RuneCountInString(text))
			}
		}
	}
	name = min(name+3, 40)
	legend := map[string]bool{}
	for _, g := range groups {
		p.head(g.name)
		for i := range g.lines {
			p.metricLine(&g.lines[i], name, widths, s)
			noteFigures(&g.lines[i].m, legend)
		}
	}
	if len(still) > 0 {
		p.head("the same all along")
		p.wrapped(span{plain, "  "}, plain, strings.Join(still, ", "))
	}
	if len(legend) > 0 {
		p.line()
	}
	if legend[none] {
		p.wrapped(span{dim, "  – "}, dim, "insufficient samples: too few values to tell that percentile")
	}
	if legend["≥"] {
		p.wrapped(span{dim, "  ≥ "}, dim, "falls among arrivals that were dropped, timed out or did not finish: the true figure is no smaller")
	}
}

func noteFigures(m *summary.Metric, legend map[string]bool) {
	if d := m.Trend; d != nil {
		if d.Count > 0 && slices.Contains([]*float64{d.Med, d.P90, d.P95, d.P99}, nil) {
			legend[none] = true
		}
		if len(d.AtLeast) > 0 {
			legend["≥"] = true
		}
	}
}

// metricLine writes one metric: a dotted name, the figures in columns, and the
// target behind or below them.
func (p *page) metricLine(l *metricLine, name int, widths []int, s *summary.Summary) {
	head := "  " + l.label + strings.Repeat(".", max(name-utf8.RuneCountInString(l.label), 0)) + ": "
	nameStyle := plain
	if l.sub {
		head = "  " + pad(l.label, name) + ": "
		nameStyle = dim
	}
	if utf8.RuneCountInString(l.label) > name { // the figures stay in their column, below it
		p.line(span{nameStyle, shorten("  "+l.label, p.width)})
		head = "  " + strings.Repeat(" ", name) + ": "
	}
	indent := utf8.RuneCountInString(head)
	lines := layFigures(l, widths, p.width-indent)
	arrow, arrowStyle := targets(s, l.key)
	for i, text := range lines {
		last := i == len(lines)-1
		if last && arrow != "" && indent+utf8.RuneCountInString(text)+2+utf8.RuneCountInString(arrow) <= p.width {
			p.line(span{nameStyle, head}, span{plain, text + "  "}, span{arrowStyle, arrow})
			return
		}
		p.line(span{nameStyle, head}, span{plain, text})
		head = strings.Repeat(" ", indent)
	}
	if arrow != "" {
		p.wrapped(span{plain, head}, arrowStyle, arrow)
	}
}

// layFigures returns a metric's figures on one line, or on as many as it takes where
// they do not fit: a trend's percentiles then begin a line.
func layFigures(l *metricLine, widths []int, room int) (lines []string) {
	cells := slices.Clone(l.cells)
	if l.m.Trend != nil {
		for i := range cells {
			cells[i] = pad(cells[i], widths[i])
		}
	}
	whole := strings.TrimRight(strings.Join(cells, " "), " ")
	if utf8.RuneCountInString(whole) <= room {
		return []string{whole}
	}
	const first = 4 // avg min med max
	line := ""
	for i, c := range cells {
		full := utf8.RuneCountInString(line)+1+utf8.RuneCountInString(strings.TrimRight(c, " ")) > room
		if i > 0 && (full || i == first) {
			lines, line = append(lines, strings.TrimRight(line, " ")), ""
		}
		if line != "" {
			line += " "
		}
		line += c
	}
	return append(lines, strings.TrimRight(line, " "))
}

// metricCells returns a metric's figures as text.
func metricCells(m *summary.Metric) []string {
	switch {
	case m.Trend != nil:
		d := m.Trend
		return []string{
			"avg=" + optional(d.Avg, showMillis), "min=" + optional(d.Min, showMillis), "med" + equals(d, "med", d.Med),
			"max" + equals(d, "max", d.Max), "p(90)" + equals(d, "p90", d.P90), "p(95)" + equals(d, "p95", d.P95),
			"p(99)" + equals(d, "p99", d.P99),
		}
	case m.Counter != nil:
		text := showCount(m.Counter.Count)
		each := func(v float64) string { return showNumber(v) + "/s" }
		if m.Unit == metrics.UnitBytes {
			text = showBytes(float64(m.Counter.Count))
			each = func(v float64) string { return showBytes(v) + "/s" }
		}
		return []string{pad(text, 10), optional(m.Counter.Rate, each)}
	case m.Rate != nil:
		return []string{pad(optional(m.Rate.Rate, showShare), 10), showCount(m.Rate.Hits) + " of " + showCount(m.Rate.Total)}
	case m.Gauge != nil:
		g := m.Gauge
		cells := []string{"avg=" + show(g.Avg, m.Unit), "min=" + show(g.Min, m.Unit), "med=" + show(g.Med, m.Unit), "max=" + show(g.Max, m.Unit)}
		if g.Last != nil {
			cells = append(cells, "last="+show(*g.Last, m.Unit))
		}
		return cells
	}
	return []string{none}
}

// equals returns a figure behind = or, where it is only a lower bound, ≥.
func equals(d *summary.Distribution, name string, v *float64) string {
	if text := bounded(d, name, v); strings.HasPrefix(text, "≥") {
		return text
	}
	return "=" + optional(v, showMillis)
}
