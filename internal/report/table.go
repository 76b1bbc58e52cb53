package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// stages writes a line for each stage.
func (p *page) stages(s *summary.Summary) {
	if len(s.Stages) == 0 {
		return
	}
	p.line()
	p.line(span{bold, "stages"}, span{dim, "  arrivals/s; response time, from due until done"})
	t := table{right: 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<8, drop: []int{1, 7, 5}}
	t.add(dimmed("  stage", "class", "offered", "achieved", "errors", "p(50)", "p(95)", "p(99)", "max")...)
	unjudged := false
	var away []string // stages that were not reached
	for i := range s.Stages {
		st := &s.Stages[i]
		name := shorten(figure.Line(st.Name), widestStage)
		if !st.Judged {
			name, unjudged = "("+name+")", true
		}
		r := &st.Response
		cells := plainCells("  "+name, figure.Line(st.Class),
			optional(st.Offered, showNumber), optional(st.Achieved, showNumber), optional(st.ErrorRate, showShare),
			bounded(r, "med", r.Med), bounded(r, "p95", r.P95), bounded(r, "p99", r.P99), bounded(r, "max", r.Max))
		if st.ErrorRate != nil && *st.ErrorRate > 0 {
			cells[4].style = red
		}
		if unreached(s, st) {
			cells = dimmed("  "+name, figure.Line(st.Class), none, none, none, none, none, none, none)
			away = append(away, figure.Line(st.Name))
		}
		t.add(cells...)
	}
	p.table(&t)
	var legend []string
	if unjudged {
		legend = append(legend, "( ) is not judged")
	}
	if len(away) > 0 {
		legend = append(legend, "not reached: "+strings.Join(away, ", "))
	}
	if len(legend) > 0 {
		p.wrapped(span{dim, "  "}, dim, strings.Join(legend, "; "))
	}
	for i := range s.Stages {
		if line := usersLine(&s.Stages[i]); line != "" {
			p.wrapped(span{plain, "  "}, plain, line)
		}
	}
}

// widestStage bounds the name of a stage.
const widestStage = 14

// unreached says that a run ended before a stage began.
func unreached(s *summary.Summary, st *summary.StageResult) bool {
	return st.Due == 0 && st.Duration < 1 && s.Run.Duration < s.Run.Planned
}

// bounded returns a figure of a distribution, with ≥ where it is only a lower
// bound.
func bounded(d *summary.Distribution, name string, v *float64) string {
	text := optional(v, showMillis)
	if d.Bounded(name) {
		return "≥" + text
	}
	return text
}

func dimmed(texts ...string) []span {
	cells := plainCells(texts...)
	for i := range cells {
		cells[i].style = dim
	}
	return cells
}

// rules writes the SLA table: a line for each rule that was judged, with the
// action of those that were missed, and one for all that were not exercised.
func (p *page) rules(all []sla.Result) {
	if len(all) == 0 {
		return
	}
	p.line()
	p.line(span{bold, "SLA"}, span{dim, "  over the judged stages"})
	all, folded := foldStages(all)
	// The actions stand between the rows, so that the columns are laid out by
	// hand: room for target, actual and status, the rest for the rule.
	target, actual, status := len("target"), len("actual"), len("status")
	name := len("rule")
	var unused []string
	shown := slices.ContainsFunc(all, func(r sla.Result) bool { return !idle(r) })
	for _, r := range all {
		if open(r) {
			continue
		}
		if r.Status == sla.NotExercised {
			name := ruleName(r) + " " + r.Target
			if r.Actual != "" {
				name += " (" + r.Actual + ")"
			}
			unused = append(unused, name)
			continue
		}
		name = max(name, utf8.RuneCountInString(figure.Line(ruleName(r))))
		target = max(target, utf8.RuneCountInString(figure.Line(r.Target)))
		actual = max(actual, utf8.RuneCountInString(figure.Line(r.Actual)))
		status = max(status, len(statusText(r)))
	}
	target, actual = min(target, 24), min(actual, 20)
	name = max(min(name, p.width-4-target-actual-3*2-status), len("rule"))
	if shown {
		p.line(dimmed("    " + pad("rule", name) + "  " + pad("target", target) + "  " + pad("actual", actual) + "  status")...)
	}
	for _, r := range all {
		if idle(r) {
			continue
		}
		mark, style := ruleMark(r)
		p.line(span{style, "  " + mark + " "},
			span{plain, pad(shorten(figure.Line(ruleName(r)), name), name) + "  " + pad(shorten(figure.Line(r.Target), target), target) + "  "},
			span{style, pad(shorten(figure.Line(orNone(r.Actual)), actual), actual)},
			span{style, "  " + statusText(r)})
		if r.Status != sla.Passed && r.Status != sla.Undecided && r.Action != "" {
			p.wrapped(span{dim, "      → "}, style, r.Action)
		}
	}
	if folded > 0 {
		p.wrapped(span{dim, "  ✓ "}, dim, fmt.Sprintf("single stages held as well: %d %s, in summary.json", folded, plural(folded, "result")))
	}
	if few := undecided(all); len(few) > 0 {
		p.wrapped(span{dim, fmt.Sprintf("  ? too few samples to decide (%d): ", len(few))}, dim, strings.Join(few, ", "))
	}
	if len(unused) > 0 {
		p.wrapped(span{dim, fmt.Sprintf("  – not exercised (%d): ", len(unused))}, dim, strings.Join(unused, ", "))
	}
}

// foldStages leaves out results of single stages that held where the rule held
// over all judged stages, too: a reader looks for what did not. It returns how
// many it left out.
func foldStages(all []sla.Result) ([]sla.Result, int) {
	rest := slices.DeleteFunc(slices.Clone(all), func(r sla.Result) bool {
		return r.Stage != "" && r.Status == sla.Passed && slices.ContainsFunc(all, func(o sla.Result) bool {
			return o.Rule == r.Rule && o.Metric == r.Metric && o.Stage == "" && o.Status == sla.Passed
		})
	})
	return rest, len(all) - len(rest)
}

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}

func ruleMark(r sla.Result) (string, style) {
	switch {
	case r.Status == sla.Passed && r.Near:
		return "≈", yellow
	case r.Status == sla.Passed:
		return "✓", green
	case r.Status == sla.Warned, r.Severity == sla.Warn:
		return "!", yellow
	default:
		return "✗", red
	}
}

// ruleName names a rule and the stage that it was judged in.
func ruleName(r sla.Result) string {
	if r.Stage == "" {
		return r.Rule
	}
	return r.Rule + " in " + r.Stage
}

// targets returns the arrow of the rules that judge a metric: the missed ones,
// or else the first of those that must not be missed. The outcome over all
// judged stages stands for those in each of them.
func targets(s *summary.Summary, key string) (string, style) {
	var held, missed []string
	strict := 0 // how many of the first held ones must not be missed
	for _, r := range s.SLA {
		switch whole := func(o sla.Result) bool { return o.Rule == r.Rule && o.Metric == r.Metric && o.Stage == "" }; {
		case lineOf(s, r.Metric) != key, r.Stage != "" && slices.ContainsFunc(s.SLA, whole),
			idle(r), r.Status == sla.NoData, r.Status == sla.Undecided:
		case r.Status == sla.Passed && r.Severity == sla.Fail:
			held = slices.Insert(held, strict, targetName(r)+" ✓")
			strict++
		case r.Status == sla.Passed:
			held = append(held, targetName(r)+" ✓")
		default:
			missed = append(missed, targetName(r)+" ✗")
		}
	}
	switch {
	case len(missed) > 0:
		return "← Target: " + strings.Join(slices.Compact(missed), ", "), red
	case len(held) > 0:
		return "← Target: " + held[0], green
	}
	return "", plain
}

func targetName(r sla.Result) string {
	if r.Stage == "" {
		return r.Target
	}
	return r.Target + " in " + r.Stage
}

// lineOf returns the key of the line that shows a rule's metric: that of its
// series, or the metric's where there is only one.
func lineOf(s *summary.Summary, metric string) string {
	name, _, tagged := strings.Cut(metric, "{")
	if tagged && !hasMetric(s, metric) {
		return name
	}
	return metric
}
