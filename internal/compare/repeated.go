package compare

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/stats"
)

// Repeated is what several runs of one load come to together.
type Repeated struct {
	Runs    int          `json:"runs"`
	Figures []MeanFigure `json:"figures"`
	Rules   []MeanRule   `json:"rules"`
	// Breaches says that a rule of severity fail is missed by the mean.
	Breaches bool `json:"breaches"`
}

// MeanFigure is a figure over the runs: in milliseconds, or a share of one.
type MeanFigure struct {
	Metric string `json:"metric"`
	Stage  string `json:"stage"`
	Stat   string `json:"stat"`
	// Mean is the geometric mean of a time, or the share over all runs; Spread the
	// standard deviation of a run, as a part of the mean, or of a share itself; Low
	// and High where the mean lies with a confidence of 95 %.
	Mean   float64 `json:"mean"`
	Spread float64 `json:"spread"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// MeanRule is an SLA rule, judged by the mean over the runs.
type MeanRule struct {
	Rule   string   `json:"rule"`
	Metric string   `json:"metric"`
	Stage  string   `json:"stage"`
	Target string   `json:"target"`
	Mean   *float64 `json:"mean"`
	// Low and High are the limits of the mean with a confidence of 95 %.
	Low      *float64     `json:"low"`
	High     *float64     `json:"high"`
	Status   sla.Status   `json:"status"`
	Severity sla.Severity `json:"severity"`
	// Near says that the target lies between the limits: other runs could decide
	// otherwise.
	Near bool `json:"near,omitempty"`
	// Missed is in how many of the runs the rule was missed.
	Missed int `json:"missed_in_runs"`
}

// meanConfidence is that of the intervals of means.
const meanConfidence = 0.95

// Average puts runs of one load together: mean, spread and interval of each figure
// of the gate, and each rule judged by the mean of what it came to in the runs. A
// rule that some run gives no figure for keeps the worst of its outcomes.
func Average(runs []*rundir.Run, results [][]sla.Result) (*Repeated, error) {
	side, err := gather(runs)
	if err != nil {
		return nil, err
	}
	out := &Repeated{Runs: len(runs), Figures: []MeanFigure{}, Rules: []MeanRule{}}
	for _, s := range plan(runs, side, side, nil, nil) {
		if f, ok := meanOf(side, &s); ok && (s.gated || s.key.metric == responseTime && s.key.stage == "") {
			out.Figures = append(out.Figures, f)
		}
	}
	for _, r := range results[0] {
		rule := meanRule(r, results)
		out.Breaches = out.Breaches || rule.Severity == sla.Fail && (rule.Status == sla.Failed || rule.Status == sla.NoData)
		out.Rules = append(out.Rules, rule)
	}
	return out, nil
}

func meanOf(side []recording, s *spec) (f MeanFigure, ok bool) {
	f = MeanFigure{Metric: s.key.metric, Stage: s.key.stage, Stat: s.stat.name}
	if s.share {
		c, ok := count(side, s.key)
		if !ok {
			return f, false
		}
		f.Mean = c.share()
		f.Low, f.High = c.limits(stats.NormalQuantile((1 + meanConfidence) / 2))
		if x := shares(side, s.key); len(x) > 1 {
			f.Spread = deviation(x)
		}
		return f, true
	}
	x := logs(side, s)
	if !known(x) || len(x) < 2 {
		return f, false
	}
	f.Spread = deviation(x)
	half := stats.StudentQuantile((1+meanConfidence)/2, float64(len(x)-1)) * f.Spread / math.Sqrt(float64(len(x)))
	m := average(x)
	f.Mean, f.Low, f.High = math.Exp(m), math.Exp(m-half), math.Exp(m+half)
	return f, true
}

// meanRule judges a rule by the mean of the figures that the runs came to.
func meanRule(r sla.Result, results [][]sla.Result) MeanRule {
	out := MeanRule{Rule: r.Rule, Metric: r.Metric, Stage: r.Stage, Target: r.Target, Severity: r.Severity, Status: r.Status}
	var values []float64
	for _, run := range results {
		at := slices.IndexFunc(run, func(o sla.Result) bool { return o.Rule == r.Rule && o.Metric == r.Metric && o.Stage == r.Stage })
		if at < 0 {
			continue
		}
		o := run[at]
		if severe(o.Status) > severe(out.Status) {
			out.Status = o.Status
		}
		if o.Status == sla.Failed || o.Status == sla.Warned || o.Status == sla.NoData {
			out.Missed++
		}
		if o.ActualValue != nil && o.Status != sla.NotExercised {
			values = append(values, *o.ActualValue)
		}
	}
	rule, err := sla.ParseThreshold(r.Threshold)
	if err != nil || r.TargetValue == nil || len(values) < len(results) || len(values) < 2 {
		return out
	}
	m, sd := average(values), deviation(values)
	half := stats.StudentQuantile((1+meanConfidence)/2, float64(len(values)-1)) * sd / math.Sqrt(float64(len(values)))
	low, high := m-half, m+half
	out.Mean, out.Low, out.High = &m, &low, &high
	out.Near = low < *r.TargetValue && *r.TargetValue < high
	switch {
	case rule.Op.Holds(m, *r.TargetValue):
		out.Status = sla.Passed
	case r.Severity == sla.Fail:
		out.Status = sla.Failed
	default:
		out.Status = sla.Warned
	}
	return out
}

func severe(s sla.Status) int {
	return slices.Index([]sla.Status{sla.NotExercised, sla.Passed, sla.Undecided, sla.Warned, sla.NoData, sla.Failed}, s)
}

// Judged says whether the mean decides a rule's result in one run.
func (r *Repeated) Judged(o *sla.Result) bool {
	return slices.ContainsFunc(r.Rules, func(m MeanRule) bool {
		return m.Rule == o.Rule && m.Metric == o.Metric && m.Stage == o.Stage && m.Mean != nil
	})
}

// Row is a figure as texts: its metric, stage and statistic, the mean, by how much runs
// differ, and where the mean lies.
func (m *MeanFigure) Row() []string {
	f := Figure{Metric: m.Metric, Stat: m.Stat}
	spread := figure.Rough(m.Spread, metrics.UnitRatio)
	if f.isShare() {
		spread = figure.Points(m.Spread)
	}
	return []string{clean(m.Metric), stageOrAll(m.Stage), m.Stat, f.show(&m.Mean), spread, f.show(&m.Low) + " to " + f.show(&m.High)}
}

// stageOrAll names a stage, or that a figure is of all that are judged.
func stageOrAll(stage string) string {
	if stage == "" {
		return "all judged"
	}
	return clean(stage)
}

// RepeatedText writes what the runs come to together for a terminal.
func RepeatedText(w io.Writer, r *Repeated) error {
	var b strings.Builder
	fmt.Fprintf(&b, "over %s\n\n", countRuns(r.Runs))
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  figure\tstage\t\tmean\truns differ by\tmean lies in (95%)")
	for _, m := range r.Figures {
		fmt.Fprintln(tw, "  "+strings.Join(m.Row(), "\t"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	b.WriteString("\n")
	kept, near := 0, 0
	for _, x := range r.Rules {
		name := x.Rule
		if x.Stage != "" {
			name += " in " + x.Stage
		}
		switch {
		case x.Status == sla.Passed && x.Near:
			near++
			fmt.Fprintf(&b, "  ~ %s: the mean keeps %s, and lies so near that other runs could miss it (missed in %d of %d)\n", clean(name), clean(x.Target), x.Missed, r.Runs)
		case x.Status == sla.Passed:
			kept++
		case x.Status == sla.Failed, x.Status == sla.NoData, x.Status == sla.Warned:
			fmt.Fprintf(&b, "  ✗ %s: missed, target %s (missed in %d of %d runs)\n", clean(name), clean(x.Target), x.Missed, r.Runs)
		}
	}
	fmt.Fprintf(&b, "  %d rules kept by the mean over the runs, by which they are judged\n", kept+near)
	_, err := io.WriteString(w, b.String())
	return err
}
