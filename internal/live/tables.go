package live

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// row is a line of the table of scenarios: one of them, or one of its steps.
type row struct {
	name            string
	rate            float64
	response        *metrics.Hist
	failed, dropped string
}

// rows returns the scenarios, each with its steps below it.
func (p panel) rows() (out []row) {
	span := max(p.shown.windowSpan.Seconds(), 1e-9)
	for _, x := range p.shown.scenarios {
		out = append(out, row{clean(x.name), float64(x.done) / span, x.response, figure.Count(x.failed), figure.Count(x.dropped)})
		for _, s := range x.steps {
			out = append(out, row{name: "  " + clean(s.name), rate: float64(s.time.N) / span, response: s.time})
		}
	}
	return out
}

// The columns of the table of scenarios.
const (
	leastName, mostName = 10, 26
	columnWidth         = 10
)

// scenarioSection is a table of the scenarios and the steps of flows.
func (p panel) scenarioSection() section {
	s := section{rank: 5, title: "scenarios"}
	rows := p.rows()
	if len(rows) == 0 {
		return s
	}
	all := []struct {
		name string
		rank int // the first to go where there is no room has the highest
		of   func(x row) string
	}{
		{"achieved", 0, func(x row) string { return perSec(x.rate) }},
		{"p50", 3, func(x row) string { return quantile(x.response, 0.5) }},
		{"p95", 1, func(x row) string { return quantile(x.response, 0.95) }},
		{"p99", 4, func(x row) string { return quantile(x.response, 0.99) }},
		{"failed", 2, func(x row) string { return x.failed }},
		{"dropped", 5, func(x row) string { return x.dropped }},
	}
	name := leastName
	for _, x := range rows {
		name = max(name, lipgloss.Width(x.name))
	}
	name = min(name, mostName, max(p.room()-2*columnWidth, leastName))
	most := (p.room() - name) / columnWidth
	s.lines = make([]string, len(rows)+1)
	s.lines[0] = strings.Repeat(" ", name)
	for i, x := range rows {
		s.lines[i+1] = column(x.name, name)
	}
	for _, c := range all {
		if c.rank >= max(most, 2) {
			continue
		}
		s.lines[0] += fmt.Sprintf("%*s", columnWidth, c.name)
		for i, x := range rows {
			s.lines[i+1] += fmt.Sprintf("%*s", columnWidth, c.of(x))
		}
	}
	s.lines[0] = p.theme.dim.Render(s.lines[0])
	s.least = len(s.lines)
	return s
}

// column cuts or fills a text to a width.
func column(text string, width int) string {
	if lipgloss.Width(text) > width {
		text = lipgloss.NewStyle().MaxWidth(width-1).Render(text) + "…"
	}
	return text + strings.Repeat(" ", max(width-lipgloss.Width(text), 0))
}

// faultSection tells what is broken on purpose, and what comes next.
func (p panel) faultSection() section {
	s := section{rank: 3, title: "faults"}
	now := p.shown.now.end
	next := false
	for _, f := range p.config.Faults {
		text := clean(f.Name) + " (" + clean(f.What) + ")"
		switch {
		case now >= f.End:
		case now >= f.Start:
			s.lines = append(s.lines, p.theme.bad.Render(text+", "+short(f.End-now)+" left"))
		case !next:
			next = true
			s.lines = append(s.lines, p.theme.dim.Render("next "+text+" in "+short(f.Start-now)))
		}
	}
	if len(s.lines) == 0 && len(p.config.Faults) > 0 {
		s.lines = []string{p.theme.dim.Render(fmt.Sprintf("%d of %d are over", len(p.config.Faults), len(p.config.Faults)))}
	}
	s.least = len(s.lines)
	return s
}

// targetSection shows the readings that move: in a wide column each with its line,
// elsewhere as many beside each other as there is room for.
func (p panel) targetSection() section {
	s := section{rank: 7, title: "targets"}
	if len(p.shown.readings) == 0 {
		return s
	}
	if p.model.width >= wide {
		s.lines = p.readingTable()
	} else {
		s.lines = p.flow(p.readings()...)
	}
	if p.shown.still > 0 {
		s.lines = append(s.lines, p.theme.dim.Render(fmt.Sprintf("and %d that did not change", p.shown.still)))
	}
	return s
}

// readings returns a text for each metric that moves, with operations and scenarios
// where it has several.
func (p panel) readings() (out []string) {
	all := p.shown.readings
	for i := 0; i < len(all); {
		n := 1
		for i+n < len(all) && all[i+n].name == all[i].name {
			n++
		}
		text := clean(all[i].name)
		for _, r := range all[i : i+n] {
			if label := r.label(); label != "" && (n > 1 || r.operation != "") {
				text += " " + clean(label)
			}
			text += " " + p.theme.strong.Render(reads(r.reading))
		}
		out = append(out, text)
		i += n
	}
	return out
}

// label tells what a reading is of, besides its metric.
func (s source) label() string { return strings.TrimSpace(s.scenario + " " + s.operation) }

// readingTable returns a line for each reading that moves, with its course.
func (p panel) readingTable() []string {
	name := 0
	names := make([]string, len(p.shown.readings))
	for i, r := range p.shown.readings {
		names[i] = strings.TrimSpace(clean(r.name) + " " + clean(r.label()))
		name = max(name, utf8.RuneCountInString(names[i]))
	}
	name = min(name, p.room()/2)
	lines := make([]string, len(names))
	for i, r := range p.shown.readings {
		lines[i] = column(names[i], name) + p.theme.strong.Render(fmt.Sprintf("%*s", columnWidth, reads(r.reading))) + "  "
		if room := p.room() - lipgloss.Width(lines[i]); room > 0 {
			lines[i] += p.theme.line.Render(sparkline(r.line, room, 0))
		}
	}
	return lines
}
