package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/compare"
)

// Comparison is a document of how runs differ from others.
func Comparison(c *compare.Comparison) *Document {
	d := &Document{Title: "perfctl compare", Badge: string(c.Word), Tone: Good, Lead: c.Sentence(),
		Meta: fmt.Sprintf("base: %s; new: %s", strings.Join(c.Base, ", "), strings.Join(c.New, ", "))}
	switch {
	case c.Fails, c.Word == compare.Regressed:
		d.Tone = Bad
	case c.Word == compare.Inconclusive:
		d.Tone = Warn
	}
	if n := append(texts(Warn, c.Cautions...), texts(Plain, c.Notes...)...); len(n) > 0 {
		d.Blocks = append(d.Blocks, Block{Texts: n})
	}
	rows, quiet := c.Rows(false)
	d.Blocks = append(d.Blocks, Block{Table: figuresOf(rows)})
	if n := quiet[compare.OK] + quiet[compare.Inconclusive]; n > 0 {
		d.Blocks = append(d.Blocks, Block{Texts: texts(Dim, fmt.Sprintf("%d other figures judge nothing: %d OK, %d INCONCLUSIVE", n, quiet[compare.OK], quiet[compare.Inconclusive]))})
	}
	if all, _ := c.Rows(true); len(all) > len(rows) {
		d.Blocks = append(d.Blocks, Block{Heading: fmt.Sprintf("all %d figures", len(all)), Table: figuresOf(all), Folded: true})
	}
	if len(c.Differences) > 0 {
		d.Blocks = append(d.Blocks, Block{Heading: "Not the same besides the figures", Texts: texts(Plain, c.Differences...)})
	}
	d.Blocks = append(d.Blocks, Block{Texts: texts(Dim, c.Method)})
	return d
}

func figuresOf(rows []compare.Row) *Table {
	// A stage that all have in common is the first that a narrow page can do without.
	stage := Column{Name: "stage"}
	if !slices.ContainsFunc(rows, func(r compare.Row) bool { return r.Stage != rows[0].Stage }) {
		stage.Spare = 2
	}
	t := &Table{Columns: []Column{{Name: "verdict"}, {Name: "figure", Long: true}, stage, {Name: "stat"},
		{Name: "base", Right: true}, {Name: "new", Right: true}, {Name: "difference", Right: true}, {Name: "interval", Right: true, Spare: 1}}}
	for _, r := range rows {
		word := string(r.Word)
		if !r.Gated {
			word = "note: " + word
		}
		row := cells(word, r.Metric, r.Stage, r.Stat, r.Base, r.New, r.Difference, r.Interval)
		if row[0].Tone = toneOf(r.Word); !r.Gated {
			row[0].Tone = Dim
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func toneOf(w compare.Word) Tone {
	switch w {
	case compare.Regressed:
		return Bad
	case compare.Inconclusive:
		return Warn
	}
	return Good
}
