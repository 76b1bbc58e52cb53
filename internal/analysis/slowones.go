package analysis

import (
	"github.com/perfctl/perfctl/internal/analysis/slow"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// explainSlow says why the slow arrivals of a run were slow, where records of single
// arrivals were kept.
func (o *Analysis) explainSlow(run *rundir.Run) {
	if run.Dir == "" {
		return
	}
	set := exemplars.Read(run.Dir)
	if len(set.Exemplars) == 0 {
		return
	}
	o.Slow = slow.Explain(set, func(scenario, stage string) (slow.Usual, bool) {
		h := run.Totals.Trend(metrics.Selector{Name: metrics.ResponseTime.Name, Tags: metrics.Tags{Scenario: scenario, Stage: stage}})
		if h == nil || h.N == 0 {
			return slow.Usual{}, false
		}
		median, _ := h.AtRank(metrics.QuantileRank(h.N, 0.5))
		p99, _ := h.AtRank(metrics.QuantileRank(h.N, 0.99))
		return slow.Usual{Median: float64(median) / 1e6, P99: float64(p99) / 1e6}, true
	})
	if o.Slow.Known { // that it cannot be told is an answer, too
		o.Sentences = append(o.Sentences, o.Slow.Sentences...)
	}
}
