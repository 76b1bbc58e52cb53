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

// gather reads what is compared of each run: response time by judged stage and
// over all, by scenario, and every other trend of an operation over all.
func gather(runs []*rundir.Run) ([]recording, error) {
	var out []recording
	for _, run := range runs {
		judged := map[string]bool{}
		for _, s := range run.Info.Stages {
			judged[s.Name] = s.Judged
		}
		rec := recording{}
		err := run.Intervals(func(l *rundir.Line) bool { return judged[l.Series.Stage] && compared(l.Series) }, func(i int, l *rundir.Line, h *metrics.Hist) {
			for _, k := range keysOf(l.Series) {
				rec.at(k, i).add(h)
			}
		})
		if err != nil {
			return nil, err
		}
		for _, l := range run.Lines {
			if judged[l.Series.Stage] && l.Series.Kind == metrics.KindCounter {
				rec.count(l)
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

func keysOf(s metrics.Series) []key {
	stage := s.Stage
	s.Stage = ""
	keys := []key{{s.Key(), ""}}
	if s.Name == responseTime {
		keys = append(keys, key{responseTime, stage}, key{responseTime, ""})
	}
	return keys
}

func (s *second) add(h *metrics.Hist) {
	h.Buckets(func(i int, n int64) { s.cells = append(s.cells, cell{int32(i), int32(n)}) })
	s.n, s.censored = s.n+h.N, s.censored+h.Censored
}

// count adds a counter of arrivals.
func (r recording) count(l *rundir.Line) {
	for i, v := range l.Value {
		for _, k := range []key{{errorRate, l.Series.Stage}, {errorRate, ""}} {
			switch l.Series.Name {
			case metrics.Arrivals.Name:
				r.at(k, l.At[i]).due += int64(v)
			case metrics.ArrivalsFailed.Name, metrics.ArrivalsDropped.Name, metrics.ArrivalsUnfinished.Name:
				r.at(k, l.At[i]).lost += int64(v)
			}
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
