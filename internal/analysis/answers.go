package analysis

import (
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/sla"
)

// Answers returns what rules of the SLA can be judged by, of an analysis that
// Analyse returned: recovery_time of each spike, and drift() of each group and
// each metric that was looked at.
func (o *Analysis) Answers() []sla.Answer {
	var out []sla.Answer
	for i := range o.Recoveries {
		r := &o.Recoveries[i]
		out = append(out, r.answer(sla.Answer{Metric: sla.RecoveryTime, Stage: r.Stage, Exercised: true}, r.Time))
	}
	out = append(out, o.faultAnswers()...)
	out = append(out, o.accountAnswers()...)
	return append(out, o.driftAnswers()...)
}

// answer gives an answer the time that the recovery took, in nanoseconds as rules have
// it: of one that did not recover only that it is longer than it was watched.
func (c *Course) answer(a sla.Answer, took *float64) sla.Answer {
	switch {
	case !c.Known:
		a.Because = c.Because
	case c.Recovered:
		a.Value = *took * 1e9
	default:
		a.Value, a.AtLeast, a.Text = c.Watched*1e9, true, "not within "+seconds(c.Watched)
	}
	return a
}

func (o *Analysis) driftAnswers() []sla.Answer {
	if !o.plan.asked {
		return nil
	}
	names := slices.Clone(sla.DriftGroups)
	for _, d := range o.Drift {
		if name := metricOf(d.Series); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var out []sla.Answer
	for _, name := range names {
		out = append(out, o.driftAnswer(name))
	}
	return out
}

// driftAnswer counts the series of a group, or of a metric, that drift.
func (o *Analysis) driftAnswer(name string) sla.Answer {
	a := sla.Answer{Metric: sla.DriftOf(name), Exercised: true, Because: o.plan.why}
	if a.Because != "" {
		return a
	}
	a.Because = "no series of it was recorded"
	open := ""
	for _, d := range o.Drift {
		if d.Group != name && metricOf(d.Series) != name {
			continue
		}
		a.Because = ""
		switch {
		case !d.Known:
			open = d.Series + ": " + d.Because
		case d.Drifts:
			a.Value++
			a.Text = figure.SignedShare(d.Change) + " " + d.Series
		}
	}
	switch {
	case a.Because == "" && a.Value == 0 && open != "":
		a.Because = open
	case a.Value == 0:
		a.Text = "none"
	}
	return a
}

// metricOf is the name in a series' key.
func metricOf(key string) string {
	name, _, _ := strings.Cut(key, "{")
	return name
}
