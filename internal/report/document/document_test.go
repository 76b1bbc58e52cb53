package document_test

import (
	"io"
	"math"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/report/document"
	"github.com/perfctl/perfctl/internal/report/html"
)

// hostile is what a run may be called by somebody else.
const hostile = "a|b\n## c <script>alert(1)</script> \x1b[31m @team"

func sample() *document.Document {
	return &document.Document{Title: "perfctl compare", Badge: "REGRESSED", Tone: document.Bad, Lead: "p95 rose by 20 %", Meta: hostile, Blocks: []document.Block{
		{Heading: hostile, Texts: []document.Text{{Text: hostile, Tone: document.Warn}}, Table: &document.Table{
			Columns: []document.Column{{Name: "figure"}, {Name: "base", Right: true}, {Name: "interval", Right: true, Spare: 1}},
			Rows:    [][]document.Cell{{{Text: hostile, Tone: document.Bad}, {Text: "21.3ms"}, {Text: "+15.3 % to +19.6 %"}}},
		}},
		{Heading: "all figures", Folded: true, Table: &document.Table{Columns: []document.Column{{Name: "p95"}},
			Rows: [][]document.Cell{{{Line: []float64{1, math.NaN(), 3}}}}}},
	}}
}

func text(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Every view says the answer, and foreign text is harmless in each.
func TestViewsOfADocument(t *testing.T) {
	for name, got := range map[string]string{
		"markdown": text(t, func(w io.Writer) error { return document.Markdown(w, sample()) }),
		"text":     text(t, func(w io.Writer) error { return document.WriteText(w, sample(), document.Layout{}) }),
		"html":     text(t, func(w io.Writer) error { return html.Document(w, sample()) }),
	} {
		if !strings.Contains(got, "p95 rose by 20 %") || !strings.Contains(got, "21.3ms") {
			t.Errorf("%s lacks the answer or a figure:\n%s", name, got)
		}
		if name != "html" && strings.Contains(got, "\x1b[31m") || name != "text" && strings.Contains(got, "<script>alert") {
			t.Errorf("%s passes foreign text on as it is:\n%s", name, got)
		}
	}
	if md := text(t, func(w io.Writer) error { return document.Markdown(w, sample()) }); strings.Contains(md, "\n## c") || strings.Contains(md, "@team") {
		t.Errorf("a name became a heading or calls people:\n%s", md)
	}
}

// A text is never wider than it may be, and folded parts are shown when they are asked for.
func TestTextOfADocumentFits(t *testing.T) {
	for _, width := range []int{60, 80} {
		got := text(t, func(w io.Writer) error {
			return document.WriteText(w, sample(), document.Layout{Width: width, All: true})
		})
		for line := range strings.Lines(got) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > width {
				t.Errorf("%d columns where there are %d: %q", n, width, line)
			}
		}
		if !strings.Contains(got, "all figures") {
			t.Errorf("the folded part is missing:\n%s", got)
		}
	}
}
