package capacity_test

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
)

// queue is a simulated target whose capacity is known: servers that take a
// service time each, and a queue before them. Time in it is simulated.
type queue struct {
	servers int
	service float64 // mean seconds
	// random makes service times exponential and arrivals a Poisson process.
	random bool
	// bound is how many may wait; more are refused. 0 for no bound.
	bound int
	// p95 is the target of response time in seconds.
	p95 float64
	rng *rand.Rand
	// noisy is the share of trials that break whatever the load.
	noisy float64
	// generator is the rate that the generator can offer, 0 for any.
	generator float64
	asked     []capacity.Ask
}

func (q *queue) capacity() float64 { return float64(q.servers) / q.service }

type ends []float64

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i] < e[j] }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(v any)        { *e = append(*e, v.(float64)) }
func (e *ends) Pop() any {
	old := *e
	v := old[len(old)-1]
	*e = old[:len(old)-1]
	return v
}

// warmUp is offered before each trial, in seconds, as perfctl does.
const warmUp = 1.0

// run offers a constant rate to the queue and judges it as a run is judged.
func (q *queue) run(a capacity.Ask) (capacity.Trial, error) {
	q.asked = append(q.asked, a)
	length := a.Length.Seconds()
	t := capacity.Trial{Outcome: capacity.Held, Took: length + warmUp}
	if q.generator > 0 && a.Rate > q.generator {
		t.Outcome = capacity.Invalid
		return t, nil
	}
	var free ends
	for range q.servers {
		heap.Push(&free, 0.0)
	}
	var due, done, response []float64
	refused, offered := 0, 0
	at := 0.0
	for k := 0; ; k++ {
		if q.random {
			at += q.rng.ExpFloat64() / a.Rate
		} else {
			at = (float64(k) + 0.5) / a.Rate
		}
		if at > warmUp+length {
			break
		}
		if at > warmUp {
			offered++
		}
		start := max(at, heap.Pop(&free).(float64))
		if q.bound > 0 && start-at > float64(q.bound)*q.service/float64(q.servers) {
			heap.Push(&free, start)
			refused++
			continue
		}
		service := q.service
		if q.random {
			service *= q.rng.ExpFloat64()
		}
		heap.Push(&free, start+service)
		due, done = append(due, at), append(done, start+service)
		if at > warmUp {
			response = append(response, start+service-at)
		}
	}
	q.judge(&t, a, due, done, response, refused, offered)
	return t, nil
}

func (q *queue) judge(t *capacity.Trial, a capacity.Ask, due, done, response []float64, refused, offered int) {
	slices.Sort(response)
	slices.Sort(done)
	breach := func(rule, actual string) {
		t.Outcome = capacity.Broke
		t.Breaches = append(t.Breaches, capacity.Breach{Rule: rule, Actual: actual})
	}
	if float64(refused) > 0.001*float64(offered) {
		breach("error rate", "too high")
	}
	if n := len(response); n > 0 {
		p95 := response[min(int(0.95*float64(n)), n-1)] * 1e3
		t.Load.P95 = &p95
		if p95 > q.p95*1e3 {
			breach("P95 response time", "too long")
		}
	}
	var samples []capacity.Sample
	end := warmUp + a.Length.Seconds()
	for s := 0.0; s < end; s += 0.05 {
		samples = append(samples, capacity.Sample{At: s, Backlog: float64(before(due, s) - before(done, s))})
	}
	if b, ok := capacity.MeasureBacklog(samples, warmUp, end); ok {
		t.Load.Concurrency = min(b.Mean, float64(q.servers))
		t.Load.Achieved = a.Rate - max(b.Growth, 0)/a.Length.Seconds()
		if !b.Sustained(a.Rate * a.Length.Seconds()) {
			breach("keeps up", "the backlog grows")
		}
	}
	if q.noisy > 0 && q.rng.Float64() < q.noisy {
		breach("noise", "a stall")
	}
}

// before is how many of the sorted instants are no later.
func before(sorted []float64, at float64) int {
	i, _ := slices.BinarySearch(sorted, math.Nextafter(at, math.Inf(1)))
	return i
}

func config() capacity.Config {
	return capacity.Config{Start: 50, Precision: 0.05, Trial: 10 * time.Second, MaxTime: 30 * time.Minute}
}
