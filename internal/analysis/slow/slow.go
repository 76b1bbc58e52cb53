// Package slow says why the slow arrivals of a run were slow: by the phases of those of
// which a record was kept, and by what the servers were seen doing at the same time,
// against a uniform sample of all arrivals. It names a cause only where the slow ones
// have it significantly more often, and else says that it cannot tell.
package slow

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// Report is what is known of the slow arrivals of a run, as summary.json holds it under
// analysis.slow.
type Report struct {
	// Known is false where nothing can be said; Because says why.
	Known   bool   `json:"known"`
	Because string `json:"because,omitempty"`
	// Slow is how many slow arrivals were looked at, Sampled with how many they were
	// compared. An arrival is slow beyond P99 of its scenario and stage, or beyond ten
	// times the median and 100 ms more than it; and no less than ten milliseconds beyond
	// the median.
	Slow    int `json:"slow"`
	Sampled int `json:"sampled"`
	// Causes are what is named, the most frequent first; an arrival counts for one.
	Causes []Cause `json:"causes"`
	// Unexplained is how many of Slow have none of them.
	Unexplained int `json:"unexplained"`
	// Sentences tell it.
	Sentences []string `json:"sentences"`
}

// Cause is one thing that slow arrivals have significantly more often than others.
type Cause struct {
	// ID names the kind of cause: lock, pool, command, …
	ID string `json:"id"`
	// What says what befell the arrivals.
	What string `json:"what"`
	// Count is how many slow arrivals it befell and is counted for, Share their part.
	Count int     `json:"count"`
	Share float64 `json:"share"`
	// Having is how many slow arrivals it befell, those counted for another cause
	// included; SampleHaving is how many of the sample it befell.
	Having       int `json:"having"`
	SampleHaving int `json:"sample_having"`
	// P is how likely that is where there is no connection, Limit below what it counts,
	// corrected for how many causes were looked at.
	P     float64 `json:"p"`
	Limit float64 `json:"p_limit"`
	// From and To bound when it was seen, in seconds; where a few were far from the
	// others, they bound those.
	From float64 `json:"from_s"`
	To   float64 `json:"to_s"`
	// Processes are the server's processes that caused it, as far as they are known.
	Processes []uint32 `json:"processes,omitempty"`
	Advice    string   `json:"advice,omitempty"`
}

// Usual is what response times are usual in a scenario and stage, in milliseconds.
type Usual struct{ Median, P99 float64 }

// limit is from where on an arrival is slow: beyond P99, and where more than one in a
// hundred is far out, beyond ten times the median.
func (u Usual) limit() float64 {
	return max(min(u.P99, max(farOut*u.Median, u.Median+wayBeyond)), u.Median+beyondMedian)
}

// The bounds of what is said.
const (
	// beyondMedian is by how much a slow arrival must exceed the median, in ms.
	beyondMedian = 10.0
	// Beyond farOut times the median, and wayBeyond more than it, an arrival is slow
	// whatever P99 is.
	farOut    = 10.0
	wayBeyond = 100.0
	// fewest is how many slow arrivals anything can be said of, and how many a cause
	// must have.
	fewest    = 5
	fewestFor = 3
	// leastShare is the part of the slow arrivals that a cause must have, timesUsual how
	// many times more often than the sample.
	leastShare = 0.05
	timesUsual = 2.0
	// concentration is leastShare of one process among many.
	concentration = 0.3
	// level is the probability of naming any cause where there is none.
	level = 0.01
	// mostSlow bounds how many slow arrivals are looked at.
	mostSlow = 4000
)

// Explain explains the slow arrivals among those that were kept. usual returns what is
// usual in a scenario and stage; ok is false where that is not known.
func Explain(set *exemplars.Set, usual func(scenario, stage string) (Usual, bool)) *Report {
	r := &Report{Causes: []Cause{}, Sentences: []string{}}
	s := newStudy(set, usual)
	r.Slow, r.Sampled = len(s.slow), len(s.sample)
	switch {
	case len(set.Exemplars) == 0:
		r.Because = "no records of single arrivals were kept"
	case r.Slow < fewest && !s.hasCertain():
		r.Because = tooFew(r.Slow, s.known)
	case r.Sampled < 4*fewest:
		r.Because = fmt.Sprintf("there are only %d usual arrivals to compare with", r.Sampled)
	}
	if r.Because != "" {
		return r
	}
	r.Known = true
	r.Causes = s.causes()
	for _, c := range r.Causes {
		r.Unexplained += c.Count
	}
	r.Unexplained = r.Slow - r.Unexplained
	r.say()
	return r
}

// tooFew says why nothing can be said of so few slow arrivals; known says whether it was
// known of any arrival what is usual.
func tooFew(n int, known bool) string {
	bounds := fmt.Sprintf("beyond the 99th percentile and %g ms slower than usual", beyondMedian)
	switch {
	case !known:
		return "what is usual is not known where they are from"
	case n == 0:
		return "no arrival stands out: none is " + bounds
	case n == 1:
		return fmt.Sprintf("only one arrival stands out, %s: a cause takes %d", bounds, fewest)
	}
	return fmt.Sprintf("only %d arrivals stand out, %s: a cause takes %d", n, bounds, fewest)
}

// study is what is looked at.
type study struct {
	// known says whether what is usual is known of any arrival.
	known bool
	set   *exemplars.Set
	// ops are the sample's times by operation.
	ops          map[string][]float64
	usual        func(scenario, stage string) (Usual, bool)
	slow, sample []subject
	from, to     float64 // of the run, as far as it is known
}

// subject is one arrival with what befell it.
type subject struct {
	*exemplars.Exemplar
	stratum string
	signs   []sign
}

func newStudy(set *exemplars.Set, usual func(string, string) (Usual, bool)) *study {
	s := &study{set: set, usual: usual, ops: map[string][]float64{}}
	for i := range set.Exemplars {
		e := &set.Exemplars[i]
		s.from, s.to = min(s.from, e.Due), max(s.to, e.End())
		if !e.Is(exemplars.Sample) {
			continue
		}
		for k := range e.Ops {
			key := opKey(e, &e.Ops[k])
			s.ops[key] = append(s.ops[key], e.Ops[k].End-e.Ops[k].Start)
		}
	}
	for i := range set.Exemplars {
		e := &set.Exemplars[i]
		u, ok := usual(e.Scenario, e.Stage)
		if !ok {
			continue
		}
		s.known = true
		x := subject{Exemplar: e, stratum: e.Scenario + "\x00" + e.Stage}
		switch limit := u.limit(); {
		case e.Response >= limit && (e.Kind == "" || e.Kind == "timeout"):
			s.slow = append(s.slow, x)
		case e.Is(exemplars.Sample):
			s.sample = append(s.sample, x)
		}
	}
	slices.SortStableFunc(s.slow, func(a, b subject) int { return cmp.Compare(b.Response, a.Response) })
	s.slow = s.slow[:min(len(s.slow), mostSlow)]
	for i := range s.slow {
		s.slow[i].signs = s.signs(s.slow[i].Exemplar)
	}
	for i := range s.sample {
		s.sample[i].signs = s.signs(s.sample[i].Exemplar)
	}
	return s
}
