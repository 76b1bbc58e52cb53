package live

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// section is a part of the screen. Where there is no room for all, those of a lower
// rank are served first.
type section struct {
	rank  int
	title string
	lines []string
	// least is how many lines it gets before any section gets all of its own.
	least int
	// chart stands below the lines where there is room for all of it.
	chart []string
}

// titleWidth is the width of the column that names the sections.
const titleWidth = 11

// narrow is the width below which that column is left out, wide the width from which
// there are two columns of sections, gutter what stands between them.
const (
	narrow = 50
	wide   = 150
	gutter = 3
)

// View draws the screen.
func (m *model) View() tea.View {
	v := tea.NewView(m.screen())
	v.AltScreen = true
	return v
}

// panel is a column of the screen: what it shows, and how wide it is.
type panel struct {
	*model
	width int
}

func (m *model) screen() string {
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	lines := m.body(m.height - 1)
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	if m.height > 1 {
		lines = append(lines, m.footer())
	}
	clip := lipgloss.NewStyle().MaxWidth(m.width)
	for i, l := range lines {
		if lipgloss.Width(l) > m.width {
			lines[i] = clip.Render(l)
		}
	}
	return strings.Join(lines, "\n")
}

// body returns all but the last line: one column, or two where there is room for them.
func (m *model) body(height int) []string {
	whole := panel{m, m.width}
	switch {
	case m.help:
		return whole.fit(whole.helpSections(), height)
	case m.shown == nil:
		return whole.fit([]section{
			{rank: 0, lines: whole.header()},
			{rank: 1, lines: []string{m.theme.dim.Render("waiting for the first second")}}, whole.messageSection(),
		}, height)
	case m.width < wide:
		return whole.fit(slices.Concat([]section{{rank: 0, lines: whole.header(), least: 2}}, whole.course(), whole.parts(),
			[]section{whole.messageSection()}), height)
	}
	head := whole.header()
	left := panel{m, (m.width - gutter) / 2}
	right := panel{m, m.width - gutter - left.width}
	rows := height - len(head) - 1
	return slices.Concat(head, []string{""}, sideBySide(left.width+gutter,
		left.fit(append(left.course(), left.messageSection()), rows), right.fit(right.parts(), rows)))
}

// sideBySide puts two columns beside each other, the second one at a column.
func sideBySide(at int, left, right []string) []string {
	out := make([]string, max(len(left), len(right)))
	clip := lipgloss.NewStyle().MaxWidth(at - gutter)
	for i := range out {
		line := ""
		if i < len(left) {
			if line = left[i]; lipgloss.Width(line) > at-gutter {
				line = clip.Render(line)
			}
		}
		if i < len(right) {
			line += strings.Repeat(" ", max(at-lipgloss.Width(line), 0)) + right[i]
		}
		out[i] = line
	}
	return out
}

// course is how the run goes.
func (p panel) course() []section {
	return []section{p.loadSection(), p.responseSection(), p.errorSection(), p.ruleSection(), p.faultSection(), p.generatorSection()}
}

// parts is how its scenarios and targets do.
func (p panel) parts() []section { return []section{p.scenarioSection(), p.targetSection()} }

// room is the width of a section's lines.
func (p panel) room() int {
	if p.width < narrow {
		return p.width
	}
	return p.width - titleWidth
}

// fit returns the sections' lines, at most height of them. By rank each section gets
// a line, then the least that it needs, then as many as it has; charts and blank lines
// come last.
func (p panel) fit(sections []section, height int) []string {
	sections = slices.DeleteFunc(sections, func(s section) bool { return len(s.lines) == 0 })
	order := make([]int, len(sections))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sections[a].rank, sections[b].rank) })
	given := make([]int, len(sections))
	left := height
	serve := func(wants func(section) int) {
		for _, i := range order {
			more := min(max(wants(sections[i])-given[i], 0), left)
			given[i], left = given[i]+more, left-more
		}
	}
	serve(func(section) int { return 1 })
	serve(func(s section) int { return min(s.least, len(s.lines)) })
	serve(func(s section) int { return len(s.lines) })
	blank := left >= len(sections)-1
	if blank {
		left -= len(sections) - 1
	}
	var out []string
	for i, s := range sections {
		if given[i] == 0 {
			continue
		}
		if blank && len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, p.place(s, given[i])...)
		if n := len(s.chart); n > 0 && n <= left {
			out, left = append(out, p.below(s.chart)...), left-n
		}
	}
	return out
}

// place returns n of a section's lines beside its title, the last one telling what
// there is no room for.
func (p panel) place(s section, n int) []string {
	lines := slices.Clone(s.lines[:n])
	if rest := len(s.lines) - n; rest > 0 && n > 1 {
		lines[n-1] = p.theme.dim.Render(fmt.Sprintf("… %d more", rest+1))
	}
	if s.title == "" || p.width < narrow {
		return lines
	}
	first := p.theme.title.Render(fmt.Sprintf("%-*s", titleWidth, s.title)) + lines[0]
	return append([]string{first}, p.below(lines[1:])...)
}

// below puts lines under the first one of a section.
func (p panel) below(lines []string) []string {
	if p.width < narrow {
		return lines
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.Repeat(" ", titleWidth) + l
	}
	return out
}

func (m *model) footer() string {
	keys := "q quit gracefully · p pause the view · ? help"
	if m.config.In == nil {
		keys = "Ctrl-C quits gracefully"
	}
	switch {
	case m.quits == 1:
		keys = "quitting gracefully · q ends at once"
	case m.quits > 1:
		keys = "ending at once"
	}
	if m.help {
		keys = "? back to the run"
	}
	out := m.theme.dim.Render(keys)
	if m.paused {
		out = m.theme.warn.Render("VIEW PAUSED, THE RUN GOES ON (p)") + " " + out
	}
	return out
}

func (p panel) helpSections() []section {
	keys := []struct{ key, text string }{
		{"q, Ctrl-C", "offer no more arrivals, finish those that are due, write the run; once more: end at once"},
		{"p", "pause the view and go on; the run does not stop"},
		{"?", "this help"},
	}
	var lines []string
	for _, k := range keys {
		for i, text := range p.wrappedTo(k.text, p.room()-11) {
			if i > 0 {
				k.key = ""
			}
			lines = append(lines, fmt.Sprintf("%-11s%s", k.key, text))
		}
	}
	text := func(all ...string) (out []string) {
		for _, s := range all {
			out = append(out, p.wrapped(s)...)
		}
		return out
	}
	return []section{
		{rank: 0, lines: []string{p.theme.strong.Render("perfctl run: the live view")}},
		{rank: 1, title: "keys", lines: lines},
		{rank: 2, title: "figures", lines: text(
			fmt.Sprintf("Percentiles are of all arrivals of the last %d s, from when each was due.", windowSeconds),
			"≥ says that the percentile falls among arrivals that were dropped or timed out.",
			"Achieved counts arrivals that were done and succeeded; in flight: started and not done.",
			"In the chart of the load, dots are the offered rate.")},
		{rank: 3, title: "rules", lines: text(
			"✓ holds so far   ✗ missed so far   ! missed, only a warning",
			"· not known yet: too few values, or it can still be met")},
		{rank: 4, title: "generator", lines: text("Lag is how late arrivals were released: the generator's own lateness.")},
		{rank: 5, title: "targets", lines: text("Readings that do not change are left out; the summary has them all with -v.")},
	}
}
