package document

import (
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/capacity/trials"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// Capacity is a document of a search for the highest rate.
func Capacity(c *trials.Report) *Document {
	d := &Document{Title: "perfctl capacity", Badge: strings.ToUpper(c.Verdict), Tone: Bad,
		Meta: fmt.Sprintf("%s, seed %d, %s arrivals; exit code %d", c.Started.UTC().Format("2006-01-02 15:04 UTC"), c.Seed, c.Process, c.ExitCode)}
	switch c.ExitCode {
	case exitcode.Pass:
		d.Tone = Good
	case exitcode.Invalid, exitcode.Interrupted:
		d.Tone = Warn
	}
	d.Lead = strings.ToUpper(c.Verdict) + ": " + c.Why()
	if len(c.Results) == 1 {
		d.Lead = strings.ToUpper(c.Verdict) + ": " + c.Results[0].Sentence
	}
	for i := range c.Results {
		d.Blocks = append(d.Blocks, partBlocks(&c.Results[i], len(c.Results) > 1)...)
	}
	return d
}

func partBlocks(r *trials.Part, several bool) []Block {
	head := Block{Heading: r.Name}
	if several {
		head.Texts = texts(Plain, r.Sentence)
	}
	for _, x := range r.SLA {
		tone := Good
		if x.Status != sla.Passed {
			tone = Bad
		}
		head.Texts = append(head.Texts, Text{x.Rule + ": " + x.Actual, tone})
	}
	for _, b := range r.Broke {
		word := "broke"
		if b.Warning {
			word = "at the same time"
		}
		head.Texts = append(head.Texts, Text{word + ": " + b.String(), Warn})
	}
	if r.Knee != nil {
		head.Texts = append(head.Texts, Text{Text: fmt.Sprintf("P95 turns up at %s, where it is %s", rate(r.Knee.Rate), millis(&r.Knee.P95))})
	}
	for _, u := range r.CannotSay {
		head.Texts = append(head.Texts, Text{"cannot say (" + u.Question + "): " + u.Because, Dim})
	}
	if len(r.Curve) > 0 {
		head.Table = curveTable(r.Curve)
	}
	return []Block{head, {Heading: fmt.Sprintf("%d trials in %s", len(r.Trials), figure.Value(r.Took, metrics.UnitSeconds)), Folded: true, Table: trialTable(r.Trials)}}
}

func curveTable(curve []capacity.CurvePoint) *Table {
	t := &Table{Columns: []Column{{Name: "offered", Right: true}, {Name: "achieved", Right: true}, {Name: "in flight", Right: true, Spare: 2},
		{Name: "p50", Right: true, Spare: 1}, {Name: "p95", Right: true}, {Name: "p99", Right: true}, {Name: "errors", Right: true}, {Name: "held", Right: true}}}
	for _, p := range curve {
		tone := Good
		if p.Held < p.Trials {
			tone = Bad
		}
		row := cells(rate(p.Rate), rate(p.Achieved), figure.Value(p.Concurrency, metrics.UnitCount), atLeast(p.P50, p.AtLeast), atLeast(p.P95, p.AtLeast),
			atLeast(p.P99, p.AtLeast), figure.Value(p.ErrorRate, metrics.UnitRatio), fmt.Sprintf("%d of %d", p.Held, p.Trials))
		row[7].Tone = tone
		t.Rows = append(t.Rows, row)
	}
	return t
}

func trialTable(all []capacity.Trial) *Table {
	t := &Table{Columns: []Column{{Name: "trial", Right: true}, {Name: "offered", Right: true}, {Name: "p95", Right: true}, {Name: "outcome"}, {Name: "because"}}}
	for i, x := range all {
		because := ""
		switch {
		case len(x.Breaches) > 0:
			because = x.Breaches[0].String()
		case len(x.Reasons) > 0:
			because = x.Reasons[0]
		}
		t.Rows = append(t.Rows, cells(fmt.Sprint(i+1), rate(x.Rate), atLeast(x.Load.P95, x.Load.AtLeast), string(x.Outcome), because))
	}
	return t
}

func rate(v float64) string { return figure.Value(v, metrics.UnitPerSec) }

func atLeast(v *float64, is bool) string {
	if v == nil || !is {
		return millis(v)
	}
	return "≥" + millis(v)
}
