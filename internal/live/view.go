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
}

// titleWidth is the width of the column that names the sections.
const titleWidth = 11

// narrow is the width below which that column is left out.
const narrow = 50

// View draws the screen.
func (m *model) View() tea.View {
	v := tea.NewView(m.screen())
	v.AltScreen = true
	return v
}

func (m *model) screen() string {
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	var sections []section
	if m.help {
		sections = m.helpSections()
	} else {
		sections = m.sections()
	}
	lines := m.fit(sections, m.height-1)
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

func (m *model) sections() []section {
	all := []section{{0, "", m.header()}}
	if m.shown == nil {
		return append(all, section{1, "", []string{m.theme.dim.Render("waiting for the first second")}}, m.messageSection())
	}
	return append(all, section{1, "load", m.load()}, section{2, "response", m.response()}, m.errorSection(), m.ruleSection(),
		m.generatorSection(), m.scenarioSection(), m.targetSection(), m.messageSection())
}

// room is the width of a section's lines.
func (m *model) room() int {
	if m.width < narrow {
		return m.width
	}
	return m.width - titleWidth
}

// fit returns the sections' lines, at most height of them. Each section gets a line
// by rank, then as many as it has; blank lines come last.
func (m *model) fit(sections []section, height int) []string {
	sections = slices.DeleteFunc(sections, func(s section) bool { return len(s.lines) == 0 })
	order := make([]int, len(sections))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sections[a].rank, sections[b].rank) })
	given := make([]int, len(sections))
	left := height
	for _, i := range order {
		if left > 0 {
			given[i], left = 1, left-1
		}
	}
	for _, i := range order {
		more := min(len(sections[i].lines)-given[i], left)
		given[i], left = given[i]+more, left-more
	}
	blank := left >= len(sections)-1
	var out []string
	for i, s := range sections {
		if given[i] == 0 {
			continue
		}
		if blank && len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, m.place(s, given[i])...)
	}
	return out
}

// place returns n of a section's lines beside its title, the last one telling what
// there is no room for.
func (m *model) place(s section, n int) []string {
	var out []string
	for i, l := range s.lines[:n] {
		if rest := len(s.lines) - n; rest > 0 && i == n-1 && i > 0 {
			l = m.theme.dim.Render(fmt.Sprintf("… %d more", rest+1))
		}
		if s.title != "" && m.width >= narrow {
			title := ""
			if i == 0 {
				title = s.title
			}
			l = m.theme.title.Render(fmt.Sprintf("%-*s", titleWidth, title)) + l
		}
		out = append(out, l)
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
		keys = "quitting gracefully · q ends at once · p pause the view · ? help"
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

func (m *model) helpSections() []section {
	return []section{
		{0, "", []string{m.theme.strong.Render("perfctl run: the live view")}},
		{1, "keys", []string{
			"q, Ctrl-C  no more arrivals, finish what is due, write the run; again: end at once",
			"p          pause the view and go on; the run does not stop",
			"?          this help",
		}},
		{2, "figures", []string{
			fmt.Sprintf("percentiles are of all arrivals of the last %d s, from when each was due", windowSeconds),
			"≥ says that the percentile falls among arrivals that were dropped or timed out",
			"achieved counts arrivals that succeeded; in flight: started and not done",
		}},
		{3, "rules", []string{
			"✓ holds so far   ✗ missed so far   ! missed, only a warning",
			"· not known yet: too few values, or it can still be met   – not exercised",
		}},
		{4, "generator", []string{"lag is how late arrivals were released: the generator's own lateness"}},
	}
}
