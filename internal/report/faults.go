package report

import (
	"fmt"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/summary"
)

// briefFaults bounds the rows of the short summary's faults.
const briefFaults = 8

// faultColumns head the table of faults.
var faultColumns = []string{"fault", "at", "for", "due", "errors", "P95 before", "worst", "recovered", "what"}

// faultCells are a fault's row: what it cost, and how soon it was over.
func faultCells(f *analysis.FaultEffect) []string {
	worst := optional(f.Peak, showMillis)
	if f.PeakAtLeast && f.Peak != nil {
		worst = "≥" + worst
	}
	return []string{
		figure.Line(f.Name), showSeconds(f.From), showSeconds(f.To - f.From), showCount(f.Due), optional(f.ErrorRate, showShare),
		optional(f.Before, showMillis), worst, recovered(f), figure.Line(f.What),
	}
}

// recovered says how long after its end a fault was over.
func recovered(f *analysis.FaultEffect) string {
	switch {
	case !f.Known:
		return "unknown"
	case !f.Recovered || f.Time == nil:
		return "not in " + showSeconds(f.Watched)
	case *f.Time <= 0:
		return "at once"
	}
	return "after " + showSeconds(*f.Time)
}

func faultsOf(s *summary.Summary) []analysis.FaultEffect {
	if s.Analysis == nil {
		return nil
	}
	return s.Analysis.Faults
}

// faults writes a row for each thing that was broken on purpose, at most so many.
func (p *page) faults(s *summary.Summary, most int) {
	all := faultsOf(s)
	if len(all) == 0 {
		return
	}
	p.line()
	p.line(span{bold, "faults"}, span{dim, "  what was broken on purpose; recovered: since its end"})
	t := table{right: 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<6, drop: []int{8, 3, 2, 5}}
	head := dimmed(faultColumns...)
	head[0].text = "  " + head[0].text
	t.add(head...)
	for i := range all[:min(most, len(all))] {
		cells := plainCells(faultCells(&all[i])...)
		cells[0].text = "  " + shorten(cells[0].text, widestName)
		if e := all[i].ErrorRate; e != nil && *e > 0 {
			cells[4].style = red
		}
		if all[i].Known && !all[i].Recovered {
			cells[7].style = red
		}
		t.add(cells...)
	}
	p.table(&t)
	p.rest(len(all)-most, "fault")
	for i := range all[:min(most, len(all))] {
		if f := &all[i]; !f.Known && f.Because != "" {
			p.wrapped(span{yellow, "  ? "}, plain, fmt.Sprintf("%s: its recovery cannot be told, because %s", f.Name, f.Because))
		}
	}
}

// faults writes the same table.
func (m markdown) faults(s *summary.Summary) {
	all := faultsOf(s)
	if len(all) == 0 {
		return
	}
	m.line("\nBroken on purpose:\n")
	m.line("| fault | at | for | due | errors | P95 before | worst | recovered | what |\n| --- | --: | --: | --: | --: | --: | --: | --- | --- |")
	for i := range all {
		cells := faultCells(&all[i])
		for c := range cells {
			cells[c] = escape(cells[c])
		}
		m.row(cells...)
	}
}
