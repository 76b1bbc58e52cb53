package compare

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/stats"
)

const (
	// FewestPast is from how many runs on changes are looked for.
	FewestPast = 10
	// changeLevel is how often a figure that does not change is said to.
	changeLevel = 0.001
)

// History is a number of runs of the same load, in the order in which they began,
// and where their figures changed.
type History struct {
	Profile   string   `json:"profile"`
	Scenarios []string `json:"scenarios"`
	// Tag is the label that these runs have in common where they were grouped by it.
	Tag string `json:"tag,omitempty"`
	// Older is how many runs before these were left out.
	Older int    `json:"older,omitempty"`
	Runs  []Past `json:"runs"`
	// Changes are in the order of the runs, the largest of a run first. They are
	// nil for fewer than FewestPast runs.
	Changes []Change `json:"changes"`
	// MinEffect is the smallest change that counted.
	MinEffect float64 `json:"min_effect"`
}

// Past is one run of a history.
type Past struct {
	Dir     string    `json:"dir"`
	Started time.Time `json:"started"`
	Version string    `json:"version"`
	// Tags are the labels that the run was given.
	Tags map[string]string `json:"tags,omitempty"`
	// Verdict and Exit are what the run ended with; Verdict is empty for one that
	// has no summary.
	Verdict string `json:"verdict"`
	Exit    int    `json:"exit_code"`
	// P50, P95 and P99 are of response time over all judged stages, in
	// milliseconds; nil where there are too few.
	P50 *float64 `json:"p50_ms"`
	P95 *float64 `json:"p95_ms"`
	P99 *float64 `json:"p99_ms"`
	// Errors is (failed + dropped + unfinished) ÷ due over the judged stages.
	Errors float64 `json:"error_rate"`
}

// Change is a figure that was another one from a run on.
type Change struct {
	// Run is the number of the first run after the change, from 0.
	Run    int    `json:"run"`
	Metric string `json:"metric"`
	Stat   string `json:"stat"`
	// Before and After are the medians of the runs up to the change and from it
	// on, as far as the neighbouring changes, in milliseconds or as a share.
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Word   Word    `json:"word"`
	// Differences are the settings and versions that differ between the run before
	// the change and the one after it.
	Differences []string `json:"differences"`
}

// Newest returns the history without its oldest runs, where it has more than a terminal
// has room for. Older says how many are left out; runs keep their numbers.
func (h *History) Newest() *History {
	out := *h
	if more := len(h.Runs) - shownRuns; more > 0 {
		out.Older, out.Runs = h.Older+more, h.Runs[more:]
	}
	return &out
}

// Histories returns a history for each load among the runs, that of the newest run
// first.
func Histories(runs []*rundir.Run, o Options) ([]*History, error) {
	var all []*Kept
	for _, r := range runs {
		k, err := keep(r)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return HistoriesOf(all, "", o)
}

// HistoriesOf returns a history for each load, and where a label is named for each of its
// values, that of the newest run first.
func HistoriesOf(all []*Kept, label string, o Options) ([]*History, error) {
	if o.MinEffect == 0 {
		o.MinEffect = DefaultMinEffect
	}
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b *Kept) int { return a.Started.Compare(b.Started) })
	type of struct{ load, tag string }
	var order []of
	groups := map[of][]*Kept{}
	for _, k := range sorted {
		g := of{load: k.load.Key}
		if label != "" {
			g.tag = label + "=" + k.Tags[label]
		}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], k)
	}
	newest := func(g of) time.Time { return groups[g][len(groups[g])-1].Started }
	slices.SortStableFunc(order, func(a, b of) int { return newest(b).Compare(newest(a)) })
	var out []*History
	for _, g := range order {
		h, err := historyOf(groups[g], o.MinEffect)
		if err != nil {
			return nil, err
		}
		h.Tag = g.tag
		out = append(out, h)
	}
	return out, nil
}

// course is one figure over the runs; NaN where a run does not tell it.
type course struct {
	key  key
	stat int // in names, or -1 for the rate of errors
	at   []float64
}

func historyOf(runs []*Kept, effect float64) (*History, error) {
	h := &History{Profile: runs[0].load.Profile, Scenarios: runs[0].load.Scenarios, MinEffect: effect}
	courses := map[key][]*course{}
	rate := newCourse(key{errorRate, ""}, -1, len(runs))
	courses[rate.key] = []*course{rate}
	for i, r := range runs {
		h.Runs = append(h.Runs, r.Past)
		for name, values := range r.values {
			note(courses, key{name, ""}, i, len(runs), values)
		}
		rate.at[i] = r.Errors
	}
	if len(runs) < FewestPast {
		return h, nil
	}
	h.Changes = changesOf(courses, effect)
	for i := range h.Changes {
		n := h.Changes[i].Run
		before, err := runs[n-1].head()
		if err != nil {
			return nil, err
		}
		after, err := runs[n].head()
		if err != nil {
			return nil, err
		}
		h.Changes[i].Differences = differences([]*rundir.Run{before}, []*rundir.Run{after})
	}
	return h, nil
}

// changesOf returns the changes of all courses, several of which are looked at at a time.
func changesOf(courses map[key][]*course, effect float64) []Change {
	out := []Change{}
	var all []*course
	for _, list := range courses {
		all = append(all, list...)
	}
	found := make([][]Change, len(all))
	next := make(chan int)
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(all)) {
		wait.Go(func() {
			for i := range next {
				found[i] = all[i].changes(effect)
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	wait.Wait()
	for _, f := range found {
		out = append(out, f...)
	}
	slices.SortFunc(out, func(a, b Change) int {
		if a.Run != b.Run {
			return a.Run - b.Run
		}
		if d := b.size() - a.size(); d != 0 {
			return int(math.Copysign(1, d))
		}
		return compareNames(a, b)
	})
	return out
}

func compareNames(a, b Change) int {
	if a.Metric+a.Stat < b.Metric+b.Stat {
		return -1
	}
	return 1
}

// size is how large a change is, whichever way.
func (c *Change) size() float64 {
	if c.Metric == errorRate {
		return math.Abs(c.After - c.Before)
	}
	return math.Abs(math.Log(c.After / c.Before))
}

func newCourse(k key, stat, runs int) *course {
	c := &course{key: k, stat: stat, at: make([]float64, runs)}
	for i := range c.at {
		c.at[i] = math.NaN()
	}
	return c
}

func note(courses map[key][]*course, k key, run, runs int, values []float64) {
	if courses[k] == nil {
		for stat := range names {
			courses[k] = append(courses[k], newCourse(k, stat, runs))
		}
	}
	for stat, v := range values {
		if v > 0 {
			courses[k][stat].at[run] = v
		}
	}
}

func quantilesOf(r recording, k key) []float64 {
	var t tally
	for _, s := range r[k] {
		t.add(s)
	}
	return t.quantiles(quantiles)
}

func pastOf(r *rundir.Run, rec recording) Past {
	p := Past{Dir: r.Dir, Started: r.Info.Started, Version: r.Info.Version, Tags: r.Info.Tags}
	if r.Outcome != nil {
		p.Verdict, p.Exit = r.Outcome.Verdict, r.Outcome.ExitCode
	}
	for i, v := range quantilesOf(rec, key{responseTime, ""}) {
		if v > 0 {
			*[]**float64{&p.P50, &p.P95, &p.P99}[i] = &v
		}
	}
	p.Errors = shares([]recording{rec}, key{errorRate, ""})[0]
	return p
}

// changes returns where the course changed by as much as matters.
func (c *course) changes(effect float64) (out []Change) {
	var values []float64
	var runs []int // of the values
	for i, v := range c.at {
		if math.IsNaN(v) {
			continue
		}
		if c.stat >= 0 {
			v = math.Log(v) // what matters is by what factor
		}
		values, runs = append(values, v), append(runs, i)
	}
	points := stats.ChangePoints(values, changeLevel)
	for i, p := range points {
		low, high := 0, len(values)
		if i > 0 {
			low = points[i-1]
		}
		if i+1 < len(points) {
			high = points[i+1]
		}
		x := Change{Run: runs[p], Metric: c.key.metric, Stat: "rate", Before: stats.Median(values[low:p]), After: stats.Median(values[p:high]), Word: Improved}
		matters := math.Abs(x.After-x.Before) >= leastErrors
		if c.stat >= 0 {
			x.Stat, x.Before, x.After = names[c.stat], math.Exp(x.Before), math.Exp(x.After)
			matters = max(x.After/x.Before, x.Before/x.After) >= 1+effect
		}
		if x.After > x.Before {
			x.Word = Regressed
		}
		if matters {
			out = append(out, x)
		}
	}
	return out
}
