package analysis

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/stats"
)

// No standard says when a system has recovered. Here it has at the first of ten
// consecutive seconds in which P95 response time, the share of errors, the
// arrivals in flight, the length of the queues and the achieved load are again
// what they were before the spike, within what they varied there; two of the ten, not the first, may miss it,
// because ten seconds in a row are too much to ask of noise.
const (
	recoverySeconds = 10
	recoveryMisses  = 2
	// beforeSeconds is how long the load before the spike must have lasted.
	beforeSeconds = 5
	// slower is by what factor a figure may exceed the one before, at least.
	slower = 1.2
	// moreErrors is by how much the share of errors may.
	moreErrors = 0.001
	// finest is a difference of response time, in milliseconds, that means
	// nothing.
	finest = 1.0
)

// RecoveryWatch is how long what comes after a spike or a fault must be watched for its
// recovery to be told.
const RecoveryWatch = recoverySeconds * time.Second

// normal is what the system was before a spike.
type normal struct {
	p95, mean, limit        float64 // ms
	errors                  float64 // share
	inFlight, inFlightLimit float64
	rate                    float64 // due per second
	queues                  []queue
}

// queue is the length of a queue in each second, and up to where it is what it
// was before.
type queue struct {
	values []float64
	limit  float64
}

// recoveries looks at every spike of the profile. Stages of that class that
// follow one another are one spike.
func (a *axis) recoveries() []Recovery {
	out := []Recovery{}
	for i := 0; i < len(a.stages); i++ {
		first := i
		for i < len(a.stages) && a.stages[i].Class == "spike" {
			i++
		}
		if r, ok := a.spike(first, i); ok {
			out = append(out, r)
		}
	}
	return out
}

// spike looks at the spike that the stages from i up to but without j make.
func (a *axis) spike(i, j int) (Recovery, bool) {
	r := Recovery{Backlogs: []Backlog{}, Memory: []Excursion{}, what: "spike"}
	highest := -1.0
	for k := i; k < j; k++ {
		s := &a.stages[k]
		if rate := (s.From + s.To) / 2; rate > highest && s.Duration > 0 {
			r.Stage, highest = s.Name, rate
		}
		a.losses(&r, s.Name)
	}
	if highest < 0 {
		return r, false // no spike, or one without a length
	}
	r.From, r.To = a.stages[i].Start, a.stages[j-1].Start+a.stages[j-1].Duration
	r.ErrorRate = number(float64(r.Failed+r.Dropped+r.Unfinished) / float64(r.Due))
	end := a.watchedUntil(j)
	r.Watched = max(end-r.To, 0)
	before, why := a.before(i)
	if why == "" {
		a.excess(&r, before, end)
		a.excursions(&r, i, end)
		why = a.comeBack(&r, before, end)
	}
	r.Known, r.Because = why == "", why
	return r, true
}

// losses adds what became of the arrivals that were due in a stage.
func (a *axis) losses(r *Recovery, stage string) {
	count := func(d metrics.Desc) int64 {
		n, _ := a.run.Totals.Counter(metrics.Selector{Name: d.Name, Tags: metrics.Tags{Stage: stage}})
		return n
	}
	r.Due += count(metrics.Arrivals)
	r.Failed += count(metrics.ArrivalsFailed)
	r.Dropped += count(metrics.ArrivalsDropped)
	r.Unfinished += count(metrics.ArrivalsUnfinished)
}

// watchedUntil is the end of the load after a spike, of which next is the stage
// that follows it: the next spike, or the end of the run.
func (a *axis) watchedUntil(next int) float64 {
	for _, s := range a.stages[next:] {
		if s.Class == "spike" {
			return min(s.Start, a.ended())
		}
	}
	return a.ended()
}

// quiet returns the seconds before a spike that it is compared with: those of
// the stage before it, less the first part of a run.
func (a *axis) quiet(spike int) (i, j int) {
	if spike == 0 || a.stages[spike-1].Class == "spike" {
		return 0, 0
	}
	b := &a.stages[spike-1]
	from := b.Start
	if from == 0 {
		from += min(b.Duration/5, 5)
	}
	return a.within(from, b.Start+b.Duration)
}

// before returns what the system was before the spike, or why that is unknown.
func (a *axis) before(spike int) (normal, string) {
	i, j := a.quiet(spike)
	if j == i && spike > 0 && a.n > 0 && a.end(a.n-1) < a.stages[spike].Start {
		return normal{}, "the run ended before the spike"
	}
	return a.normal(i, j, "spike")
}

// normal returns what the system was in the seconds from i to j, before what is named,
// or why that is unknown.
func (a *axis) normal(i, j int, what string) (normal, string) {
	if j-i < beforeSeconds {
		return normal{}, fmt.Sprintf("the %s has no before: %d s of load to compare with, %d s are needed", what, j-i, beforeSeconds)
	}
	var b normal
	due := sum(a.due, i, j)
	if due == 0 {
		return b, "the " + what + " has no before: no arrival was due before it"
	}
	b.errors = min((sum(a.failed, i, j)+sum(a.dropped, i, j))/due, 1)
	b.rate = due / (a.end(j-1) - a.start[i])
	var p95 []float64
	var total, n float64
	for _, m := range a.response[i:j] {
		if m.n > 0 && !m.least {
			p95 = append(p95, m.p95)
			total += m.mean * float64(m.n)
			n += float64(m.n)
		}
	}
	switch {
	case n == 0 || b.errors > 0.5:
		return b, fmt.Sprintf("the target failed already before the %s: %s of the arrivals succeeded", what, share(max(0, 1-b.errors)))
	case len(p95) < beforeSeconds || 2*len(p95) < j-i:
		return b, fmt.Sprintf("response time before the %s is known of %d of %d s only", what, len(p95), j-i)
	}
	b.p95, b.mean = stats.Median(p95), total/n
	b.limit = max(slower*b.p95, stats.UpperFence(p95), b.p95+finest)
	b.inFlight, b.inFlightLimit = math.NaN(), math.NaN()
	if f := a.gauge(metrics.InFlight.Name); f != nil {
		b.inFlight, b.inFlightLimit = usual(f[i:j])
	}
	for k := range a.gauges {
		if g := &a.gauges[k]; groupOf(&g.series) == GroupQueue {
			if _, limit := usual(g.values[i:j]); !math.IsNaN(limit) {
				b.queues = append(b.queues, queue{g.values, limit})
			}
		}
	}
	return b, ""
}

// usual returns the median of readings and up to where another one is no more
// than they: a fifth above, what they varied by, or what a number that counts
// independent events varies by.
func usual(x []float64) (median, limit float64) {
	all := read(x)
	median = stats.Median(all)
	return median, max(slower*median, stats.UpperFence(all), median+3*math.Sqrt(max(median, 0))+2)
}

// comeBack looks for the recovery. It returns why it cannot be told.
func (a *axis) comeBack(r *Recovery, b normal, end float64) string {
	i, j := a.within(r.To, end)
	if a.ended() < r.To-grain {
		return "the run ended before the " + r.what + " did"
	}
	if r.Watched < 1 {
		return "no load comes after the " + r.what
	}
	if j-i < recoverySeconds {
		return fmt.Sprintf("the load after the %s was watched for %s, %d s are needed", r.what, seconds(r.Watched), recoverySeconds)
	}
	missing := a.conditions(b, i, j)
	for at := range missing {
		if len(missing[at]) > 0 || at+recoverySeconds > len(missing) {
			continue
		}
		misses := 0
		for _, m := range missing[at : at+recoverySeconds] {
			if len(m) > 0 {
				misses++
			}
		}
		if misses > recoveryMisses {
			continue
		}
		if h := a.hole(r.To, a.end(i+at+recoverySeconds-1)); h > 0 {
			return fmt.Sprintf("nothing is known of %s after the %s", seconds(h), r.what)
		}
		r.seen = max(a.start[i+at]-r.To, 0)
		took, within := (&moment{axis: a, r: r, before: b, first: i, back: i + at, missing: missing}).find()
		r.Recovered, r.Time, r.Within = true, &took, &within
		return ""
	}
	if h := a.hole(r.To, end); h > 0 {
		return fmt.Sprintf("nothing is known of %s after the %s", seconds(h), r.what)
	}
	if n := calm(missing); n > 0 {
		return fmt.Sprintf("only the last %d s were as before the %s, %d s are needed: watch it for longer", n, r.what, recoverySeconds)
	}
	r.Waiting = lasting(missing)
	return ""
}

// calm returns how many seconds at the end meet the conditions of a recovery but
// for their number; 0 for fewer than three.
func calm(missing [][]string) int {
	best, misses := 0, 0
	for n := 1; n <= min(recoverySeconds-1, len(missing)); n++ {
		if len(missing[len(missing)-n]) > 0 {
			misses++
			continue
		}
		if n >= 3 && misses*recoverySeconds <= n*recoveryMisses {
			best = n
		}
	}
	return best
}

// The conditions of a recovery.
const (
	ofResponse = "response time"
	ofErrors   = "errors"
	ofInFlight = "arrivals in flight"
	ofQueues   = "queue length"
	ofLoad     = "achieved load"
)

// conditions returns for each second what is not as it was before.
func (a *axis) conditions(b normal, i, j int) [][]string {
	inFlight := a.gauge(metrics.InFlight.Name)
	out := make([][]string, j-i)
	for s := i; s < j; s++ {
		var m []string
		due := a.due[s]
		if p := a.response[s]; p.least || p.p95 > b.limit || p.n == 0 && due > 0 {
			m = append(m, ofResponse)
		}
		noise := 3 * math.Sqrt(due*b.errors*(1-b.errors))
		if a.failed[s]+a.dropped[s] > due*(b.errors+moreErrors)+noise {
			m = append(m, ofErrors)
		}
		limit := b.inFlightLimit
		if b.rate > 0 && a.length[s] > 0 {
			limit *= max(1, due/a.length[s]/b.rate)
		}
		if inFlight != nil && inFlight[s] > limit {
			m = append(m, ofInFlight)
		}
		if slices.ContainsFunc(b.queues, func(q queue) bool { return q.values[s] > q.limit }) {
			m = append(m, ofQueues)
		}
		// Those in flight are neither done nor missing.
		slack := 2.0
		if !math.IsNaN(limit) {
			slack = limit
		}
		if a.succeeded[s]+a.failed[s] < 0.99*due-slack {
			m = append(m, ofLoad)
		}
		out[s-i] = m
	}
	return out
}

// lasting returns the conditions that were missed in most of the last seconds.
func lasting(missing [][]string) []string {
	last := missing[max(0, len(missing)-recoverySeconds):]
	var out []string
	for _, name := range []string{ofResponse, ofErrors, ofInFlight, ofQueues, ofLoad} {
		n := 0
		for _, m := range last {
			for _, x := range m {
				if x == name {
					n++
				}
			}
		}
		if 2*n > len(last) {
			out = append(out, name)
		}
	}
	return out
}
