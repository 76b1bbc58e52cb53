package live

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// header tells where the run is.
func (m *model) header() []string {
	name := m.theme.strong.Render("perfctl run " + m.config.Title)
	if m.shown == nil {
		return []string{name + "  " + clean(m.step)}
	}
	now := m.shown.now
	left := max(m.total-now.end, 0)
	if m.step != "" {
		return []string{name + "  " + clean(m.step), m.progressBar(now.end)}
	}
	stage := m.config.Stages[min(max(now.stage, 0), len(m.config.Stages)-1)]
	where := fmt.Sprintf("stage %s (%d of %d), %s left", m.theme.strong.Render(clean(stage.Name)), now.stage+1, len(m.config.Stages),
		short(max(stage.Start+stage.Length-now.end, 0)))
	if len(m.config.Stages) > 1 {
		where += fmt.Sprintf(", %s of the run", short(left))
	}
	if m.width < lipgloss.Width(name+"  "+where) {
		return []string{where, m.progressBar(now.end)}
	}
	return []string{name + "  " + where, m.progressBar(now.end)}
}

func (m *model) progressBar(at time.Duration) string {
	share := 1.0
	if m.total > 0 {
		share = at.Seconds() / m.total.Seconds()
	}
	return m.theme.line.Render(bar(share, min(m.width, 120)))
}

// load tells what was offered and what came of it.
func (m *model) load() []string {
	f := m.shown
	achieved := perSec(f.done)
	if f.done < 0.95*f.offered {
		achieved = m.theme.warn.Render(achieved)
	}
	top := 0.0
	for _, v := range append(f.doneLine, f.offeredLine...) {
		top = max(top, v)
	}
	lines := m.flow("offered "+perSec(f.offered), "achieved "+achieved, fmt.Sprintf("in flight %.0f", f.now.inFlight),
		fmt.Sprintf("queued %.0f", f.now.queued))
	lines[0] = m.beside(lines[0], f.doneLine, top)
	second := fmt.Sprintf("so far %d done", f.total.done)
	if f.total.failed > 0 {
		second += ", " + m.theme.bad.Render(fmt.Sprintf("%d failed", f.total.failed))
	}
	if f.total.dropped > 0 {
		second += ", " + m.theme.bad.Render(fmt.Sprintf("%d dropped", f.total.dropped))
	}
	return append(lines, second)
}

// flow puts items beside each other, as many as there is room for.
func (m *model) flow(items ...string) (lines []string) {
	line := ""
	for _, text := range items {
		switch {
		case line == "":
			line = text
		case lipgloss.Width(line)+2+lipgloss.Width(text) <= m.room():
			line += "  " + text
		default:
			lines, line = append(lines, line), text
		}
	}
	return append(lines, line)
}

// wrapped breaks a long text between words.
func (m *model) wrapped(text string) []string {
	return strings.Split(lipgloss.Wrap(clean(text), max(m.room(), 1), " "), "\n")
}

// beside appends a sparkline where there is room for one.
func (m *model) beside(text string, values []float64, top float64) string {
	const least, most, column = 8, 60, 62
	pad := max(column-lipgloss.Width(text), 2)
	w := min(m.room()-lipgloss.Width(text)-pad, most)
	if w < least {
		pad = 2
		if w = m.room() - lipgloss.Width(text) - pad; w < least {
			return text
		}
	}
	return text + strings.Repeat(" ", pad) + m.theme.line.Render(sparkline(values, w, top))
}

// response tells the percentiles of the last seconds, of all scenarios together.
func (m *model) response() []string {
	h := m.shown.window.response
	if h.Empty() {
		return []string{m.theme.dim.Render(fmt.Sprintf("nothing succeeded in the last %d s", windowSeconds))}
	}
	lines := m.flow("p50 "+quantile(h, 0.5), "p95 "+m.theme.strong.Render(quantile(h, 0.95)), "p99 "+quantile(h, 0.99), "max "+quantile(h, 1))
	lines[0] = m.beside(lines[0], m.shown.p95Line, 0)
	return append(lines, m.theme.dim.Render(fmt.Sprintf("of the last %.0f s; the line is p95 of each second", m.shown.windowSpan.Seconds())))
}

func (m *model) scenarioSection() section {
	s := section{rank: 6, title: "scenarios"}
	if len(m.shown.scenarios) < 2 {
		return s // it would repeat what stands above
	}
	all := []struct {
		name string
		rank int // the first to go where there is no room has the highest
		of   func(x scenarioFigures) string
	}{
		{"done", 0, func(x scenarioFigures) string {
			return perSec(float64(x.done) / max(m.shown.windowSpan.Seconds(), 1e-9))
		}},
		{"p50", 3, func(x scenarioFigures) string { return quantile(x.response, 0.5) }},
		{"p95", 1, func(x scenarioFigures) string { return quantile(x.response, 0.95) }},
		{"p99", 4, func(x scenarioFigures) string { return quantile(x.response, 0.99) }},
		{"failed", 2, func(x scenarioFigures) string { return fmt.Sprint(x.failed) }},
		{"dropped", 5, func(x scenarioFigures) string { return fmt.Sprint(x.dropped) }},
	}
	const nameWidth, width = 10, 11
	most := (m.room() - nameWidth) / width
	s.lines = make([]string, len(m.shown.scenarios)+1)
	s.lines[0] = strings.Repeat(" ", nameWidth)
	for i, x := range m.shown.scenarios {
		s.lines[i+1] = fmt.Sprintf("%-*s", nameWidth, clean(x.name))
	}
	for _, c := range all {
		if c.rank >= max(most, 2) {
			continue
		}
		s.lines[0] += fmt.Sprintf("%*s", width, c.name)
		for i, x := range m.shown.scenarios {
			s.lines[i+1] += fmt.Sprintf("%*s", width, c.of(x))
		}
	}
	s.lines[0] = m.theme.dim.Render(s.lines[0])
	return s
}

func (m *model) errorSection() section {
	s := section{rank: 3, title: "errors"}
	for _, e := range m.shown.errors {
		line := fmt.Sprintf("%s: %d", clean(e.what), e.runs)
		if e.recent > 0 {
			line += fmt.Sprintf(", %d of them in the last %.0f s", e.recent, m.shown.windowSpan.Seconds())
			line = m.theme.bad.Render(line)
		}
		s.lines = append(s.lines, line)
	}
	return s
}

// ruleSection shows in one line how the rules stand, and each that is missed.
func (m *model) ruleSection() section {
	s := section{rank: 4, title: "rules"}
	counts := map[sla.Status]int{}
	var missed []string
	for _, r := range m.judged.rules {
		counts[r.Status]++
		line := fmt.Sprintf("%s %s: %s (%s)", m.light(r.Status), clean(r.Rule), clean(r.Actual), clean(r.Target))
		switch r.Status {
		case sla.Failed, sla.Warned:
			missed = append(missed, line)
		}
	}
	if len(m.judged.rules) == 0 {
		return s
	}
	head := []string{fmt.Sprintf("%s %d hold", m.light(sla.Passed), counts[sla.Passed])}
	if n := counts[sla.Failed]; n > 0 {
		head = append(head, m.theme.bad.Render(fmt.Sprintf("✗ %d missed", n)))
	}
	if n := counts[sla.Warned]; n > 0 {
		head = append(head, m.theme.warn.Render(fmt.Sprintf("! %d warn", n)))
	}
	if n := counts[sla.Pending]; n > 0 {
		head = append(head, m.theme.dim.Render(fmt.Sprintf("· %d not known yet", n)))
	}
	s.lines = append(m.flow(head...), missed...)
	return s
}

func (m *model) light(st sla.Status) string {
	switch st {
	case sla.Passed:
		return m.theme.good.Render("✓")
	case sla.Failed:
		return m.theme.bad.Render("✗")
	case sla.Warned:
		return m.theme.warn.Render("!")
	case sla.NotExercised:
		return m.theme.dim.Render("–")
	}
	return m.theme.dim.Render("·")
}

func (m *model) generatorSection() section {
	f := m.shown
	status := strings.ToUpper(m.judged.health.Status)
	switch m.judged.health.Status {
	case "":
		status = "VALID so far"
	case "valid":
		status = m.theme.good.Render(status)
	case "suspect":
		status = m.theme.warn.Render(status)
	default:
		status = m.theme.bad.Render(status)
	}
	s := section{rank: 5, title: "generator", lines: m.flow(status, "lag p99 "+quantile(f.lag, 0.99),
		"CPU "+figure.Value(f.now.cpu, metrics.UnitPercent), "memory "+figure.Value(f.now.memory, metrics.UnitBytes))}
	for _, r := range m.judged.health.Reasons {
		s.lines = append(s.lines, m.wrapped("! "+r)...)
	}
	return s
}

// targetSection shows the gauges, as many beside each other as there is room for.
func (m *model) targetSection() section {
	s := section{rank: 7, title: "targets"}
	if all := m.readings(); len(all) > 0 {
		s.lines = m.flow(all...)
	}
	return s
}

// readings returns a text for each gauge, with its scenarios where it has several.
func (m *model) readings() (out []string) {
	all := m.shown.now.readings
	for i := 0; i < len(all); {
		n := 1
		for i+n < len(all) && all[i+n].name == all[i].name {
			n++
		}
		text := clean(all[i].name)
		for _, r := range all[i : i+n] {
			if n > 1 {
				text += " " + clean(r.scenario)
			}
			text += " " + m.theme.strong.Render(reads(r))
		}
		out = append(out, text)
		i += n
	}
	return out
}

func (m *model) messageSection() section {
	s := section{rank: 3, title: "messages"}
	for i := len(m.messages) - 1; i >= 0; i-- { // the newest one first
		for text := range strings.SplitSeq(m.messages[i], "\n") {
			for _, line := range m.wrapped(text) {
				s.lines = append(s.lines, m.theme.warn.Render(line))
			}
		}
	}
	return s
}

// clean replaces what a terminal would obey: texts come from servers.
func clean(s string) string { return figure.Line(s) }

func perSec(v float64) string { return figure.Value(v, metrics.UnitPerSec) }

func reads(r reading) string {
	if r.unit == metrics.UnitTime {
		return figure.Value(r.value*1e6, r.unit) // a gauge is in milliseconds
	}
	return figure.Value(r.value, r.unit)
}

func quantile(h *metrics.Hist, q float64) string {
	v, atLeast, ok := h.Quantile(q)
	switch {
	case !ok, h.N == 0:
		return "–"
	case atLeast:
		return "≥ " + figure.Value(float64(v), metrics.UnitTime)
	}
	return figure.Value(float64(v), metrics.UnitTime)
}

// short prints a time left as people say it.
func short(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
