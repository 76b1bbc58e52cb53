package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"strconv"

	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/summary"
)

//go:embed slow.html
var slowText string

func init() { template.Must(page.Parse(slowText)) }

// slowView is what the page shows of single arrivals.
type slowView struct {
	Kept    int
	Because string
	Rows    []fall
}

// fall is one arrival: its bar in one piece, and a row for each operation.
type fall struct {
	K                                                  int64
	Scenario, Stage, Due, Response, Kind, Error, Label string
	// From and To are the time to zoom to, in seconds.
	From, To float64
	All      []bar
	Ops      []fallOp
}

type fallOp struct {
	Name, Took, Detail string
	Meanwhile          []string
	Failed             bool
	Bars               []bar
}

// bar is a rectangle on a scale of a thousand.
type bar struct{ Class, X, Width string }

// The arrivals that the page shows.
const (
	slowShown   = 12
	failedShown = 6
)

// slowOf gathers the slowest arrivals of a run, and some that failed.
func slowOf(r *rundir.Run, s *summary.Summary) slowView {
	if r.Dir == "" {
		return slowView{}
	}
	set := exemplars.Read(r.Dir)
	v := slowView{Kept: len(set.Exemplars)}
	if why := s.Slow(); why != nil {
		v.Because = why.Because
	}
	for _, q := range []report.SlowQuery{{Most: slowShown}, {Failed: true, Most: failedShown}} {
		shown, _ := q.Choose(set.Exemplars)
		for i := range shown {
			v.Rows = append(v.Rows, fallOf(set, &shown[i]))
		}
	}
	return v
}

func fallOf(set *exemplars.Set, e *exemplars.Exemplar) fall {
	f := fall{K: e.K, Scenario: e.Scenario, Stage: e.Stage, Due: shownMillis(e.Due), Response: shownMillis(e.Response), Kind: e.Kind, Error: e.Error,
		From: e.Due / 1e3, To: max(e.End(), e.Due+1) / 1e3}
	whole := max(e.Response+e.Paused, 1e-3)
	add := func(to *[]bar, class string, from, took float64) {
		if took > 0 {
			*to = append(*to, bar{class, fixed(from / whole * 1000), fixed(max(took/whole*1000, 1))})
		}
	}
	add(&f.All, "wait", 0, e.Started)
	for i := range e.Ops {
		o := &e.Ops[i]
		row := fallOp{Name: o.Name, Took: shownMillis(o.End - o.Start), Detail: report.OpDetail(o), Meanwhile: report.Meanwhile(set, e, o), Failed: o.Failed}
		if o.Line > 0 {
			row.Name += ":" + strconv.Itoa(o.Line)
		}
		at := o.Start
		for _, x := range []struct {
			class string
			took  float64
		}{{"wait", o.Wait}, {"open", o.Lookup + o.Connect + o.TLS}, {"move", o.Send}, {"server", o.Server}, {"move", o.Receive}} {
			add(&row.Bars, x.class, at, x.took)
			at += x.took
		}
		f.All = append(f.All, row.Bars...)
		f.Ops = append(f.Ops, row)
	}
	f.Label = fmt.Sprintf("%s from due until done", f.Response)
	return f
}

func fixed(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func shownMillis(v float64) string { return optionalMillis(&v) }

// slowMarks are the times in which slow arrivals have a cause.
func slowMarks(s *summary.Summary) (out []finding) {
	if why := s.Slow(); why != nil {
		for _, c := range why.Causes {
			out = append(out, finding{c.From, c.To, c.What})
		}
	}
	return out
}
