package summary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/sla"
)

// Repeated is the output of run --repeat --json: what one plan came to in several runs.
type Repeated struct {
	// Verdict is pass, or the word for the exit code; ExitCode is that of the worst run in
	// all but the rules that the mean judges, or of the comparison.
	Verdict  string `json:"verdict"`
	ExitCode int    `json:"exit_code"`
	// Asked is how many runs were asked for: an interruption ends them before.
	Asked int `json:"asked"`
	// Histories shows the runs side by side, Mean is what they come to together (nil for a
	// single run), Comparison how they differ from the baseline (nil without one).
	Histories  []*compare.History  `json:"runs"`
	Mean       *compare.Repeated   `json:"repeated"`
	Comparison *compare.Comparison `json:"comparison"`
	// Ended is what each run came to; each has its summary.json, too.
	Ended []*Summary `json:"-"`
}

// Rest is what a run came to but for what the whole decides: without the rules that are
// judged by the mean over the runs.
func (r *Repeated) Rest(i int) *Summary {
	s := *r.Ended[i]
	s.SLA = slices.Clone(s.SLA)
	if r.Mean != nil {
		s.SLA = slices.DeleteFunc(s.SLA, func(x sla.Result) bool { return r.Mean.Judged(&x) })
	}
	return &s
}

// Whole is what the runs came to together as a run has it: the rules that are judged by
// the mean, and the comparison. Figures and accounts it has none.
func (r *Repeated) Whole() *Summary {
	s := &Summary{Verdict: VerdictPass, Run: r.Ended[0].Run, Comparison: r.Comparison}
	for i := range r.Ended[0].SLA {
		x := r.Ended[0].SLA[i]
		if m := r.meanOf(&x); m != nil {
			x.Status, x.Near = m.Status, m.Near && m.Status == sla.Passed
			x.ActualValue, x.Low, x.High, x.Actual = m.Mean, m.Low, m.High, r.actual(m)
			s.SLA = append(s.SLA, x)
		}
	}
	return s
}

func (r *Repeated) meanOf(x *sla.Result) *compare.MeanRule {
	if r.Mean == nil || !r.Mean.Judged(x) {
		return nil
	}
	i := slices.IndexFunc(r.Mean.Rules, func(m compare.MeanRule) bool {
		return m.Rule == x.Rule && m.Metric == x.Metric && m.Stage == x.Stage
	})
	return &r.Mean.Rules[i]
}

// mostActual is of how many runs the figures are told.
const mostActual = 10

// actual tells what a rule came to in the runs that its mean is of.
func (r *Repeated) actual(m *compare.MeanRule) string {
	text := fmt.Sprintf("the mean of %d runs decides, missed in %d of them", len(r.Ended), m.Missed)
	if len(r.Ended) > mostActual {
		return text
	}
	var each []string
	for _, s := range r.Ended {
		for i := range s.SLA {
			if x := &s.SLA[i]; x.Rule == m.Rule && x.Metric == m.Metric && x.Stage == m.Stage {
				each = append(each, x.Actual)
			}
		}
	}
	return strings.Join(each, ", ") + " (" + text + ")"
}
