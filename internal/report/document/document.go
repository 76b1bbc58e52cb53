// Package document holds reports that are about more than one run (a comparison, a
// history, a capacity, a suite) as one value of headings, sentences and tables, which
// is shown as Markdown, as text, and in package html as a page. It says what others
// found; it reads nothing and judges nothing.
package document

// Tone is how something is shown, besides by its words.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "good"
	Bad   Tone = "bad"
	Warn  Tone = "warn"
	Dim   Tone = "dim"
)

// Document is a report. Every text may hold what others sent: who shows it makes it
// harmless.
type Document struct {
	// Title says what it is about, Badge what it came to, in a word, and Tone whether
	// that is good.
	Title, Badge string
	Tone         Tone
	// Lead is the answer in one sentence, Meta what it is of.
	Lead, Meta string
	Blocks     []Block
}

// Block is a part of it: sentences, then a table.
type Block struct {
	Heading string
	Texts   []Text
	Table   *Table
	// Folded blocks are shown when they are asked for.
	Folded bool
}

// Text is a sentence.
type Text struct {
	Text string
	Tone Tone
}

// Table is rows of cells, as many in each as there are columns.
type Table struct {
	Columns []Column
	Rows    [][]Cell
}

// Column is a column's heading. Right aligns it as figures are.
type Column struct {
	Name  string
	Right bool
	// Long columns are made narrower where a text has too little room for the others.
	Long bool
	// Spare columns are left out first where a text has too little room: the highest
	// goes first, 0 never.
	Spare int
}

// Cell is a figure or a text in a table.
type Cell struct {
	Text string
	Tone Tone
	// Link is the address of the page that it leads to, relative to the document's.
	Link string
	// Line are values that are drawn as a small line; NaN is a gap.
	Line []float64
}

// cells makes cells of texts.
func cells(texts ...string) []Cell {
	out := make([]Cell, len(texts))
	for i, t := range texts {
		out[i].Text = t
	}
	return out
}

// texts makes sentences of texts, all of one tone.
func texts(tone Tone, all ...string) (out []Text) {
	for _, t := range all {
		out = append(out, Text{t, tone})
	}
	return out
}

// mark is how a tone is shown without colour.
func (t Tone) mark() string {
	switch t {
	case Good:
		return "✅"
	case Bad:
		return "❌"
	case Warn:
		return "⚠️"
	}
	return ""
}
