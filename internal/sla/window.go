package sla

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// windowSlots bounds how many parts a window is kept in: one of more seconds moves
// on by more than a second.
const windowSlots = 60

// window judges a rule on every stretch of its length. A window lies wholly within
// stages that the rule is for, one after the other; values count when they were
// recorded, and, as everywhere, for the stage in which their arrival was due.
type window struct {
	judge *Judge
	rule  Rule
	over  []Stage

	mu sync.Mutex
	// slots are the parts of the window, oldest first, open the one that is being
	// filled. Each holds what was recorded in step.
	slots []*metrics.Totals
	open  *metrics.Totals
	step  time.Duration
	// filled is how long the open slot is.
	filled time.Duration
	// judged and few count windows that could be judged and that had too few
	// values; worst is the one furthest from the target, at when it ended.
	judged, few, needed int
	missed              bool
	worst               Result
	worstValue          float64
	at                  time.Duration
}

func newWindow(j *Judge, r Rule) *window {
	w := &window{judge: j, rule: r, step: max(time.Second, (r.Window / windowSlots).Round(time.Second))}
	if r.Tags.Stage != "" {
		w.over = j.stagesNamed(r.Tags.Stage)
	} else {
		w.over = j.judgedStages(r.Class)
	}
	// A rate is that of the window.
	w.over = slices.Clone(w.over)
	for i := range w.over {
		w.over[i].Duration = 0
		if i == 0 {
			w.over[i].Duration = r.Window
		}
	}
	return w
}

// Second gives the judge what was recorded in one second of the run, in the order of
// time: rules with a window are judged by it. It may be called from any goroutine;
// nothing of the snapshot is kept.
func (j *Judge) Second(s *metrics.Snapshot) {
	for _, w := range j.windows {
		w.second(s, j.plan.Stages)
	}
}

// Windowed says whether any rule has a window, so that Second must be called.
func (j *Judge) Windowed() bool { return len(j.windows) > 0 }

// Watches says whether a rule with a window is about the series.
func (j *Judge) Watches(s *metrics.Series) bool {
	return slices.ContainsFunc(j.windows, func(w *window) bool { return w.wants(s) })
}

func (w *window) second(s *metrics.Snapshot, stages []Stage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	within := s.Stage >= 0 && s.Stage < len(stages) &&
		slices.ContainsFunc(w.over, func(o Stage) bool { return o.Name == stages[s.Stage].Name })
	if !within || s.Start < w.rule.After {
		w.slots, w.open, w.filled = nil, nil, 0
		return
	}
	if w.open == nil {
		w.open = metrics.NewTotals()
	}
	w.take(s)
	w.filled += s.End - s.Start
	// Snapshots are a second apart, give or take what a timer is late.
	if w.filled < w.step-w.step/10 {
		return
	}
	w.slots = append(w.slots, w.open)
	w.open, w.filled = nil, 0
	if n := int((w.rule.Window + w.step - 1) / w.step); len(w.slots) >= n {
		w.slots = w.slots[len(w.slots)-n:]
		w.weigh(s.End)
	}
}

// take adds what the rule is about to the open slot.
func (w *window) take(s *metrics.Snapshot) {
	for _, v := range s.Trends {
		if w.wants(v.Series) {
			w.open.AddTrend(v.Series, v.Hist)
		}
	}
	for _, v := range s.Counters {
		if w.wants(v.Series) {
			w.open.AddCounter(v.Series, v.Delta)
		}
	}
	for _, v := range s.Rates {
		if w.wants(v.Series) {
			w.open.AddRate(v.Series, v.Hits, v.Total)
		}
	}
	for _, v := range s.Gauges {
		if w.wants(v.Series) {
			w.open.AddGauge(v.Series, v.Value)
		}
	}
}

func (w *window) wants(s *metrics.Series) bool {
	if isDerived(w.rule.Metric) {
		return s.Name == metrics.Arrivals.Name || s.Name == metrics.ArrivalsSucceeded.Name ||
			slices.ContainsFunc(notSucceeded, func(d metrics.Desc) bool { return d.Name == s.Name })
	}
	return (metrics.Selector{Name: w.rule.Metric, Tags: w.rule.Tags}).Matches(s)
}

// weigh judges the window that ends now.
func (w *window) weigh(at time.Duration) {
	t := metrics.NewTotals()
	for _, slot := range w.slots {
		for _, e := range slot.All() {
			switch {
			case e.Hist != nil:
				t.AddTrend(&e.Series, e.Hist)
			case e.Series.Kind == metrics.KindRate:
				t.AddRate(&e.Series, e.Hits, e.Count)
			case e.Series.Kind == metrics.KindGauge:
				for _, v := range e.Values {
					t.AddGauge(&e.Series, v)
				}
			default:
				t.AddCounter(&e.Series, e.Count)
			}
		}
	}
	f := w.judge.figure(t, w.rule, w.over)
	if isDerived(w.rule.Metric) && f.n > 0 {
		// What was due before the window may have failed in it.
		f.hits = min(f.hits, f.n)
		f.value = min(f.value, 1)
	}
	res := w.judge.outcome(w.rule, w.rule.Tags.Stage, f)
	switch res.Status {
	case NoData, NotExercised:
		return // nothing was recorded: there is no window to judge
	case Undecided:
		w.few, w.needed = w.few+1, max(w.needed, int(res.Needed))
		return
	}
	if w.judged++; res.Near {
		// Of many windows the worst is always near some limit.
		res.Near, res.Actual = false, figure.Beside(f.value, w.rule.Value, w.judge.unitOf(w.rule))
	}
	lost := res.Status != Passed
	// A figure that cannot be compared, such as of arrivals that were all lost, is
	// worse than any.
	if w.judged == 1 || lost && !w.missed || lost == w.missed && (f.allLost || f.atLeast || worse(w.rule, f.value, w.worstValue)) {
		w.worst, w.worstValue, w.at = res, f.value, at
	}
	w.missed = w.missed || lost
}

// result is the rule's outcome by all windows so far.
func (w *window) result() Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	stage := w.rule.Tags.Stage
	if w.judged > 0 {
		res := w.worst
		res.Actual = fmt.Sprintf("%s at %s", res.Actual, w.at.Round(time.Second))
		return res
	}
	res := w.judge.result(w.rule, stage)
	switch {
	case len(w.over) == 0:
		res.Status, res.Actual = NotExercised, "no judged stage"
	case w.few > 0:
		res.Status, res.Needed = Undecided, int64(w.needed)
		res.Actual = fmt.Sprintf("open in each %s", w.rule.Window)
		if w.needed > 0 {
			res.Actual = fmt.Sprintf("fewer than %d in %s", w.needed, w.rule.Window)
		}
	default:
		res.Status, res.Actual = Undecided, fmt.Sprintf("no window of %s", w.rule.Window)
	}
	return res
}
