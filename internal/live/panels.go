package live

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
)

// header tells where the run is.
func (p panel) header() []string {
	name := p.theme.strong.Render("perfctl run " + p.config.Title)
	if p.shown == nil {
		return []string{name + "  " + clean(p.doing)}
	}
	now := p.shown.now
	if p.doing != "" {
		return []string{name + "  " + clean(p.doing), p.progressBar(now.end)}
	}
	at := min(max(now.stage, 0), len(p.config.Stages)-1)
	stage := p.config.Stages[at]
	where := fmt.Sprintf("stage %s (%d of %d), %s left", p.theme.strong.Render(clean(stage.Name)), at+1, len(p.config.Stages),
		short(max(stage.Start+stage.Length-now.end, 0)))
	if at < len(p.config.Stages)-1 {
		where += ", run " + short(max(p.total-now.end, 0)) + " left"
	}
	if p.width < lipgloss.Width(name+"  "+where) {
		return []string{where, p.progressBar(now.end)}
	}
	return []string{name + "  " + where, p.progressBar(now.end)}
}

func (p panel) progressBar(at time.Duration) string {
	share := 1.0
	if p.total > 0 {
		share = at.Seconds() / p.total.Seconds()
	}
	return p.theme.line.Render(bar(share, p.width))
}

// chartRows is how high the charts are.
const chartRows = 6

// loadSection tells what was offered and what came of it.
func (p panel) loadSection() section {
	f := p.shown
	achieved := perSec(f.done)
	stage := p.config.Stages[min(max(f.now.stage, 0), len(p.config.Stages)-1)]
	if !stage.Closed && f.done < 0.95*f.offered || f.done == 0 && f.now.inFlight > 0 {
		achieved = p.theme.warn.Render(achieved)
	}
	top := 0.0
	for _, v := range append(f.doneLine, f.offeredLine...) {
		top = max(top, v)
	}
	var items []string
	if stage.Closed {
		items = append(items, "users "+p.users(f.now))
	}
	if !stage.Closed || f.offered > 0 {
		items = append(items, "offered "+perSec(f.offered))
	}
	lines := p.flow(append(items, "achieved "+achieved, "in flight "+figure.Whole(f.now.inFlight),
		"queued "+figure.Whole(f.now.queued))...)
	lines[0] = p.beside(lines[0], f.doneLine, top)
	second := "so far " + figure.Count(f.total.done) + " succeeded"
	if f.total.failed > 0 {
		second += ", " + p.theme.bad.Render(figure.Count(f.total.failed)+" failed")
	}
	if f.total.dropped > 0 {
		second += ", " + p.theme.bad.Render(figure.Count(f.total.dropped)+" dropped")
	}
	return section{rank: 1, title: "load", lines: append(lines, second), least: len(lines) + 1,
		chart: p.chart(f.doneLine, f.offeredLine, chartRows, perSec)}
}

// users tells the users that there are and, where it is another number, those that
// there should be.
func (p panel) users(now *second) string {
	there := figure.Whole(now.users)
	if p.config.Users == nil {
		return there
	}
	wanted := figure.Whole(p.config.Users(max(now.end-now.span/2, 0)))
	return there + " of " + wanted + " wanted"
}

// flow puts items beside each other, as many as there is room for.
func (p panel) flow(items ...string) (lines []string) {
	line := ""
	for _, text := range items {
		switch {
		case line == "":
			line = text
		case lipgloss.Width(line)+2+lipgloss.Width(text) <= p.room():
			line += "  " + text
		default:
			lines, line = append(lines, line), text
		}
	}
	return append(lines, line)
}

// wrapped breaks a long text between words.
func (p panel) wrapped(text string) []string { return p.wrappedTo(text, p.room()) }

// hanging breaks a text behind a mark, further lines indented like the first one.
func (p panel) hanging(mark, text string) []string {
	lines := p.wrappedTo(text, p.room()-lipgloss.Width(mark))
	for i := range lines {
		if i == 0 {
			lines[i] = mark + lines[i]
		} else {
			lines[i] = strings.Repeat(" ", lipgloss.Width(mark)) + lines[i]
		}
	}
	return lines
}

func (p panel) wrappedTo(text string, width int) []string {
	return strings.Split(lipgloss.Wrap(clean(text), max(width, 1), " "), "\n")
}

// beside appends a sparkline where there is room for one.
func (p panel) beside(text string, values []float64, top float64) string {
	const least, most, column = 8, 60, 62
	pad := max(column-lipgloss.Width(text), 2)
	w := min(p.room()-lipgloss.Width(text)-pad, most)
	if p.charts() {
		return text
	}
	if w < least {
		pad = 2
		if w = p.room() - lipgloss.Width(text) - pad; w < least {
			return text
		}
	}
	return text + strings.Repeat(" ", pad) + p.theme.line.Render(sparkline(values, w, top))
}

// responseSection tells the percentiles of the last seconds, of all scenarios together.
func (p panel) responseSection() section {
	s := section{rank: 2, title: "response"}
	h := p.shown.window.response
	if h.Empty() {
		s.lines = []string{p.theme.bad.Render(fmt.Sprintf("nothing succeeded in the last %s", figure.Moment(p.shown.windowSpan.Seconds())))}
		return s
	}
	s.lines = p.flow("p50 "+quantile(h, 0.5), "p95 "+p.theme.strong.Render(quantile(h, 0.95)), "p99 "+quantile(h, 0.99), "max "+quantile(h, 1))
	s.lines[0] = p.beside(s.lines[0], p.shown.p95Line, 0)
	s.lines = append(s.lines, p.theme.dim.Render(p.windowText()))
	s.chart = p.chart(p.shown.p95Line, nil, chartRows, func(v float64) string { return figure.Value(v, metrics.UnitTime) })
	return s
}

// windowText says what the percentiles and the line beside or below them are of.
func (p panel) windowText() string {
	text := fmt.Sprintf("of the last %s; the line is p95 of each second", figure.Moment(p.shown.windowSpan.Seconds()))
	if p.charts() {
		text = fmt.Sprintf("of the last %s; below, p95 of each second", figure.Moment(p.shown.windowSpan.Seconds()))
	}
	return text
}

func (p panel) errorSection() section {
	s := section{rank: 3, title: "errors", least: 2}
	for _, e := range p.shown.errors {
		line := clean(e.what) + ": " + figure.Count(e.runs)
		if e.recent > 0 {
			line += fmt.Sprintf(", %s of them in the last %s", figure.Count(e.recent), figure.Moment(p.shown.windowSpan.Seconds()))
			line = p.theme.bad.Render(line)
		}
		s.lines = append(s.lines, line)
	}
	return s
}

// ruleSection shows in one line how the rules stand, and each that is missed.
func (p panel) ruleSection() section {
	s := section{rank: 4, title: "rules"}
	counts := map[sla.Status]int{}
	var missed []string
	for _, r := range p.judged.rules {
		counts[r.Status]++
		if r.Status == sla.Failed || r.Status == sla.Warned {
			missed = append(missed, p.hanging(p.light(r.Status)+" ", fmt.Sprintf("%s: %s, target %s", ruleName(r), r.Actual, r.Target))...)
		}
	}
	if len(p.judged.rules) == 0 {
		return s
	}
	head := []string{fmt.Sprintf("%s %d hold", p.light(sla.Passed), counts[sla.Passed])}
	if n := counts[sla.Failed]; n > 0 {
		head = append(head, p.theme.bad.Render(fmt.Sprintf("✗ %d missed", n)))
	}
	if n := counts[sla.Warned]; n > 0 {
		head = append(head, p.theme.warn.Render(fmt.Sprintf("! %d warn", n)))
	}
	if n := counts[sla.Pending]; n > 0 {
		head = append(head, p.theme.dim.Render(fmt.Sprintf("· %d not known yet", n)))
	}
	s.lines = append(p.flow(head...), missed...)
	s.least = min(len(s.lines), leastMissed)
	return s
}

// leastMissed is how many lines of rules are shown before anything else gets more.
const leastMissed = 5

// ruleName names a rule and the stage that it is for.
func ruleName(r sla.Result) string {
	if r.Stage == "" {
		return r.Rule
	}
	return r.Rule + " in " + r.Stage
}

func (p panel) light(st sla.Status) string {
	switch st {
	case sla.Passed:
		return p.theme.good.Render("✓")
	case sla.Failed:
		return p.theme.bad.Render("✗")
	case sla.Warned:
		return p.theme.warn.Render("!")
	}
	return p.theme.dim.Render("·")
}

func (p panel) generatorSection() section {
	f := p.shown
	status := strings.ToUpper(p.judged.health.Status)
	switch p.judged.health.Status {
	case "":
		status = "VALID so far"
	case states.GeneratorValid:
		status = p.theme.good.Render(status)
	case states.GeneratorSuspect:
		status = p.theme.warn.Render(status)
	default:
		status = p.theme.bad.Render(status)
	}
	s := section{rank: 6, title: "generator", lines: p.flow(status, "lag p99 "+quantile(f.lag, 0.99),
		"CPU "+figure.Value(f.now.cpu, metrics.UnitPercent), "memory "+figure.Value(f.now.memory, metrics.UnitBytes))}
	for i, r := range p.judged.health.Reasons {
		s.lines = append(s.lines, p.hanging("! ", r)...)
		if i == 0 {
			s.least = len(s.lines)
		}
	}
	return s
}

func (p panel) messageSection() section {
	s := section{rank: 3, title: "messages", least: 2}
	for i := len(p.messages) - 1; i >= 0; i-- { // the newest one first
		for text := range strings.SplitSeq(p.messages[i], "\n") {
			for _, line := range p.wrapped(text) {
				s.lines = append(s.lines, p.theme.warn.Render(line))
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
func short(d time.Duration) string { return figure.Duration(d.Round(time.Second)) }
