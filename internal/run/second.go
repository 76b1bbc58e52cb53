package run

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/stats"
)

// second looks at each second of a run while it goes on: it shows it, warns where
// the bound on arrivals in flight cannot hold the load to come, and ends the run
// where a rule is breached for certain and that was asked for.
type second struct {
	prepared *Prepared
	abort    context.CancelCauseFunc
	aborted  *sla.Breach
	warned   bool
	stopped  bool
	// byOthers is why the run was aborted elsewhere, "" where it was not.
	byOthers string
}

func (w *second) look(s *metrics.Snapshot, c *metrics.Collector) {
	show := w.prepared.session.Observer
	s.Marks = w.prepared.records.takeMarks()
	show.Second(s, c)
	if s.Last {
		return
	}
	w.heed()
	w.heedMeeting()
	if !w.warned && s.Number >= 2 {
		c.Totals(w.warnOfBound)
	}
	if w.prepared.plan.request.AbortOnFail && w.aborted == nil {
		c.Totals(func(t *metrics.Totals) {
			if b := w.prepared.judge.Breached(t, s.End); b != nil {
				w.aborted = b
				show.Note(fmt.Sprintf("stopping: %s", b))
				w.prepared.session.abortAll(w.prepared.plan, b)
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
func (w *second) warnOfBound(t *metrics.Totals) {
	p := w.prepared.plan
	vus, shares := p.request.MaxInFlight, engine.Split(p.bound(p.request.MaxInFlight), p.weightsOnly())
	for i, d := range p.defs {
		h := t.Trend(metrics.Selector{Name: metrics.ServiceTime.Name, Tags: metrics.Tags{Scenario: d.Name}})
		if h == nil || h.N < boundSamples {
			continue
		}
		service := time.Duration(h.Mean())
		part := p.part(i, shares[i])
		need := stats.InFlight(part.MaxRate, service.Seconds())
		if need <= float64(shares[i]) {
			continue
		}
		// Half as much again leaves room for the spread around the mean.
		total := math.Ceil(1.5 * need * float64(p.bound(vus)) / float64(shares[i]) * float64(p.request.Shards))
		w.warned = true
		w.prepared.session.Observer.Note(fmt.Sprintf("warning: %s takes %s on average; at up to %s that is %s arrivals in flight, and -u %d allows it %d: the rest waits and that counts as response time. Choose -u %d; where %d users were meant, who wait for an answer before they go on, choose --users %d",
			d.Name, figure.Value(float64(service), metrics.UnitTime), figure.Value(part.MaxRate, metrics.UnitPerSec), figure.Whole(math.Ceil(need)), vus, shares[i], int64(total), vus, vus))
		return
	}
}

// heed ends the run where a scenario asks for it.
func (w *second) heed() {
	for _, s := range w.prepared.scenarios {
		x, ok := s.(scenarios.Aborter)
		if !ok || w.stopped {
			continue
		}
		if err := x.Aborted(); err != nil {
			w.stopped = true
			w.prepared.session.Observer.Note("stopping: " + err.Error())
			w.prepared.session.abortAll(w.prepared.plan, err)
			w.abort(err)
		}
	}
}
