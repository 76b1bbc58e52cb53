package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// watch looks at each second of a run while it goes on: it shows progress,
// warns where the bound on arrivals in flight cannot hold the load to come, and
// ends the run where a rule is breached for certain and that was asked for.
type watch struct {
	plan    *plan
	engine  *engine.Engine
	show    *progress
	abort   context.CancelCauseFunc
	aborted *sla.Breach
	warned  bool
}

func newWatch(p *plan, e *engine.Engine, show *progress, abort context.CancelCauseFunc) *watch {
	return &watch{plan: p, engine: e, show: show, abort: abort}
}

func (w *watch) snapshot(s *metrics.Snapshot, c *metrics.Collector) {
	w.show.snapshot(s, c)
	if s.Last {
		return
	}
	if !w.warned && s.Number >= 2 {
		c.Totals(w.warnOfBound)
	}
	if w.plan.judge != nil && w.aborted == nil {
		c.Totals(func(t *metrics.Totals) {
			if b := w.plan.judge.Breached(t, s.End); b != nil {
				w.aborted = b
				w.show.note("stopping: %s", b)
				w.abort(fmt.Errorf("rule missed: %s", b))
			}
		})
	}
}

// boundSamples is how many arrivals a scenario must have done before its mean
// service time says anything.
const boundSamples = 50

// warnOfBound compares the bound with Little's law: arrivals in flight = rate ×
// service time.
func (w *watch) warnOfBound(t *metrics.Totals) {
	shares := engine.Split(w.plan.flags.vus, w.plan.shares())
	for i, d := range w.plan.defs {
		h := t.Trend(metrics.Selector{Name: metrics.ServiceTime.Name, Tags: metrics.Tags{Scenario: d.Name}})
		if h == nil || h.N < boundSamples {
			continue
		}
		service := time.Duration(h.Mean())
		part := w.plan.part(i, shares[i], nil)
		need := part.MaxRate * service.Seconds()
		if need <= float64(shares[i]) {
			continue
		}
		// Half as much again leaves room for the spread around the mean.
		total := math.Ceil(1.5 * need * float64(w.plan.flags.vus) / float64(shares[i]))
		w.warned = true
		w.show.note("warning: %s takes %s on average; at up to %s/s that is %.0f arrivals in flight, and -u %d allows it %d: the rest waits and that counts as response time. Choose -u %.0f",
			d.Name, compactTime(service), compact(part.MaxRate), math.Ceil(need), w.plan.flags.vus, shares[i], total)
		return
	}
}
