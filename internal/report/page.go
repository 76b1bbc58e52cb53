package report

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/figure"
)

// Options are how a text view is laid out.
type Options struct {
	// Color allows ANSI colours. Without it no escape sequence is written.
	Color bool
	// Width is the terminal's columns; 0 stands for 80, or 120 of the full
	// summary. Lines are laid out for at most 120.
	Width int
	// Full shows everything in place of the short summary.
	Full bool
	// Dir is the run directory as the user knows it, named in the verdict; Page is the
	// page in it, empty where there is none.
	Dir, Page string
}

func (o Options) width() int {
	switch {
	case o.Width == 0 && o.Full:
		return 120
	case o.Width == 0:
		return usualWidth
	}
	return min(max(o.Width, narrowest), 120)
}

const (
	// usualWidth is what a text is laid out for where nobody knows the terminal.
	usualWidth = 80
	// narrowest is the least width that a line can be laid out for.
	narrowest = 40
)

// style is how a text is shown, as the parameters of an ANSI sequence.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// span is a piece of a line.
type span struct {
	style style
	text  string
}

// page writes lines. Every text goes through clean, so that nothing that a
// target sent can reach the terminal as a command.
type page struct {
	w     *bufio.Writer
	color bool
	width int
	// loose says that there is no terminal: the verdict is one line then, which
	// programs can look for.
	loose bool
}

func newPage(w io.Writer, o Options) *page {
	return &page{w: bufio.NewWriter(w), color: o.Color, width: o.width(), loose: o.Width == 0}
}

// line writes one line, without spaces at its end. Errors stay in the writer
// until it is flushed.
func (p *page) line(spans ...span) {
	for i := range spans {
		spans[i].text = figure.Line(spans[i].text)
	}
	for i := len(spans) - 1; i >= 0; i-- {
		if spans[i].text = strings.TrimRight(spans[i].text, " "); spans[i].text != "" {
			break
		}
	}
	for _, s := range spans {
		if p.color && s.style != plain && s.text != "" {
			_, _ = p.w.WriteString("\x1b[" + string(s.style) + "m" + s.text + "\x1b[0m")
		} else {
			_, _ = p.w.WriteString(s.text)
		}
	}
	_ = p.w.WriteByte('\n')
}

// head writes an empty line and a heading.
func (p *page) head(s string) {
	p.line()
	p.line(span{bold, s})
}

// wrapped writes text behind a first piece, broken at spaces so that it stays
// within the page, further lines indented like the first piece's end.
func (p *page) wrapped(first span, style style, text string) {
	indent := utf8.RuneCountInString(first.text)
	room := max(p.width-indent, 20)
	words := shortWords(figure.Line(text), room)
	lead := first
	for len(words) > 0 {
		n, length := 1, utf8.RuneCountInString(words[0])
		for n < len(words) && length+1+utf8.RuneCountInString(words[n]) <= room {
			length += 1 + utf8.RuneCountInString(words[n])
			n++
		}
		p.line(lead, span{style, strings.Join(words[:n], " ")})
		lead = span{plain, strings.Repeat(" ", indent)}
		words = words[n:]
	}
}

// shortWords returns the words of a text, those longer than a line in pieces.
func shortWords(text string, room int) (out []string) {
	for _, w := range strings.Fields(text) {
		r := []rune(w)
		for len(r) > room {
			out, r = append(out, string(r[:room])), r[room:]
		}
		out = append(out, string(r))
	}
	return out
}

// pad fills s up to n columns on the right, padLeft on the left.
func pad(s string, n int) string { return s + strings.Repeat(" ", gap(s, n)) }

func padLeft(s string, n int) string { return strings.Repeat(" ", gap(s, n)) + s }

func gap(s string, n int) int { return max(n-utf8.RuneCountInString(s), 0) }

// shorten cuts s to n columns.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(n-1, 0)]) + "…"
}
