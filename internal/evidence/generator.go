package evidence

import (
	"context"
	"fmt"
	"os"
	"runtime/metrics"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// generatorName is the source of what is seen of perfctl itself.
const generatorName = "generator"

// What of a program is worth a note, in milliseconds of a look.
const (
	leastThrottled = 10.0
	leastPause     = 10.0
	leastStarved   = 40.0
)

type generatorWatcher struct {
	throttled time.Duration
	pauses    []uint64 // how many pauses there were, by bucket
	known     bool
}

// NewGenerator returns a watcher of perfctl itself: processor time that its control
// group was refused, and pauses by its own garbage collection.
func NewGenerator() Watcher { return &generatorWatcher{} }

func (w *generatorWatcher) String() string { return "perfctl itself" }

func (w *generatorWatcher) Watch(ctx context.Context, j *Journal) error {
	open := newSpans(j)
	defer open.end()
	pid := os.Getpid()
	sample := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	return every(ctx, j, 2*looks, func(before float64) error {
		now := j.Now()
		throttled := process.Throttled(pid)
		if took := exemplars.Millis(throttled - w.throttled); w.known && took >= leastThrottled {
			open.see("throttled", exemplars.Evidence{From: before, To: now, Source: generatorName, Kind: exemplars.Throttled,
				What: "was refused processor time by the limit of its control group"})
		}
		w.throttled = throttled
		metrics.Read(sample)
		if sample[0].Value.Kind() == metrics.KindFloat64Histogram {
			if took := w.longest(sample[0].Value.Float64Histogram()); took >= leastPause {
				j.Note(exemplars.Evidence{From: before, To: now, Source: generatorName, Kind: exemplars.Pause, Took: took,
					What: fmt.Sprintf("was stopped by its own garbage collection for %s", figure.WholeMillis(took))})
			}
		}
		w.known = true
		open.sweep()
		return nil
	})
}

// longest is how long at least the longest pause was since the last call, in milliseconds.
func (w *generatorWatcher) longest(h *metrics.Float64Histogram) (took float64) {
	for i, n := range h.Counts {
		if i < len(w.pauses) && n > w.pauses[i] {
			took = max(took, 1000*h.Buckets[i])
		}
	}
	w.pauses = append(w.pauses[:0], h.Counts...)
	return took
}
