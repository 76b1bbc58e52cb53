package live

import (
	"cmp"
	"maps"
	"math"
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
	// readings are the values of each gauge that was read, a value for each second.
	readings map[source][]float64
	// steps are those of each scenario, in the order in which they were first seen.
	steps map[string][]string
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
	h.remember(x)
	h.all.done += all.done
	h.all.failed += all.failed
	h.all.dropped += all.dropped
}

// remember keeps what was read, and what steps there are.
func (h *history) remember(x *second) {
	if h.readings == nil {
		h.readings, h.steps = map[source][]float64{}, map[string][]string{}
	}
	for _, r := range x.readings {
		h.readings[r.source] = keep(h.readings[r.source], r.value, historySeconds)
	}
	for name, p := range x.parts {
		for _, s := range p.steps {
			if !slices.Contains(h.steps[name], s.name) {
				h.steps[name] = append(h.steps[name], s.name)
			}
		}
	}
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
	// readings are those that moved; still counts the others.
	readings []movement
	still    int
}

type scenarioFigures struct {
	name string
	part
}

// movement is a reading with its values so far.
type movement struct {
	reading
	line []float64
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
		parts[name].steps = ordered(parts[name].steps, h.steps[name])
		f.scenarios = append(f.scenarios, scenarioFigures{name, *parts[name]})
	}
	for _, r := range f.now.readings {
		if line := h.readings[r.source]; moved(line) {
			f.readings = append(f.readings, movement{r, slices.Clone(line)})
		} else {
			f.still++
		}
	}
	for what, n := range h.errors {
		f.errors = append(f.errors, errorFigures{what, recent[what], n})
	}
	slices.SortFunc(f.errors, func(a, b errorFigures) int {
		return cmp.Or(cmp.Compare(b.runs, a.runs), cmp.Compare(a.what, b.what))
	})
	return f
}

// leastMove is the part of a reading's largest value by which it must have changed to be
// worth a place.
const leastMove = 0.01

func moved(line []float64) bool {
	low, high := slices.Min(line), slices.Max(line)
	return high-low > leastMove*max(math.Abs(low), math.Abs(high))
}

// ordered returns the steps of a scenario in an order that stays, those without a time
// in the window with an empty one.
func ordered(have []step, names []string) []step {
	out := make([]step, 0, len(names))
	for _, name := range names {
		s := step{name, new(metrics.Hist)}
		if i := slices.IndexFunc(have, func(h step) bool { return h.name == name }); i >= 0 {
			s = have[i]
		}
		out = append(out, s)
	}
	return out
}

func last(v []float64) float64 { return v[len(v)-1] }
