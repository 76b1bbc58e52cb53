package document

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// Histories is a document of past runs, those of each load together. Links to the pages
// of the runs are relative to from, the folder that the document is to be in; empty
// where nobody knows it.
func Histories(all []*compare.History, from string) *Document {
	runs, changes := 0, 0
	for _, h := range all {
		runs, changes = runs+h.Older+len(h.Runs), changes+len(h.Changes)
	}
	d := &Document{Title: "perfctl history", Badge: "history", Meta: counted(runs, "run") + " of " + counted(len(all), "load"), Lead: "No figure changed from one run to the next"}
	switch {
	case changes > 0:
		d.Lead = fmt.Sprintf("%d figures changed from some run on", changes)
	case runs < compare.FewestPast:
		d.Lead = fmt.Sprintf("Changes are looked for from %d runs of a load on", compare.FewestPast)
	}
	for _, h := range all {
		d.Blocks = append(d.Blocks, historyBlocks(h, from)...)
	}
	return d
}

// counted is a number of things.
func counted(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

// mostDrawn is how many runs, the newest ones, a small line has points for.
const mostDrawn = 150

func historyBlocks(h *compare.History, from string) []Block {
	t := &Table{Columns: []Column{{Name: "#", Right: true}, {Name: "run"}, {Name: "started"}, {Name: "version", Spare: 3}, {Name: "tags", Spare: 2}, {Name: "verdict"},
		{Name: "errors", Right: true}, {Name: "p50", Right: true, Spare: 1}, {Name: "p95", Right: true}, {Name: "p99", Right: true}}}
	changed := map[int]bool{}
	for _, c := range h.Changes {
		changed[c.Run] = true
	}
	var line []float64
	for i, r := range h.Runs {
		n := fmt.Sprint(h.Older + i + 1)
		if changed[h.Older+i] {
			n = "◆ " + n
		}
		row := cells(n, r.Dir, r.Started.UTC().Format("2006-01-02 15:04"), r.Version, tagsText(r.Tags), strings.ToUpper(orDash(r.Verdict)),
			figure.Value(r.Errors, metrics.UnitRatio), millis(r.P50), millis(r.P95), millis(r.P99))
		if row[5].Tone = Good; r.Exit != 0 || r.Verdict == "" {
			row[5].Tone = Bad
		}
		row[1].Link = pageFrom(from, r.Dir)
		t.Rows = append(t.Rows, row)
		line = append(line, orNaN(r.P95))
	}
	heading := h.Profile + " of " + strings.Join(h.Scenarios, ", ")
	if h.Tag != "" {
		heading += " with " + h.Tag
	}
	if h.Older > 0 {
		heading += fmt.Sprintf(" (%s older runs: -v)", figure.Count(int64(h.Older)))
	}
	line = line[max(len(line)-mostDrawn, 0):]
	said := Block{Heading: heading,
		Table: &Table{Columns: []Column{{Name: "p95 of response time, run by run"}}, Rows: [][]Cell{{{Line: line}}}}}
	for _, c := range h.Changes {
		tone := Good
		if c.Word == compare.Regressed {
			tone = Bad
		}
		said.Texts = append(said.Texts, Text{fmt.Sprintf("from run %d on: %s", c.Run+1, c.Sentence()), tone})
	}
	return []Block{said, {Table: t}}
}

// pageFrom returns the address of a run's page as seen from a folder.
func pageFrom(from, dir string) string {
	if from == "" {
		return ""
	}
	a, err1 := filepath.Abs(from)
	b, err2 := filepath.Abs(dir)
	if err1 != nil || err2 != nil {
		return ""
	}
	path, err := filepath.Rel(a, filepath.Join(b, "report.html"))
	if err != nil {
		return ""
	}
	return filepath.ToSlash(path)
}

func tagsText(all map[string]string) string {
	var out []string
	for _, k := range sortedKeys(all) {
		out = append(out, k+"="+all[k])
	}
	return strings.Join(out, " ")
}

const none = "–"

func orDash(s string) string {
	if s == "" {
		return none
	}
	return s
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// millis prints a time in milliseconds.
func millis(v *float64) string {
	if v == nil {
		return none
	}
	return figure.Value(*v*1e6, metrics.UnitTime)
}
