package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/sla"
)

// Answers returns what rules of the SLA can be judged by, of an analysis that
// Analyse returned: recovery_time of each spike, and drift() of each group and
// each metric that was looked at.
func (o *Analysis) Answers() []sla.Answer {
	var out []sla.Answer
	for i := range o.Recoveries {
		r := &o.Recoveries[i]
		a := sla.Answer{Metric: sla.RecoveryTime, Stage: r.Stage, Exercised: true}
		switch {
		case !r.Known:
			a.Because = r.Because
		case r.Recovered:
			a.Value = *r.Time * 1e9
		default:
			a.Value, a.AtLeast, a.Text = r.Watched*1e9, true, "not within "+seconds(r.Watched)
		}
		out = append(out, a)
	}
	out = append(out, o.faultAnswers()...)
	out = append(out, o.accountAnswers()...)
	return append(out, o.driftAnswers()...)
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
			a.Text = fmt.Sprintf("%+.0f%% %s", d.Change*100, d.Series)
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
