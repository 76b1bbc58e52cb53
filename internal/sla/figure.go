package sla

import (
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// surelyRead is the length of a stage in which a gauge is read at least once:
// readings are a second apart and belong to the stage in the middle of theirs.
const surelyRead = 2 * time.Second

// measured is what a rule compares.
type measured struct {
	// n is how many values it is made from.
	n     int64
	value float64
	// atLeast says that the true figure is known to be no smaller.
	atLeast bool
	// limits bound what the figure of very many such values would be; nil where the
	// figure is not an estimate.
	limits *limits
	// confidence is that of the limits.
	confidence float64
	// hits says, of a share, of how many of the n it is; negative for no share.
	hits int64
	// allLost says that every value is one of an arrival that did not succeed:
	// nothing is known but that the target was missed.
	allLost bool
	// planned is how many arrivals were to come due in the stages judged, and
	// expected whether they would have produced the metric.
	planned  int64
	expected bool
	// beside is what is said with the figure: why it is what it is.
	beside string
}

// allBusy says that nothing came due in a stage of users because those who came before
// it were not back: what they were doing is judged with the stage that it began in.
func allBusy(t *metrics.Totals, s Stage) bool {
	here, _ := t.Counter(metrics.Selector{Name: metrics.Arrivals.Name, Tags: metrics.Tags{Stage: s.Name}})
	all, _ := t.Counter(metrics.Selector{Name: metrics.Arrivals.Name})
	return here == 0 && all > 0
}

// figure computes a rule's figure over stages.
func (j *Judge) figure(t *metrics.Totals, r Rule, over []Stage) measured {
	f := measured{hits: -1, confidence: j.confidence()}
	for _, s := range over {
		if f.planned += s.Planned; s.OpenEnded && !allBusy(t, s) {
			f.planned++ // one at least
		}
	}
	switch r.Metric {
	case ErrorRate, AchievedRatio:
		f.expected = true
		f.ratio(t, r, over)
		return f
	}
	d, recorded := j.units[r.Metric]
	if !recorded {
		return f
	}
	f.expected = j.expected(d, r, over)
	switch d.Kind {
	case metrics.KindTrend:
		f.trend(t, r, over)
	case metrics.KindCounter:
		f.counter(t, r, over)
	case metrics.KindRate:
		var hits int64
		for _, s := range over {
			h, n := t.Rate(selector(r, s))
			hits, f.n = hits+h, f.n+n
		}
		f.hits = hits
		f.value = float64(hits) / float64(f.n)
	case metrics.KindGauge:
		f.gauge(t, r, over)
	}
	return f
}

// expected says whether a run in which arrivals came due would have recorded the
// metric over the stages. Failures, and the times of one outcome, need not occur,
// and a counter that is absent is zero. A gauge is expected where its scenario
// runs, where a user asked for it or had a process or a program watched that tells
// it, but not of stages that are too short a part of the
// run for a reading.
func (j *Judge) expected(d metrics.Desc, r Rule, over []Stage) bool {
	switch {
	case d.Kind == metrics.KindGauge:
		var length time.Duration
		for _, s := range over {
			length += s.Duration
		}
		return (r.Required || len(r.scenarios()) > 0 || j.watched(r)) && (len(over) == len(j.plan.Stages) || length >= surelyRead)
	case d.Kind == metrics.KindCounter, r.Tags.Outcome != "", d.Name == metrics.FailureTime.Name:
		return false
	}
	return true
}

// watched says whether the run reads the rule's metric of something that belongs to
// no scenario.
func (j *Judge) watched(r Rule) bool {
	return slices.ContainsFunc(j.plan.Series, func(s metrics.Series) bool {
		return s.Scenario == "" && (metrics.Selector{Name: r.Metric, Tags: r.Tags}).Matches(&s)
	})
}

// selector picks the rule's series in a stage.
func selector(r Rule, s Stage) metrics.Selector {
	q := metrics.Selector{Name: r.Metric, Tags: r.Tags}
	q.Stage = s.Name
	return q
}

// ratio computes the error rate or the achieved ratio.
func (f *measured) ratio(t *metrics.Totals, r Rule, over []Stage) {
	parts := []metrics.Desc{metrics.ArrivalsSucceeded}
	if r.Metric == ErrorRate {
		parts = notSucceeded
	}
	var part, held int64
	for _, s := range over {
		q := metrics.Selector{Name: metrics.Arrivals.Name, Tags: metrics.Tags{Scenario: r.Tags.Scenario, Stage: s.Name}}
		due, _ := t.Counter(q)
		f.n += due
		// An outcome picks the errors of that kind, among all that came due.
		q.Outcome = r.Tags.Outcome
		for _, d := range parts {
			q.Name = d.Name
			n, _ := t.Counter(q)
			part += n
		}
		for _, outcome := range heldBack {
			q.Name, q.Outcome = metrics.ArrivalsDropped.Name, outcome
			n, _ := t.Counter(q)
			held += n
		}
	}
	f.hits, f.value = part, float64(part)/float64(f.n)
	if r.Metric == AchievedRatio && held > 0 {
		f.beside = figure.Value(float64(held)/float64(f.n), metrics.UnitRatio) + " held back by -u"
	}
}

// notSucceeded are the arrivals due that did not succeed.
var notSucceeded = []metrics.Desc{metrics.ArrivalsFailed, metrics.ArrivalsDropped, metrics.ArrivalsUnfinished}

// heldBack are the outcomes of arrivals that were dropped because as many as are
// allowed were in flight: their queue was full, or they waited in it for too long.
var heldBack = []string{"queue_full", "too_late"}

func (f *measured) trend(t *metrics.Totals, r Rule, over []Stage) {
	h := new(metrics.Hist)
	for _, s := range over {
		if part := t.Trend(selector(r, s)); part != nil {
			h.Merge(part)
		}
	}
	f.n = h.N + h.Censored
	if f.n == 0 {
		return
	}
	f.allLost = h.N == 0 && r.Stat.Name != "count"
	var q float64
	switch r.Stat.Name {
	case "count":
		f.value = float64(h.N)
	case "avg":
		if h.N > 0 {
			f.value = h.Mean()
		}
		f.atLeast = h.Censored > 0
	case "min":
		f.value = float64(h.Min)
	case "med":
		q = 0.5
	case "max":
		q = 1
	case "p":
		q = r.Stat.Percent / 100
	}
	switch {
	case q == 1:
		v, atLeast, _ := h.Quantile(q)
		f.value, f.atLeast = float64(v), atLeast
	case q > 0:
		f.quantile(q, func(rank int64) (float64, bool) {
			v, atLeast := h.AtRank(rank)
			return float64(v), atLeast
		})
	}
}

func (f *measured) counter(t *metrics.Totals, r Rule, over []Stage) {
	var seconds float64
	for _, s := range over {
		n, _ := t.Counter(selector(r, s))
		f.value += float64(n)
		seconds += s.Duration.Seconds()
	}
	if len(over) == 0 {
		return
	}
	// A counter that nothing raised has counted to zero.
	f.n = 1
	if r.Stat.Name != "rate" {
		return
	}
	if seconds == 0 {
		f.n = 0 // a burst has no length and no rate
		return
	}
	f.value /= seconds
}
