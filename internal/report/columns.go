package report

import (
	"slices"
	"unicode/utf8"
)

// table is rows whose columns are aligned.
type table struct {
	rows [][]span
	// right is a bit set of the columns that are aligned to the right.
	right uint
	// drop are the columns that a narrow page can do without, the least needed
	// first.
	drop []int
}

func (t *table) add(cells ...span) { t.rows = append(t.rows, cells) }

func plainCells(texts ...string) []span {
	cells := make([]span, len(texts))
	for i, s := range texts {
		cells[i].text = s
	}
	return cells
}

// fit drops columns until the table is no wider than width, as far as it may.
func (t *table) fit(width int) {
	for _, column := range t.drop {
		total := -len(sep)
		for _, w := range t.widths() {
			total += w + len(sep)
		}
		if total <= width {
			return
		}
		for i, row := range t.rows {
			if column < len(row) {
				t.rows[i] = slices.Delete(row, column, column+1)
			}
		}
		low := t.right & (1<<column - 1)
		t.right = low | t.right>>(column+1)<<column
		for i, later := range t.drop {
			if later > column {
				t.drop[i]--
			}
		}
	}
}

// sep stands between columns.
const sep = "  "

func (t *table) widths() (widths []int) {
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	return widths
}

// table writes the rows. What does not fit is cut off the last column.
func (p *page) table(t *table) {
	t.fit(p.width)
	widths := t.widths()
	for _, row := range t.rows {
		out := make([]span, 0, len(row))
		used := 0
		for i, c := range row {
			switch last := i == len(row)-1; {
			case t.right&(1<<i) != 0:
				c.text = padLeft(c.text, widths[i])
			case last:
				c.text = shorten(c.text, max(p.width-used, 10))
			default:
				c.text = pad(c.text, widths[i])
			}
			if i < len(row)-1 {
				c.text += sep
			}
			used += utf8.RuneCountInString(c.text)
			out = append(out, c)
		}
		p.line(out...)
	}
}
