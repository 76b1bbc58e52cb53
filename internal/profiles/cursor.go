package profiles

import (
	"math"
	"math/rand/v2"
	"time"
)

// Arrival is one unit of offered load.
type Arrival struct {
	// K is its number in the run, all shards together, from 0.
	K int64
	// Due is its due time from the start of the run.
	Due time.Duration
	// Stage is the index of its stage.
	Stage int
}

// Cursor walks through the arrivals of one shard in order of their due times.
// One goroutine uses it.
type Cursor struct {
	s      *Schedule
	k      int64 // the next arrival of this shard
	step   int64
	stage  int
	random rand.PCG
	drawn  int64   // of the stage's rate line: how many due times were drawn
	u      float64 // the last one drawn, as a part of the stage's area
}

// Cursor returns a cursor over the arrivals of one of several shards: those
// with k ≡ shard (mod shards). All shards together have every arrival once,
// at the due time it has without shards. A shard that is not one of 0 …
// shards-1 has no arrivals.
func (s *Schedule) Cursor(shard, shards int) *Cursor {
	c := &Cursor{s: s, k: int64(shard), step: int64(shards)}
	if shard < 0 || shard >= shards {
		c.k, c.step = s.total, 1
	}
	c.enter(0)
	return c
}

// Next returns the next arrival, or false when there is none. It allocates
// nothing. Of a Poisson schedule every shard draws the due times of all, so
// that there its cost grows with the number of shards.
func (c *Cursor) Next() (Arrival, bool) {
	k := c.k
	if k >= c.s.total {
		return Arrival{}, false
	}
	c.k += c.step
	sh := &c.s.shapes[c.stage]
	for k >= sh.first+sh.n {
		c.enter(c.stage + 1)
		sh = &c.s.shapes[c.stage]
	}
	j := k - sh.first - sh.burst // which arrival of the rate line
	due := sh.start
	switch {
	case j < 0: // the burst
	case c.s.options.Process == Poisson:
		due = sh.due(c.draw(j) * sh.area)
	default:
		due = sh.due(sh.lead + float64(j))
	}
	return Arrival{K: k, Due: due, Stage: c.stage}, true
}

func (c *Cursor) enter(stage int) {
	c.stage, c.drawn, c.u = stage, 0, 0
	// The generator does not mix its seeds, and stages have small numbers.
	c.random.Seed(mix64(c.s.options.Seed), mix64(^uint64(stage)))
}

// draw returns the j-th smallest of as many uniform random numbers as the rate
// line of the stage has arrivals. Given the smallest so far, u, the next of the
// m that remain is u + (1-u)·(1 - V^(1/m)) with V uniform (Devroye, Non-Uniform
// Random Variate Generation, 1986, V.3): no sorting, no memory.
func (c *Cursor) draw(j int64) float64 {
	sh := &c.s.shapes[c.stage]
	for n := sh.n - sh.burst; c.drawn <= j; c.drawn++ {
		v := float64(c.random.Uint64()>>11+1) / (1 << 53) // in (0, 1]
		c.u -= (1 - c.u) * math.Expm1(math.Log(v)/float64(n-c.drawn))
	}
	return min(c.u, 1)
}

// due returns the instant at which the stage's area reaches n, rounded up to
// the next nanosecond: never early, and never after the stage's end.
//
// A rising line r + at has the area rt + at²/2, of which t = 2n/(r+√(r²+2an))
// is the inverse that cancels nothing, whatever r and a. A falling line is a
// rising one seen from its end.
func (sh *shape) due(n float64) time.Duration {
	var t float64
	switch {
	case n <= 0:
		return sh.start
	case sh.from == sh.to:
		t = n / sh.from
	case sh.from < sh.to:
		t = rise(sh.from, sh.slope, n)
	case n < sh.area:
		t = sh.seconds - rise(sh.to, sh.slope, sh.area-n)
	default:
		return sh.end
	}
	ns := t * 1e9
	// What is above a whole nanosecond only by the rounding above is whole.
	due := sh.start + time.Duration(math.Ceil(ns-1e-3-ns*4e-16))
	return max(min(due, sh.end), sh.start)
}

func rise(r, slope, n float64) float64 {
	return 2 * n / (r + math.Sqrt(r*r+2*slope*n))
}

// mix64 spreads the bits of x (the finalizer of SplitMix64: Steele, Lea, Flood,
// Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
