package metrics

import (
	"math"
	"sync/atomic"
	"time"
)

// Trend is the handle of a time's histograms, one for each stage. Record may be
// called from any goroutine; it takes no lock and allocates nothing once the
// values' range has been seen.
type Trend struct {
	series []Series
	cells  []cell
}

// cell is what the workers record into and the collector drains once a second.
// One cell is shared by all workers: an atomic addition costs less than the
// memory of a histogram for each of them, and its buckets spread the traffic.
type cell struct {
	pages    [pageCount]atomic.Pointer[page]
	sum      atomic.Int64
	min, max atomic.Int64 // offset by one so that 0 means none
	over     atomic.Int64
	censored atomic.Int64
	dirty    atomic.Bool
}

type page [pageLen]atomic.Uint32

// Record adds a duration to the stage's histogram. Negative durations count
// as 0. A stage out of range counts for the last one.
func (t *Trend) Record(stage int, d time.Duration) {
	c := t.cell(stage)
	v := max(int64(d), 0)
	c.sum.Add(v)
	if m := c.max.Load(); v+1 > m {
		raise(&c.max, v+1)
	}
	if m := c.min.Load(); m == 0 || v+1 < m {
		lower(&c.min, v+1)
	}
	if v > HighestValue {
		c.over.Add(1)
		v = HighestValue
	}
	i := bucketIndex(v)
	p := c.pages[i>>(subBits-1)].Load()
	if p == nil {
		c.pages[i>>(subBits-1)].CompareAndSwap(nil, new(page))
		p = c.pages[i>>(subBits-1)].Load()
	}
	p[i&(pageLen-1)].Add(1)
	if !c.dirty.Load() {
		c.dirty.Store(true)
	}
}

// Censor adds n values that are only known to exceed every recorded one.
func (t *Trend) Censor(stage int, n int64) {
	c := t.cell(stage)
	c.censored.Add(n)
	c.dirty.Store(true)
}

func (t *Trend) cell(stage int) *cell {
	if uint(stage) >= uint(len(t.cells)) {
		stage = len(t.cells) - 1
	}
	return &t.cells[stage]
}

func raise(a *atomic.Int64, v int64) {
	for m := a.Load(); v > m && !a.CompareAndSwap(m, v); m = a.Load() {
	}
}

func lower(a *atomic.Int64, v int64) {
	for m := a.Load(); (m == 0 || v < m) && !a.CompareAndSwap(m, v); m = a.Load() {
	}
}

// drain moves what was recorded since the last call into h, which must be
// empty. A value recorded meanwhile appears now or in the next call; the sum,
// minimum and maximum of such a value may fall into the other one.
func (c *cell) drain(h *Hist) {
	if !c.dirty.Swap(false) {
		return
	}
	h.Censored = c.censored.Swap(0)
	h.Over = c.over.Swap(0)
	for pi := range c.pages {
		p := c.pages[pi].Load()
		if p == nil {
			continue
		}
		for i := range p {
			if p[i].Load() == 0 {
				continue
			}
			n := int64(p[i].Swap(0))
			h.AddBucket(pi<<(subBits-1)+i, n)
			h.N += n
		}
	}
	sum, low, high := c.sum.Swap(0), c.min.Swap(0), c.max.Swap(0)
	if h.N == 0 {
		// They belong to values whose buckets are not filled yet: an interval
		// without values has no sum to tell.
		c.sum.Add(sum)
		if high != 0 {
			raise(&c.max, high)
		}
		if low != 0 {
			lower(&c.min, low)
		}
		return
	}
	h.Sum = float64(sum)
	h.Min, h.Max = max(low-1, 0), max(high-1, 0)
	h.bound()
}

// bound repairs minimum and maximum where a value was being recorded while the
// cell was drained: its bucket is here and its bounds are in the next interval.
func (h *Hist) bound() {
	if h.N == 0 {
		return
	}
	first, last := -1, -1
	h.Buckets(func(i int, _ int64) {
		if first < 0 {
			first = i
		}
		last = i
	})
	if low, high := bucketBounds(first); h.Min < low || h.Min > high {
		h.Min = low
	}
	if low, high := bucketBounds(last); h.Max < low || h.Max > high && h.Over == 0 {
		h.Max = high
	}
}

// Counter is the handle of a count, one for each stage.
type Counter struct {
	series []Series
	cells  []paddedInt
}

// paddedInt keeps counters that different workers add to on cache lines of
// their own.
type paddedInt struct {
	atomic.Int64
	_ [56]byte
}

// Add adds n to the stage's count.
func (c *Counter) Add(stage int, n int64) {
	if uint(stage) >= uint(len(c.cells)) {
		stage = len(c.cells) - 1
	}
	c.cells[stage].Add(n)
}

// Gauge is the handle of a value that is read, not counted.
type Gauge struct {
	series Series
	bits   atomic.Uint64
	set    atomic.Bool
}

// Set sets the value that the next snapshots show.
func (g *Gauge) Set(v float64) {
	g.bits.Store(math.Float64bits(v))
	g.set.Store(true)
}

// Unset says that there is no reading: the next snapshots leave the gauge out.
func (g *Gauge) Unset() { g.set.Store(false) }

func (g *Gauge) read() (float64, bool) {
	return math.Float64frombits(g.bits.Load()), g.set.Load()
}

// Rate is the handle of a share: how many of all were hits, for each stage.
type Rate struct {
	series []Series
	hits   []paddedInt
	total  []paddedInt
}

// Add counts one, as a hit or not.
func (r *Rate) Add(stage int, hit bool) {
	if uint(stage) >= uint(len(r.total)) {
		stage = len(r.total) - 1
	}
	r.total[stage].Add(1)
	if hit {
		r.hits[stage].Add(1)
	}
}
