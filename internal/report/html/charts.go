package html

import (
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

// charts is the data of the charts. Times are in seconds since the first arrival
// could be due, response times in milliseconds; null stands for what is not
// known.
type charts struct {
	// Bin is how many seconds each point stands for, T when each bin starts, and
	// End when the last one ends.
	Bin    float64     `json:"bin"`
	T      []float64   `json:"t"`
	End    float64     `json:"end"`
	Stages []stageSpan `json:"stages"`
	Marks  []finding   `json:"marks"`
	Faults []finding   `json:"faults"`
	Panels []panel     `json:"panels"`
	Heat   heat        `json:"heat"`
	Curves []curve     `json:"curves"`

	// First are the charts that come first: of what was missed, then of what every
	// run has.
	First []string `json:"-"`
	// Still are the readings without a chart, by group.
	Still map[string][]still `json:"-"`
}

type stageSpan struct {
	Name   string  `json:"name"`
	Class  string  `json:"class"`
	Judged bool    `json:"judged"`
	From   float64 `json:"from"`
	To     float64 `json:"to"`
}

// finding is the interval in which a finding is to be seen.
type finding struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Title string  `json:"title"`
}

// limit is the target of a rule, drawn as a line. Value is in the chart's unit.
type limit struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// panel is a chart over time.
type panel struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Help  string `json:"help"`
	Unit  string `json:"unit"`
	Group string `json:"group"`
	// Log asks for a logarithmic axis.
	Log bool `json:"log,omitempty"`
	// Limits are the targets of the rules about it, and Note how one was missed.
	Limits []limit `json:"limits,omitempty"`
	Note   string  `json:"note,omitempty"`
	// Untold names the lines that are left out because too few values tell them.
	Untold string   `json:"untold,omitempty"`
	Series []series `json:"series"`
}

type series struct {
	Name   string     `json:"name"`
	Values []*float64 `json:"values"`
	// Base are the values of the baseline at the same time since its start; nil
	// without one.
	Base []*float64 `json:"base,omitempty"`
	// Style is line, dashed or area.
	Style string `json:"style,omitempty"`
}

// heat is how many arrivals had which response time when: Rows are the upper
// bounds of its rows in milliseconds, Cells their counts by bin and row.
type heat struct {
	Rows  []float64  `json:"rows"`
	Cells [][3]int64 `json:"cells"` // bin, row, count
}

// curve is the percentile spectrum of a stage: pairs of 1/(1-q) and
// milliseconds.
type curve struct {
	Name   string       `json:"name"`
	Points [][2]float64 `json:"points"`
	// Base says that it is the baseline's.
	Base bool `json:"base,omitempty"`
}

// gather makes the charts of a run, with those of base, where it is not nil, behind
// them.
func gather(r *rundir.Run, s *summary.Summary, base *rundir.Run) (*charts, error) {
	a := newAxis(r)
	c := &charts{Bin: float64(a.width), T: make([]float64, a.n), End: r.Elapsed.Seconds(), Stages: []stageSpan{}, Marks: []finding{}, Faults: faultSpans(r)}
	for i := range c.T {
		c.T[i] = float64(i * a.width)
	}
	for _, st := range r.Info.Stages {
		c.Stages = append(c.Stages, stageSpan{st.Name, st.Class, st.Judged, st.Start, st.Start + st.Duration})
	}
	for _, f := range answersOf(s).Findings {
		if f.Evidence.To > f.Evidence.From {
			c.Marks = append(c.Marks, finding{f.Evidence.From, f.Evidence.To, f.Title})
		}
	}
	c.Marks = append(c.Marks, slowMarks(s)...)
	response, err := a.trend(metrics.ResponseTime.Name)
	if err != nil {
		return nil, err
	}
	all := subjects(s)
	var missed []string
	if c.Panels, missed, err = a.charts(response, all); err != nil {
		return nil, err
	}
	c.Heat = heatOf(response)
	c.Curves = curves(r)
	if base != nil {
		if err := c.behind(base, all); err != nil {
			return nil, err
		}
	}
	c.Still = c.fold()
	for _, id := range append(missed, loadChart, usersChart, responseChart, errorChart, failureChart) {
		is := func(p panel) bool { return p.ID == id }
		if !slices.Contains(c.First, id) && slices.ContainsFunc(c.Panels, is) {
			c.First = append(c.First, id)
		}
	}
	return c, nil
}

// charts returns every chart over time, and the ids of those of what was missed.
func (a axis) charts(response []*metrics.Hist, all []subject) ([]panel, []string, error) {
	panels, err := a.panels(response)
	if err != nil {
		return nil, nil, err
	}
	return a.judged(panels, all)
}

// behind adds the lines of the baseline, second by second since its start.
func (c *charts) behind(base *rundir.Run, all []subject) error {
	a := newAxis(base)
	a.width = int(c.Bin)
	if len(base.Seconds) > 0 {
		a.n = int(base.Seconds[len(base.Seconds)-1].Start/time.Second)/a.width + 1
	}
	response, err := a.trend(metrics.ResponseTime.Name)
	if err != nil {
		return err
	}
	panels, _, err := a.charts(response, all)
	if err != nil {
		return err
	}
	lines := map[[2]string][]*float64{}
	for _, p := range panels {
		for _, s := range p.Series {
			lines[[2]string{p.ID, s.Name}] = s.Values
		}
	}
	for i := range c.Panels {
		for j := range c.Panels[i].Series {
			s := &c.Panels[i].Series[j]
			old := lines[[2]string{c.Panels[i].ID, s.Name}]
			if old == nil {
				continue
			}
			s.Base = make([]*float64, len(c.T))
			copy(s.Base, old)
		}
	}
	if of := curves(base); len(of) > 0 {
		last := of[len(of)-1] // all stages, or the only one
		c.Curves = append(c.Curves, curve{Name: "baseline", Points: last.Points, Base: true})
	}
	return nil
}
