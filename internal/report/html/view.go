package html

import (
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
)

// view is what the page's template shows.
type view struct {
	Summary    *summary.Summary
	Run        *rundir.Run
	Charts     *charts
	Operations []operation
	Shares     []share
	Tallies    []tally
	Batches    []batch
	Answers    analysis.Analysis
	Comparison *compare.Comparison
	// Behind is the run whose lines stand behind the run's own; nil for none.
	Behind *rundir.Run
	// Slow are single arrivals.
	Slow slowView
	// Compared are the figures of the comparison that are shown first, ComparedAll
	// all of them.
	Compared, ComparedAll []compare.Row
	Style                 template.CSS
	Script                template.JS
	Policy                string

	// Verdict is how the page looks, Badge the word on it: that of the comparison
	// where it is why the run is red.
	Title, Verdict, Badge, VerdictText, Started, Took string
	// Missed are the rules that were missed, Held those that were kept, Idle those
	// that were not exercised.
	Missed, Held, Idle []sla.Result
	Figures            []headline
	Failed             int64
}

// headline is one of the large figures at the top.
// Link is the place in the page that tells more.
type headline struct{ Label, Value, Note, State, Link string }

// operation is a trend's row: a scenario's operation.
type operation struct {
	Metric, Scenario, Name string
	Count, Censored        int64
	P50, P95, P99, Max     *float64
	P50CI, P95CI, P99CI    *[2]float64
	MaxAtLeast             bool
}

// answersOf returns the summary's analysis, an empty one for none.
func answersOf(s *summary.Summary) analysis.Analysis {
	if s.Analysis == nil {
		return analysis.Analysis{}
	}
	return *s.Analysis
}

func (v *view) fill() {
	v.Answers = answersOf(v.Summary)
	if v.Comparison = v.Summary.Comparison; v.Comparison != nil {
		v.Compared, _ = v.Comparison.Rows(false)
		v.ComparedAll, _ = v.Comparison.Rows(true)
	}
	s := v.Summary
	v.Verdict = string(s.Verdict)
	v.VerdictText = report.Verdicted(s)
	v.Badge = v.Verdict
	if report.ComparisonFails(s) && s.Verdict == summary.VerdictPass {
		v.Verdict, v.Badge = string(summary.VerdictFail), strings.ToLower(string(s.Comparison.Word))
	}
	if report.Spoiled(s) {
		v.Verdict, v.Badge = string(summary.VerdictFail), "not whole"
	}
	v.Title = "perfctl " + s.Run.Profile + ": " + v.Badge
	v.Started = s.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC")
	v.Took = seconds(s.Run.Duration)
	for _, r := range s.SLA {
		switch r.Status {
		case sla.Passed:
			v.Held = append(v.Held, r)
		case sla.NotExercised, sla.Undecided:
			if r.Breaches() {
				v.Missed = append(v.Missed, r)
				break
			}
			v.Idle = append(v.Idle, r)
		default:
			v.Missed = append(v.Missed, r)
		}
	}
	a := &s.Arrivals
	v.Failed = a.Failed + a.Dropped + a.Unfinished
	lost := headline{Label: "failed, dropped, unfinished", Value: count(v.Failed), Note: "of " + count(a.Planned) + " arrivals"}
	if v.Failed > 0 {
		lost.State = "bad"
	}
	v.Figures = append(v.Figures, v.peak(), v.percentile(), lost, v.generator())
}

// peak is the highest load achieved in a stage.
func (v *view) peak() headline {
	best, name := 0.0, ""
	for _, st := range v.Summary.Stages {
		if st.Achieved != nil && *st.Achieved > best {
			best, name = *st.Achieved, st.Name
		}
	}
	if name == "" {
		return headline{Label: "arrivals succeeded", Value: count(v.Summary.Arrivals.Succeeded)}
	}
	return headline{Label: "highest load achieved", Value: optionalRate(&best), Note: "in " + name}
}

func (v *view) percentile() headline {
	f := headline{Label: "p95 response time", Value: "–"}
	if m, ok := v.Summary.Metrics[metrics.ResponseTime.Name]; ok && m.Trend != nil {
		f.Value = optionalMillis(m.Trend.P95)
		if slices.Contains(m.Trend.AtLeast, "p95") {
			f.Value = "≥ " + f.Value
		}
		f.Note = "whole run"
		if m.Trend.P99 != nil {
			f.Note = "p99 " + optionalMillis(m.Trend.P99) + ", " + f.Note
		}
	}
	return f
}

func (v *view) generator() headline {
	g := &v.Summary.Generator
	f := headline{Label: "generator", Value: g.Status, Link: "#generator"}
	if g.Lag.P99 != nil {
		f.Note = "released late by p99 " + optionalMillis(g.Lag.P99)
	}
	if g.Status == states.GeneratorInvalid || g.Status == states.GeneratorSuspect {
		f.State = map[string]string{states.GeneratorInvalid: "bad", states.GeneratorSuspect: "warn"}[g.Status]
	}
	return f
}

// operations returns a row for each trend of each scenario's operations, over
// all stages.
func operations(r *rundir.Run) []operation {
	hists := map[string]*metrics.Hist{}
	rows := map[string]operation{}
	for _, t := range r.Totals.All() {
		if t.Series.Kind != metrics.KindTrend || t.Hist.Empty() || t.Series.Scenario == "" {
			continue
		}
		k := t.Series.Scenario + "\x00" + t.Series.Name + "\x00" + t.Series.Operation
		if hists[k] == nil {
			hists[k] = new(metrics.Hist)
			rows[k] = operation{Metric: t.Series.Name, Scenario: t.Series.Scenario, Name: t.Series.Operation}
		}
		hists[k].Merge(t.Hist)
	}
	var out []operation
	for _, k := range sorted(rows) {
		o, h := rows[k], hists[k]
		o.Count, o.Censored = h.N, h.Censored
		o.P50, o.P50CI = quantile(h, 0.5), interval(h, 0.5)
		o.P95, o.P95CI = quantile(h, 0.95), interval(h, 0.95)
		o.P99, o.P99CI = quantile(h, 0.99), interval(h, 0.99)
		o.Max, o.MaxAtLeast = quantile(h, 1), h.Censored > 0
		out = append(out, o)
	}
	return out
}

// quantile returns a quantile in milliseconds, nil where there are too few
// values to tell or it falls among those only known to be larger.
func quantile(h *metrics.Hist, q float64) *float64 {
	if q < 1 && float64(h.N+h.Censored)*(1-q) < 1 {
		return nil
	}
	x, atLeast, ok := h.Quantile(q)
	if !ok || atLeast && q < 1 {
		return nil
	}
	v := float64(x) / 1e6
	return &v
}

const none = "–"

func optionalMillis(v *float64) string {
	if v == nil {
		return none
	}
	return figure.Value(*v*1e6, metrics.UnitTime)
}

func optionalShare(v *float64) string {
	if v == nil {
		return none
	}
	return figure.Value(*v, metrics.UnitRatio)
}

func optionalRate(v *float64) string {
	if v == nil {
		return none
	}
	return figure.Value(*v, metrics.UnitPerSec)
}

// seconds prints a length of time in seconds as people say it.
func seconds(s float64) string {
	return figure.Duration(time.Duration(s * float64(time.Second)).Round(100 * time.Millisecond))
}

func count(n int64) string { return figure.Count(n) }

// mark is how a rule's outcome is shown, in a sign that needs no colour.
func mark(r sla.Result) string {
	switch {
	case r.Breaches():
		return "✗"
	case r.Near:
		return "≈"
	case r.Status == sla.Passed:
		return "✓"
	case r.Status == sla.NotExercised, r.Status == sla.Undecided:
		return "–"
	}
	return "!"
}

// bounded is a figure of a distribution that may be a lower bound.
type bounded struct {
	Value   *float64
	AtLeast bool
}

func bound(d summary.Distribution, name string, v *float64) bounded {
	return bounded{v, slices.Contains(d.AtLeast, name)}
}

// between shows a confidence interval.
func between(i *[2]float64) string {
	if i == nil {
		return none
	}
	return optionalMillis(&i[0]) + " – " + optionalMillis(&i[1])
}
