package live

import "charm.land/lipgloss/v2"

// theme is how the view's words look. Without colours they are told apart by their
// signs alone.
type theme struct {
	title, strong, dim, good, warn, bad, line lipgloss.Style
}

func newTheme(color bool) theme {
	plain := lipgloss.NewStyle()
	if !color {
		return theme{plain, plain, plain, plain, plain, plain, plain}
	}
	// The terminal's own sixteen colours: they are readable on its background.
	ink := func(c string) lipgloss.Style { return plain.Foreground(lipgloss.Color(c)) }
	return theme{
		title: plain.Bold(true), strong: plain.Bold(true), dim: plain.Faint(true),
		good: ink("2"), warn: ink("3"), bad: ink("1").Bold(true), line: ink("6"),
	}
}
