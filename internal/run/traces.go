package run

import (
	"hash/fnv"
	"time"

	"github.com/perfctl/perfctl/internal/engine/keep"
	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/traces"
)

// tracing says which arrivals are traced, nil for none.
func (x *Prepared) tracing() *work.Tracing {
	if x.session.Traces == nil {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(x.id)) // it never fails
	return &work.Tracing{Run: h.Sum64(), Share: x.plan.request.Trace}
}

// sendTraces hands the arrivals that were traced since the last time to the exporter.
func (r *records) sendTraces(zero time.Duration) {
	to := r.of.session.Traces
	if to == nil {
		return
	}
	b := traces.Batch{Zero: r.of.clock.Time(zero)}
	left := r.keeper.TakeTraced(func(k *keep.Record) { b.Exemplars = append(b.Exemplars, r.exemplar(k, zero)) })
	if len(b.Exemplars) > 0 || left > 0 {
		to.Send(b, left)
	}
}

// Traces says whether some of the arrivals are traced.
func (p *Plan) Traces() bool { return p.request.Trace > 0 }
