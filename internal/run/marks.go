package run

import (
	"encoding/hex"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine/keep"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// marks are arrivals of which a record was kept, for receivers of histograms.
type marks struct {
	mu  sync.Mutex
	all []metrics.Mark
}

// mostMarks bounds how many wait to be taken.
const mostMarks = 500

// add adds an arrival that succeeded.
func (m *marks) add(k *keep.Record, e *exemplars.Exemplar, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.Kind != "" || len(m.all) >= mostMarks {
		return
	}
	x := metrics.Mark{Scenario: e.Scenario, Stage: e.Stage, K: e.K, Response: k.Response(), Trace: e.Trace, At: at}
	if x.Trace != "" {
		span := k.Arrival.Trace.Span(0)
		x.Span = hex.EncodeToString(span[:])
	}
	m.all = append(m.all, x)
}

// takeMarks returns those since the last call; none for a nil r.
func (r *records) takeMarks() []metrics.Mark {
	if r == nil {
		return nil
	}
	r.marks.mu.Lock()
	defer r.marks.mu.Unlock()
	out := r.marks.all
	r.marks.all = nil
	return out
}
