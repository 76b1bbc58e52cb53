package compare

import (
	"slices"
	"sort"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

var responseTime = metrics.ResponseTime.Name

// key names what is compared: a series in a stage, or in all judged stages.
type key struct{ metric, stage string }

// cell is a bucket of a second's histogram that is not empty.
type cell struct {
	bucket int32
	count  int32
}

// second is what one second recorded of a key.
type second struct {
	cells    []cell
	n        int64
	censored int64
	// due and lost count arrivals, for the rate of errors.
	due, lost int64
}

// recording is one run: for each key its seconds, in order.
type recording map[key]map[int]*second

func (r recording) at(k key, i int) *second {
	if r[k] == nil {
		r[k] = map[int]*second{}
	}
	if r[k][i] == nil {
		r[k][i] = &second{}
	}
	return r[k][i]
}

// seconds returns a key's seconds in order.
func (r recording) seconds(k key) []*second {
	at := make([]int, 0, len(r[k]))
	for i := range r[k] {
		at = append(at, i)
	}
	sort.Ints(at)
	out := make([]*second, len(at))
	for j, i := range at {
		out[j] = r[k][i]
	}
	return out
}

// gather reads what is compared of each run: response time by judged stage, by
// scenario and by both, every other trend of an operation over all judged stages,
// and what is named besides.
func gather(runs []*rundir.Run, extra ...named) ([]recording, error) {
	var out []recording
	for _, run := range runs {
		judged := map[string]bool{}
		for _, s := range run.Info.Stages {
			judged[s.Name] = s.Judged
		}
		rec := recording{}
		isNamed := func(s *metrics.Series) bool {
			return slices.ContainsFunc(extra, func(n named) bool { return n.matches(s) })
		}
		want := func(l *rundir.Line) bool { return judged[l.Series.Stage] && (compared(l.Series) || isNamed(&l.Series)) }
		err := run.Intervals(want, func(i int, l *rundir.Line, h *metrics.Hist) {
			for _, k := range keysOf(l.Series, extra) {
				rec.at(k, i).add(h)
			}
		})
		if err != nil {
			return nil, err
		}
		for _, l := range run.Lines {
			switch {
			case !judged[l.Series.Stage]:
			case l.Series.Kind == metrics.KindCounter:
				rec.count(l)
			case l.Series.Kind == metrics.KindRate:
				rec.rate(l, extra)
			}
		}
		out = append(out, rec)
	}
	return out, nil
}

// compared says whether a trend is: parts of response time that are the
// generator's own are not.
func compared(s metrics.Series) bool {
	switch s.Name {
	case metrics.ServiceTime.Name, metrics.ScheduleLag.Name, metrics.DispatchLag.Name, metrics.FailureTime.Name:
		return false
	}
	return s.Scenario != ""
}

// keysOf returns under which keys a series counts.
func keysOf(s metrics.Series, extra []named) []key {
	var keys []key
	put := func(k key) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	stage := s.Stage
	whole := s
	whole.Stage = ""
	if compared(s) {
		put(key{whole.Key(), ""})
	}
	if s.Name == responseTime {
		put(key{responseTime, stage})
		put(key{responseTime, ""})
		put(key{whole.Key(), stage})
	}
	for i := range extra {
		if extra[i].matches(&s) {
			put(extra[i].key())
		}
	}
	return keys
}

func (s *second) add(h *metrics.Hist) {
	h.Buckets(func(i int, n int64) { s.cells = append(s.cells, cell{int32(i), int32(n)}) })
	s.n, s.censored = s.n+h.N, s.censored+h.Censored
}

// count adds a counter of arrivals.
func (r recording) count(l *rundir.Line) {
	lost := false
	switch l.Series.Name {
	case metrics.Arrivals.Name:
	case metrics.ArrivalsFailed.Name, metrics.ArrivalsDropped.Name, metrics.ArrivalsUnfinished.Name:
		lost = true
	default:
		return
	}
	keys := []key{{errorRate, l.Series.Stage}, {errorRate, ""}}
	if l.Series.Scenario != "" {
		of := errorsOf(l.Series.Scenario)
		keys = append(keys, key{of, l.Series.Stage}, key{of, ""})
	}
	for i, v := range l.Value {
		for _, k := range keys {
			if lost {
				r.at(k, l.At[i]).lost += int64(v)
			} else {
				r.at(k, l.At[i]).due += int64(v)
			}
		}
	}
}

// errorsOf names the error rate of a scenario.
func errorsOf(scenario string) string {
	return metrics.Series{Desc: metrics.Desc{Name: errorRate}, Tags: metrics.Tags{Scenario: scenario}}.Key()
}

// rate adds a rate that is named.
func (r recording) rate(l *rundir.Line, extra []named) {
	for j := range extra {
		if !extra[j].matches(&l.Series) {
			continue
		}
		k := extra[j].key()
		for i, v := range l.Value {
			s := r.at(k, l.At[i])
			s.lost, s.due = s.lost+int64(v), s.due+int64(l.Of[i])
		}
	}
}

// errorRate is (failed + dropped + unfinished) ÷ due.
const errorRate = "error_rate"

// tally counts buckets, to find quantiles of any choice of seconds.
type tally struct {
	counts   []int64
	used     []int32
	n        int64
	censored int64
}

func (t *tally) reset() {
	for _, b := range t.used {
		t.counts[b] = 0
	}
	t.used, t.n, t.censored = t.used[:0], 0, 0
}

func (t *tally) add(s *second) {
	for _, c := range s.cells {
		for int(c.bucket) >= len(t.counts) {
			t.counts = append(t.counts, make([]int64, 4096)...)
		}
		if t.counts[c.bucket] == 0 {
			t.used = append(t.used, c.bucket)
		}
		t.counts[c.bucket] += int64(c.count)
	}
	t.n, t.censored = t.n+s.n, t.censored+s.censored
}

// quantiles returns quantiles in milliseconds, 0 for one that cannot be told.
func (t *tally) quantiles(qs []float64) []float64 {
	slices.Sort(t.used)
	out := make([]float64, len(qs))
	total := float64(t.n + t.censored)
	for i, q := range qs {
		if q == mean {
			out[i] = t.mean()
			continue
		}
		rank := int64(q*total) + 1
		if rank > t.n || total*(1-q) < 1 {
			continue
		}
		var seen int64
		for _, b := range t.used {
			if seen += t.counts[b]; seen >= rank {
				low, high := metrics.BucketBounds(int(b))
				out[i] = float64(low+high) / 2 / 1e6
				break
			}
		}
	}
	return out
}

// mean returns the mean in milliseconds, 0 without values or with censored ones,
// which are known to be larger than something alone.
func (t *tally) mean() float64 {
	if t.n == 0 || t.censored > 0 {
		return 0
	}
	sum := 0.0
	for _, b := range t.used {
		low, high := metrics.BucketBounds(int(b))
		sum += float64(t.counts[b]) * float64(low+high) / 2 / 1e6
	}
	return sum / float64(t.n)
}
