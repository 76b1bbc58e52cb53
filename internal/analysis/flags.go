package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// The guide's limits, for runs that were judged by no rule about them.
const (
	guideP95   = 500.0 // ms
	guideError = 0.001
)

// guideErrors are those of the classes of stages.
var guideErrors = map[string]float64{"normal": guideError, "high": 0.01, "spike": 0.05}

// flag looks for the red flags of the guide and for what the measurements allow
// besides.
func (o *Analysis) flag(a *axis, results []sla.Result) {
	o.add(a.slow(results), a.errors(results), a.saturated(o.Levels), a.exhausted())
	o.add(a.queues(o)...)
	o.add(a.stalls(), a.retries(), a.restarts())
	o.add(a.churn()...)
}

// add adds the findings that are none of nothing.
func (o *Analysis) add(all ...*Finding) {
	for _, f := range all {
		if f != nil {
			o.Findings = append(o.Findings, *f)
		}
	}
}

// slow is P95 response time over its target, in the worst stage.
func (a *axis) slow(results []sla.Result) *Finding {
	target, severity, ruled := guideP95, Critical, false
	var worst *stageFigures
	for _, r := range rulesOf(results) {
		if r.Metric == metrics.ResponseTime.Name && r.Tags == (metrics.Tags{}) && r.Stat.Name == "p" && r.Stat.Percent == 95 && r.Op == "<" {
			target, ruled = milliseconds(r), true
			if r.Severity == sla.Warn {
				severity = Warning
			}
		}
	}
	if !ruled && len(results) > 0 {
		return nil // the user's tables have no such target
	}
	for _, st := range a.stageFigures() {
		if st.judged && st.p95 != nil && *st.p95 >= target && (worst == nil || *st.p95 > *worst.p95) {
			worst = st
		}
	}
	if worst == nil {
		return nil
	}
	p95 := *worst.p95
	least := ""
	if worst.atLeast {
		least = "at least "
	}
	first, to := a.bounds(worst.name)
	for k := range a.n - 1 {
		over := func(m trendValue) bool { return m.p95 > target || m.least }
		if a.judged(k) && over(a.response[k]) && over(a.response[k+1]) && a.start[k] < to {
			first = a.start[k]
			break
		}
	}
	return &Finding{ID: "p95_over_target", Severity: severity, Title: "P95 over its target",
		Sentence: fmt.Sprintf("P95 response time was %s%s in %s, over its target of %s; it was over it first at %s.",
			least, millis(p95), worst.name, millis(target), figure.Moment(first)),
		Advice: "Investigate the bottleneck: database, cache or RabbitMQ",
		Evidence: Evidence{From: first, To: to, Series: metrics.ResponseTime.Name, Unit: "ms",
			Values: map[string]float64{"p95_ms": p95, "target_ms": target}}}
}

// bounds returns those of a stage, cut at the end of what was recorded.
func (a *axis) bounds(stage string) (from, to float64) {
	for _, s := range a.stages {
		if s.Name == stage {
			return s.Start, min(s.Start+s.Duration, max(a.ended(), s.Start))
		}
	}
	return 0, a.ended()
}

// errorTarget is the share of errors that a class of stages may have.
func errorTarget(results []sla.Result, class string) float64 {
	target, general := math.NaN(), math.NaN()
	for _, r := range rulesOf(results) {
		switch {
		case r.Metric != sla.ErrorRate || r.Tags != (metrics.Tags{}) || r.Op != "<" && r.Op != "<=":
		case r.Class == class:
			target = r.Value
		case r.Class == "":
			general = r.Value
		}
	}
	switch {
	case !math.IsNaN(target):
		return target
	case !math.IsNaN(general):
		return general
	case len(results) > 0:
		return 1 // the user's tables have no such target
	}
	if v, known := guideErrors[class]; known {
		return v
	}
	return guideError
}

// errors is a share of errors over its target, in the stage that is furthest
// from it.
func (a *axis) errors(results []sla.Result) *Finding {
	var worst *stageFigures
	over, limit := 1.0, 0.0
	for _, st := range a.stageFigures() {
		if !st.judged || st.errorRate == nil || *st.errorRate == 0 {
			continue
		}
		target := errorTarget(results, st.class)
		if x := *st.errorRate / target; *st.errorRate >= target && (worst == nil || x > over) {
			worst, over, limit = st, x, target
		}
	}
	if worst == nil {
		return nil
	}
	from, to := a.bounds(worst.name)
	i, j := a.within(from, to)
	first, last := to, from
	for k := i; k < j; k++ {
		if a.failed[k]+a.dropped[k] > 0 {
			first, last = min(first, a.start[k]), a.end(k)
		}
	}
	title, target := "Error rate over its target", fmt.Sprintf(", over the target of %s", share(limit))
	if limit >= 1 {
		title, target = "Every arrival failed", ""
	}
	return &Finding{ID: "error_rate", Severity: Critical, Title: title,
		Sentence: fmt.Sprintf("%s of the arrivals of %s failed%s, from %s to %s%s.",
			share(*worst.errorRate), worst.name, target, figure.Moment(min(first, last)), figure.Moment(last), a.kinds(worst.name)),
		Advice: "Check the failures by kind and the targets' logs for a pattern",
		Evidence: Evidence{From: min(first, last), To: last, Series: metrics.ArrivalsFailed.Name, Unit: "count",
			Values: map[string]float64{"error_rate": *worst.errorRate, "target": limit}}}
}

// kinds names the most frequent kinds of errors of a stage.
func (a *axis) kinds(stage string) string {
	n := map[string]int64{}
	for _, name := range []string{metrics.ArrivalsFailed.Name, metrics.ArrivalsDropped.Name} {
		for _, e := range a.run.Totals.Select(metrics.Selector{Name: name, Tags: metrics.Tags{Stage: stage}}) {
			n[strings.TrimPrefix(name, "arrivals_")+" as "+e.Series.Outcome] += e.Count
		}
	}
	var names []string
	for k := range n {
		names = append(names, k)
	}
	slices.SortFunc(names, func(x, y string) int { return int(n[y] - n[x]) })
	if len(names) == 0 {
		return ""
	}
	for i, k := range names {
		names[i] = fmt.Sprintf("%d %s", n[k], k)
	}
	return ": " + list(names[:min(3, len(names))])
}
