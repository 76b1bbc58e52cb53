package stream

import (
	"math"

	"github.com/perfctl/perfctl/internal/metrics"
)

// exponential is a histogram in the form that Prometheus and OpenTelemetry share:
// buckets whose bounds are powers of 2^(2^-scale).
type exponential struct {
	scale int
	// zero counts values of 0, counts those of the bucket with an index: values
	// above base^(index−1) and up to base^index, as Prometheus counts them.
	// OpenTelemetry gives the same bucket the index below.
	zero   uint64
	counts map[int]int64
	// low and high are the lowest and highest index; low > high without values.
	low, high int
}

// exponentialOf returns h, in nanoseconds, at the finest scale up to the given one
// in which its buckets span no more than most indices. unit is what a nanosecond is
// in the result. A cell of h is at most 0.1 % wide and goes whole into the bucket of
// its middle.
func exponentialOf(h *metrics.Hist, unit float64, scale, most int) exponential {
	e := exponential{scale: scale, counts: map[int]int64{}, low: math.MaxInt, high: math.MinInt}
	h.Buckets(func(i int, n int64) {
		low, high := metrics.BucketBounds(i)
		if high == 0 {
			e.zero += uint64(n)
			return
		}
		// The exact bounds of all values are known: no middle lies outside.
		middle := min(max((float64(low)+float64(high))/2, float64(h.Min)), float64(h.Max))
		e.add(indexOf(max(middle, 0.5)*unit, scale), n)
	})
	for e.low <= e.high && e.high-e.low >= most {
		e = e.coarser()
	}
	return e
}

// indexOf returns the index of the bucket that holds v > 0: ⌈log_base v⌉.
func indexOf(v float64, scale int) int {
	return int(math.Ceil(math.Log2(v) * math.Exp2(float64(scale))))
}

func (e *exponential) add(index int, n int64) {
	e.counts[index] += n
	e.low, e.high = min(e.low, index), max(e.high, index)
}

// coarser returns the histogram with each two neighbours merged: (i+1)/2, rounded
// down, is the index at the scale below.
func (e exponential) coarser() exponential {
	out := exponential{scale: e.scale - 1, zero: e.zero, counts: map[int]int64{}, low: math.MaxInt, high: math.MinInt}
	for i, n := range e.counts {
		out.add((i+1)>>1, n)
	}
	return out
}
