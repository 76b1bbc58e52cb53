package document

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/summary"
)

// Suite is a document of several runs in turn: a row for each, then what each missed.
func Suite(s *summary.Suite) *Document {
	d := &Document{Title: "perfctl suite " + s.Name, Badge: strings.ToUpper(s.Verdict), Tone: Bad,
		Meta: fmt.Sprintf("%s, took %s; exit code %d", s.Started.UTC().Format("2006-01-02 15:04 UTC"), figure.Value(s.Duration, metrics.UnitSeconds), s.ExitCode)}
	if s.ExitCode == 0 {
		d.Tone = Good
	}
	passed := 0
	for i := range s.Runs {
		if s.Runs[i].ExitCode == 0 && s.Runs[i].NotRun == "" {
			passed++
		}
	}
	d.Lead = fmt.Sprintf("%s: %d of %d runs passed", d.Badge, passed, len(s.Runs))
	if names := redRuns(s); len(names) > 0 {
		d.Lead += "; not: " + strings.Join(names, ", ")
	}
	d.Blocks = append(d.Blocks, Block{Table: suiteTable(s)})
	for i := range s.Runs {
		if b, ok := runBlock(&s.Runs[i]); ok {
			d.Blocks = append(d.Blocks, b)
		}
	}
	return d
}

func redRuns(s *summary.Suite) (names []string) {
	for i := range s.Runs {
		if s.Runs[i].ExitCode != 0 || s.Runs[i].NotRun != "" {
			names = append(names, s.Runs[i].Name)
		}
	}
	return names
}

func suiteTable(s *summary.Suite) *Table {
	t := &Table{Columns: []Column{{Name: "run"}, {Name: "verdict"}, {Name: "took", Right: true, Spare: 3}, {Name: "arrivals", Right: true, Spare: 1}, {Name: "achieved", Right: true, Spare: 2},
		{Name: "errors", Right: true}, {Name: "p50", Right: true, Spare: 4}, {Name: "p95", Right: true}, {Name: "p99", Right: true}, {Name: "rules", Right: true}}}
	for i := range s.Runs {
		r := &s.Runs[i]
		row := cells(r.Name, "", none, none, none, none, none, none, none, none)
		switch {
		case r.NotRun != "":
			row[1] = Cell{Text: "not run", Tone: Dim}
		case r.Summary == nil:
			row[1] = Cell{Text: fmt.Sprintf("exit code %d", r.ExitCode), Tone: Bad}
		default:
			fillRun(row, r)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func fillRun(row []Cell, r *summary.SuiteRun) {
	s := r.Summary
	if row[1] = (Cell{Text: report.Word(s), Tone: Good}); r.ExitCode != 0 {
		row[1].Tone = Bad
	}
	row[0].Link = path.Join(r.Name, "report.html")
	lost := s.Arrivals.Failed + s.Arrivals.Dropped + s.Arrivals.Unfinished
	share, achieved := none, none
	if s.Arrivals.Planned > 0 {
		share = figure.Value(float64(lost)/float64(s.Arrivals.Planned), metrics.UnitRatio)
	}
	best := 0.0
	for _, st := range s.Stages {
		if st.Achieved != nil {
			best = max(best, *st.Achieved)
			achieved = rate(best)
		}
	}
	row[2].Text, row[3].Text, row[4].Text, row[5].Text = figure.Value(s.Run.Duration, metrics.UnitSeconds), figure.Count(s.Arrivals.Planned), achieved, share
	if m, ok := s.Metrics[metrics.ResponseTime.Name]; ok && m.Trend != nil {
		for i, x := range []struct {
			name string
			v    *float64
		}{{"med", m.Trend.Med}, {"p95", m.Trend.P95}, {"p99", m.Trend.P99}} {
			row[6+i].Text = atLeast(x.v, m.Trend.Bounded(x.name))
		}
	}
	held, all := report.RulesHeld(s)
	row[9].Text = fmt.Sprintf("%d of %d", held, all)
}

// runBlock says of a run that did not pass why; ok is false for one that did.
func runBlock(r *summary.SuiteRun) (b Block, ok bool) {
	b.Heading = r.Name
	switch {
	case r.NotRun != "":
		b.Texts = texts(Dim, "not run: "+r.NotRun)
	case r.Summary == nil:
		b.Texts = texts(Bad, r.Error)
	case r.ExitCode != 0:
		b.Texts = texts(Bad, report.Verdicted(r.Summary))
		for _, f := range r.Summary.Failures[:min(len(r.Summary.Failures), 3)] {
			b.Texts = append(b.Texts, Text{fmt.Sprintf("%s %s of %s: %s", figure.Count(f.Count), f.Kind, f.Scenario, f.Example), Plain})
		}
	default:
		return b, false
	}
	return b, true
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
