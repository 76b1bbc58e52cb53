package document

import (
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// Repeated is a document of the runs of one plan: what they come to together, each of
// them, and how they differ from the baseline. Links to the pages of the runs are relative
// to from, as those of Histories.
func Repeated(r *summary.Repeated, from string) *Document {
	info := &r.Ended[0].Run
	d := &Document{Title: "perfctl run " + info.Profile, Badge: strings.ToUpper(r.Verdict), Tone: Bad,
		Meta: fmt.Sprintf("%s, %d of %d runs made; exit code %d", info.Started.UTC().Format("2006-01-02 15:04 UTC"), len(r.Ended), r.Asked, r.ExitCode)}
	switch r.ExitCode {
	case exitcode.Pass:
		d.Tone = Good
	case exitcode.Interrupted:
		d.Tone = Warn
	}
	d.Lead = d.Badge + ": " + repeatedLead(r)
	if b := aloneBlock(r); len(b.Texts) > 0 {
		d.Blocks = append(d.Blocks, b)
	}
	if r.Mean != nil {
		d.Blocks = append(d.Blocks, rulesBlock(r.Mean), Block{Heading: "The mean over the runs", Table: meanTable(r.Mean)})
	}
	for _, h := range r.Histories {
		b := historyBlocks(h, from)
		d.Blocks = append(d.Blocks, Block{Heading: "Each run", Table: b[len(b)-1].Table})
	}
	if r.Comparison != nil {
		c := Comparison(r.Comparison)
		d.Blocks = append(d.Blocks, Block{Heading: "Against the baseline", Texts: []Text{{c.Lead, c.Tone}, {c.Meta, Dim}}})
		d.Blocks = append(d.Blocks, c.Blocks...)
	}
	return d
}

// repeatedLead says what decides.
func repeatedLead(r *summary.Repeated) string {
	text := fmt.Sprintf("%d runs", len(r.Ended))
	if r.Mean != nil {
		kept, judged := 0, 0
		for i := range r.Mean.Rules {
			switch r.Mean.Rules[i].Status {
			case sla.Passed:
				kept, judged = kept+1, judged+1
			case sla.Failed, sla.NoData, sla.Warned:
				judged++
			}
		}
		text = fmt.Sprintf("%d of %d rules kept by the mean over %d runs", kept, judged, len(r.Ended))
	}
	if n := len(aloneBlock(r).Texts); n > 0 {
		text += fmt.Sprintf("; %d of the runs did not pass on their own account", n)
	}
	if r.Comparison != nil {
		text += "; against the baseline " + r.Comparison.Sentence()
	}
	return text
}

// aloneBlock says which runs failed by something that no mean decides.
func aloneBlock(r *summary.Repeated) (b Block) {
	for i := range r.Ended {
		s := r.Rest(i)
		breached := false
		for k := range s.SLA {
			breached = breached || s.SLA[k].Breaches()
		}
		for _, c := range s.Checks {
			breached = breached || !c.Passed
		}
		if breached || s.Stopped != nil || s.ExitCode != exitcode.Pass && s.ExitCode != exitcode.Breached {
			b.Texts = append(b.Texts, Text{fmt.Sprintf("run %d: %s", i+1, report.Verdicted(s)), Bad})
		}
	}
	return b
}

// rulesBlock says the rules that are missed, and those that are kept as one number.
func rulesBlock(m *compare.Repeated) (b Block) {
	kept := 0
	for i := range m.Rules {
		x := &m.Rules[i]
		name := x.Rule
		if x.Stage != "" {
			name += " in " + x.Stage
		}
		switch {
		case x.Status == sla.Passed && x.Near:
			kept++
			b.Texts = append(b.Texts, Text{fmt.Sprintf("%s: the mean keeps %s, and lies so near that other runs could miss it (missed in %d of %d)", name, x.Target, x.Missed, m.Runs), Warn})
		case x.Status == sla.Passed:
			kept++
		case x.Status == sla.Failed, x.Status == sla.NoData, x.Status == sla.Warned:
			tone := Bad
			if x.Severity != sla.Fail {
				tone = Warn
			}
			b.Texts = append(b.Texts, Text{fmt.Sprintf("%s: missed, target %s (missed in %d of %d runs)", name, x.Target, x.Missed, m.Runs), tone})
		}
	}
	b.Texts = append(b.Texts, Text{figure.Count(int64(kept)) + " rules kept by the mean over the runs, by which they are judged", Plain})
	return b
}

func meanTable(m *compare.Repeated) *Table {
	t := &Table{Columns: []Column{{Name: "figure", Long: true}, {Name: "stage"}, {Name: "stat"}, {Name: "mean", Right: true},
		{Name: "runs differ by", Right: true}, {Name: "mean lies in (95%)", Right: true, Spare: 1}}}
	for i := range m.Figures {
		t.Rows = append(t.Rows, cells(m.Figures[i].Row()...))
	}
	return t
}

// Need is a document of how many runs a gate takes.
func Need(n *compare.Need) *Document {
	d := &Document{Title: "perfctl compare --need", Lead: n.Sentence(), Meta: n.Of()}
	t := &Table{Columns: []Column{{Name: "figure", Long: true}, {Name: "stage"}, {Name: "stat"}, {Name: "runs differ by", Right: true},
		{Name: "runs a side", Right: true}, {Name: "of four times the length", Right: true, Spare: 1}}}
	for i := range n.Figures {
		t.Rows = append(t.Rows, cells(n.Figures[i].Row()...))
	}
	d.Blocks = []Block{{Table: t}}
	return d
}
