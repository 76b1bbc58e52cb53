package metrics

import "math"

// Hist is a histogram of durations in nanoseconds, for one goroutine. The
// zero value is an empty histogram. Its memory grows with the span of values,
// 8 KiB for each doubling that occurs, and never with their number.
type Hist struct {
	pages [pageCount]*[pageLen]int64
	// N is how many values were recorded, Over of them above HighestValue (they
	// count as HighestValue in quantiles).
	N, Over int64
	// Censored is how many values are only known to lie above every recorded
	// one: arrivals that were dropped, timed out or did not finish. They are
	// not part of N.
	Censored int64
	// Sum, Min and Max are exact, in nanoseconds; Min and Max are meaningless
	// while N is 0.
	Sum      float64
	Min, Max int64
}

// Record adds one value. Negative values count as 0.
func (h *Hist) Record(v int64) { h.RecordN(v, 1) }

// RecordN adds a value n times.
func (h *Hist) RecordN(v, n int64) {
	v = max(v, 0)
	if h.N == 0 || v < h.Min {
		h.Min = v
	}
	if h.N == 0 || v > h.Max {
		h.Max = v
	}
	h.N += n
	h.Sum += float64(v) * float64(n)
	if v > HighestValue {
		h.Over += n
		v = HighestValue
	}
	h.AddBucket(bucketIndex(v), n)
}

// AddBucket adds n to bucket i and nothing else: it is for readers of a stored
// histogram, which set N, Sum, Min and Max themselves.
func (h *Hist) AddBucket(i int, n int64) {
	p := h.pages[i>>(subBits-1)]
	if p == nil {
		p = new([pageLen]int64)
		h.pages[i>>(subBits-1)] = p
	}
	p[i&(pageLen-1)] += n
}

// Buckets calls f for each non-empty bucket with rising index.
func (h *Hist) Buckets(f func(index int, count int64)) {
	for pi, p := range h.pages {
		if p == nil {
			continue
		}
		for i, c := range p {
			if c != 0 {
				f(pi<<(subBits-1)+i, c)
			}
		}
	}
}

// BucketBounds returns the lowest and the highest value, in nanoseconds, that
// bucket i stands for.
func BucketBounds(i int) (low, high int64) { return bucketBounds(i) }

// Merge adds the values of o.
func (h *Hist) Merge(o *Hist) {
	h.Censored += o.Censored
	if o.N == 0 {
		return
	}
	if h.N == 0 || o.Min < h.Min {
		h.Min = o.Min
	}
	if h.N == 0 || o.Max > h.Max {
		h.Max = o.Max
	}
	h.N += o.N
	h.Over += o.Over
	h.Sum += o.Sum
	for pi, p := range o.pages {
		if p == nil {
			continue
		}
		if h.pages[pi] == nil {
			h.pages[pi] = new([pageLen]int64)
		}
		q := h.pages[pi]
		for i, c := range p {
			q[i] += c
		}
	}
}

// Reset empties the histogram and keeps its memory.
func (h *Hist) Reset() {
	for _, p := range h.pages {
		if p != nil {
			clear(p[:])
		}
	}
	*h = Hist{pages: h.pages}
}

// Empty says whether nothing was recorded, censored values included.
func (h *Hist) Empty() bool { return h == nil || h.N == 0 && h.Censored == 0 }

// Mean returns the mean of the recorded values in nanoseconds, NaN without any.
func (h *Hist) Mean() float64 {
	if h.N == 0 {
		return math.NaN()
	}
	return h.Sum / float64(h.N)
}

// Carries says whether the values, censored ones included, are enough to tell the
// quantile q: one of them must lie above it.
func (h *Hist) Carries(q float64) bool {
	// The small addend keeps rounding from asking for one more.
	return float64(h.N+h.Censored)*(1-q)+1e-9 >= 1
}

// Quantile returns the value, in nanoseconds, that the share q of all values
// does not exceed: the ⌈q·n⌉-th smallest, n counting the censored ones too.
// Where that falls among the censored values, atLeast is true and the value is
// the largest recorded one: the quantile is known to be no smaller. ok is
// false for an empty histogram. The value is the highest of its bucket (at
// most 0.1 % too high), within the exact minimum and maximum.
func (h *Hist) Quantile(q float64) (v int64, atLeast, ok bool) {
	total := h.N + h.Censored
	if total == 0 {
		return 0, false, false
	}
	v, atLeast = h.AtRank(QuantileRank(total, q))
	return v, atLeast, true
}

// QuantileRank is the rank, from 1, of the quantile q of n values: ⌈q·n⌉.
func QuantileRank(n int64, q float64) int64 {
	// The subtraction keeps q·n that is whole from being pushed over by rounding.
	return max(int64(math.Ceil(q*float64(n)-1e-9*q)), 1)
}

// AtRank returns the rank-th smallest value in nanoseconds, from 1 and the censored
// ones counted, as Quantile returns it. Of an empty histogram it is 0.
func (h *Hist) AtRank(rank int64) (v int64, atLeast bool) {
	if rank > h.N {
		if h.N == 0 {
			return 0, true
		}
		return h.Max, true
	}
	if rank == h.N {
		return h.Max, false
	}
	var seen int64
	for pi, p := range h.pages {
		if p == nil {
			continue
		}
		for i, c := range p {
			if seen += c; seen >= rank {
				return h.shown(pi<<(subBits-1) + i), false
			}
		}
	}
	return h.Max, false
}

// shown is the value that bucket i is shown as.
func (h *Hist) shown(i int) int64 {
	_, high := bucketBounds(i)
	return min(max(high, h.Min), h.Max)
}

// CountOf counts the recorded values of which ok holds, each as AtRank returns it;
// censored ones are not recorded.
func (h *Hist) CountOf(ok func(v int64) bool) (n int64) {
	h.Buckets(func(i int, count int64) {
		if ok(h.shown(i)) {
			n += count
		}
	})
	return n
}
