package engine

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
)

// Failure is one kind of failure of one scenario.
type Failure struct {
	Scenario string
	Kind     work.Kind
	// Count is how many arrivals failed so.
	Count int64
	// Example is the text of the first one.
	Example string
}

// failures counts failed arrivals by scenario and kind. Kinds are discovered:
// the table is replaced, not changed, so that counting takes no lock once a
// kind is known.
type failures struct {
	table atomic.Pointer[map[failureKey]*failureCount]
	mu    sync.Mutex
}

type failureKey struct {
	lane *lane
	kind work.Kind
}

type failureCount struct {
	counter *metrics.Counter
	n       atomic.Int64
	example string
	// why adds to the example what was found out after it; nil where nothing is.
	why func() string
}

// maxExample bounds the text kept of an error, in bytes.
const maxExample = 500

// count counts one failure and returns the counter of its kind.
func (f *failures) count(l *lane, kind work.Kind, err error) *metrics.Counter {
	key := failureKey{l, kind}
	if t := f.table.Load(); t != nil {
		if c := (*t)[key]; c != nil {
			c.n.Add(1)
			return c.counter
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	next := map[failureKey]*failureCount{}
	if t := f.table.Load(); t != nil {
		if c := (*t)[key]; c != nil {
			c.n.Add(1)
			return c.counter
		}
		for k, v := range *t {
			next[k] = v
		}
	}
	c := &failureCount{example: cut(err.Error()), counter: l.cfg.Metrics.Counter(metrics.ArrivalsFailed,
		metrics.Tags{Scenario: l.name, Outcome: string(kind)})}
	if later, ok := errors.AsType[interface {
		error
		Why() string
	}](err); ok {
		c.why = later.Why
	}
	c.n.Add(1)
	next[key] = c
	f.table.Store(&next)
	return c.counter
}

// text is the example, with what was found out after it.
func (c *failureCount) text() string {
	if c.why == nil {
		return c.example
	}
	if why := c.why(); why != "" {
		return cut(c.example + ": " + why)
	}
	return c.example
}

// cut bounds a text that is kept.
func cut(text string) string {
	if len(text) > maxExample {
		return text[:maxExample] + "…"
	}
	return text
}

func (f *failures) list() []Failure {
	t := f.table.Load()
	if t == nil {
		return nil
	}
	out := make([]Failure, 0, len(*t))
	for k, c := range *t {
		out = append(out, Failure{k.lane.name, k.kind, c.n.Load(), c.text()})
	}
	slices.SortFunc(out, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}
