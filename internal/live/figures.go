package live

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// windowSeconds is what "the last seconds" are: figures that one second could not
// carry are of so many.
const windowSeconds = 10

// historySeconds bounds what a sparkline can show.
const historySeconds = 240

// history is what the view remembers of a run.
type history struct {
	seconds []*second // the window
	// done, p95 and offered have a value for each second.
	done, offered, p95 []float64
	errors             map[string]int64
	all                part // counts of the run; no histogram
}

func (h *history) add(x *second, offered float64) {
	h.seconds = keep(h.seconds, x, windowSeconds)
	all := x.sum()
	h.done = keep(h.done, perSecond(all.done, x.span), historySeconds)
	h.offered = keep(h.offered, offered, historySeconds)
	p95, _, _ := all.response.Quantile(0.95)
	h.p95 = keep(h.p95, float64(p95), historySeconds)
	if h.errors == nil {
		h.errors = map[string]int64{}
	}
	for k, n := range x.errors {
		h.errors[k] += n
	}
	h.all.done += all.done
	h.all.failed += all.failed
	h.all.dropped += all.dropped
}

func keep[T any](list []T, x T, n int) []T {
	if list = append(list, x); len(list) > n {
		list = slices.Delete(list, 0, len(list)-n)
	}
	return list
}

func perSecond(n int64, span time.Duration) float64 {
	if span <= 0 {
		return 0
	}
	return float64(n) / span.Seconds()
}

// figures are what is on the screen. They stand still while the view is paused.
type figures struct {
	now     *second
	offered float64
	done    float64 // per second, of the last second
	// window is all scenarios over the last seconds, scenarios each of them.
	window     *part
	windowSpan time.Duration
	scenarios  []scenarioFigures
	errors     []errorFigures
	lag        *metrics.Hist
	// doneLine, offeredLine and p95Line are the sparklines' values.
	doneLine, offeredLine, p95Line []float64
	total                          part
}

type scenarioFigures struct {
	name string
	part
}

type errorFigures struct {
	what         string
	recent, runs int64
}

func (h *history) figures() *figures {
	f := &figures{
		now: h.seconds[len(h.seconds)-1], window: newPart(), lag: new(metrics.Hist),
		offered: last(h.offered), done: last(h.done), total: h.all,
		doneLine: slices.Clone(h.done), offeredLine: slices.Clone(h.offered), p95Line: slices.Clone(h.p95),
	}
	parts := map[string]*part{}
	recent := map[string]int64{}
	for _, x := range h.seconds {
		f.windowSpan += x.span
		f.lag.Merge(x.lag)
		for name, p := range x.parts {
			if parts[name] == nil {
				parts[name] = newPart()
			}
			parts[name].add(p)
			f.window.add(p)
		}
		for k, n := range x.errors {
			recent[k] += n
		}
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		f.scenarios = append(f.scenarios, scenarioFigures{name, *parts[name]})
	}
	for what, n := range h.errors {
		f.errors = append(f.errors, errorFigures{what, recent[what], n})
	}
	slices.SortFunc(f.errors, func(a, b errorFigures) int {
		return cmp.Or(cmp.Compare(b.runs, a.runs), cmp.Compare(a.what, b.what))
	})
	return f
}

func last(v []float64) float64 { return v[len(v)-1] }
