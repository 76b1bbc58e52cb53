package document

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/figure"
)

// Layout is how a document is shown as text.
type Layout struct {
	// Color allows ANSI colours.
	Color bool
	// Width is how many columns there are; 0 stands for as many as it takes.
	Width int
	// All shows folded blocks, too.
	All bool
}

// WriteText writes a document for a terminal. Columns that there is no room for are left
// out, the last of what is left is cut.
func WriteText(w io.Writer, d *Document, l Layout) error {
	p := &printer{w: bufio.NewWriter(w), Layout: l}
	p.wrapped("", "", d.Tone, d.Lead)
	if d.Meta != "" {
		p.wrapped("  ", "  ", Dim, d.Meta)
	}
	for _, b := range d.Blocks {
		if b.Folded && !l.All {
			continue
		}
		fmt.Fprintln(p.w)
		if b.Heading != "" {
			p.wrapped("", "", Plain, b.Heading)
		}
		for _, t := range b.Texts {
			p.wrapped("  ", "    ", t.Tone, t.Text)
		}
		if b.Table != nil {
			p.table(b.Table)
		}
	}
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

type printer struct {
	w *bufio.Writer
	Layout
}

var codes = map[Tone]string{Good: "32", Bad: "31", Warn: "33", Dim: "2"}

func (p *printer) paint(t Tone, text string) string {
	if code := codes[t]; p.Color && code != "" {
		return "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	return text
}

// wrapped writes a text in as many lines as it takes.
func (p *printer) wrapped(first, next string, t Tone, text string) {
	lead := first
	for _, line := range figure.Wrap(figure.Line(text), p.room(len(first)), p.room(len(next))) {
		fmt.Fprintln(p.w, lead+p.paint(t, line))
		lead = next
	}
}

// room is what is left of a line behind so many columns.
func (p *printer) room(used int) int {
	if p.Width == 0 {
		return math.MaxInt
	}
	return max(p.Width-used, 20)
}

const between = "  "

func (p *printer) table(t *Table) {
	texts := make([][]string, len(t.Rows)+1)
	for _, c := range t.Columns {
		texts[0] = append(texts[0], c.Name)
	}
	for i, row := range t.Rows {
		for _, c := range row {
			text := figure.Line(c.Text)
			if c.Line != nil {
				text = spark(c.Line)
			}
			texts[i+1] = append(texts[i+1], text)
		}
	}
	widths := make([]int, len(t.Columns))
	for _, row := range texts {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	shown := p.columns(t, widths)
	p.squeeze(t, widths, shown, texts)
	for i, row := range texts {
		line := between
		used := len(between)
		for k, c := range shown {
			text := row[c]
			gap := strings.Repeat(" ", max(widths[c]-utf8.RuneCountInString(text), 0))
			if k == len(shown)-1 && !t.Columns[c].Right {
				gap = ""
				if n := p.room(used); utf8.RuneCountInString(text) > n {
					text = string([]rune(text)[:n-1]) + "…"
				}
			}
			tone := Dim
			if i > 0 {
				tone = t.Rows[i-1][c].Tone
			}
			painted := p.paint(tone, text)
			if t.Columns[c].Right {
				painted = gap + painted
			} else {
				painted += gap
			}
			line += painted
			if used += widths[c] + len(between); k < len(shown)-1 {
				line += between
			}
		}
		fmt.Fprintln(p.w, strings.TrimRight(line, " "))
	}
}

// leastLong is how narrow a long column may become.
const leastLong = 12

// squeeze makes the long columns as narrow as it takes: the middle of a name says less
// than its ends.
func (p *printer) squeeze(t *Table, widths, shown []int, texts [][]string) {
	over := -p.Width
	for _, i := range shown {
		over += widths[i] + len(between)
	}
	for _, i := range shown {
		if p.Width == 0 || over <= 0 || !t.Columns[i].Long {
			continue
		}
		width := max(widths[i]-over, leastLong)
		over -= widths[i] - width
		widths[i] = width
		for _, row := range texts {
			row[i] = middleOut(row[i], width)
		}
	}
}

// middleOut leaves out the middle of a text that is too wide.
func middleOut(text string, width int) string {
	r := []rune(text)
	if len(r) <= width {
		return text
	}
	head := (width - 1) / 3
	return string(r[:head]) + "…" + string(r[len(r)-(width-1-head):])
}

// columns returns the columns that there is room for.
func (p *printer) columns(t *Table, widths []int) (shown []int) {
	for i := range t.Columns {
		shown = append(shown, i)
	}
	total := func() (n int) {
		for _, i := range shown {
			n += widths[i] + len(between)
		}
		return n
	}
	for p.Width > 0 && total() > p.Width {
		spare := slices.MaxFunc(shown, func(a, b int) int { return t.Columns[a].Spare - t.Columns[b].Spare })
		if t.Columns[spare].Spare == 0 {
			break
		}
		shown = slices.DeleteFunc(shown, func(i int) bool { return i == spare })
	}
	return shown
}

// spark draws values from 0 to the highest as a line of blocks.
func spark(values []float64) string {
	top := 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			top = max(top, v)
		}
	}
	blocks := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range values {
		if math.IsNaN(v) || top == 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(blocks[min(max(int(v/top*float64(len(blocks))), 0), len(blocks)-1)])
	}
	return b.String()
}
