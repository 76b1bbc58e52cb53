package metrics

import (
	"math"
	"slices"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"
)

// durations draws values over the whole range, small ones as often as large.
func durations() *rapid.Generator[[]int64] {
	one := rapid.Custom(func(t *rapid.T) int64 {
		bits := rapid.IntRange(0, 41).Draw(t, "bits")
		return min(rapid.Int64Range(0, 1<<bits).Draw(t, "v"), HighestValue)
	})
	return rapid.SliceOfN(one, 1, 300)
}

func TestBucketsEqualThoseOfHdrHistogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(0, HighestValue).Draw(t, "v")
		h := hdrhistogram.New(LowestValue, HighestValue, SignificantDigits)
		if err := h.RecordValue(v); err != nil {
			t.Fatal(err)
		}
		counts := h.Export().Counts
		if got := bucketIndex(v); counts[got] != 1 {
			t.Fatalf("value %d is in bucket %d, the library's is %d", v, got, slices.Index(counts, 1))
		}
	})
}

func TestBucketBoundsHoldTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(0, HighestValue).Draw(t, "v")
		low, high := bucketBounds(bucketIndex(v))
		if v < low || v > high {
			t.Fatalf("%d is not within its bucket [%d, %d]", v, low, high)
		}
		if v >= 1024 && float64(high-low) > float64(v)/1023 {
			t.Fatalf("bucket [%d, %d] is wider than 0.1 %% of %d", low, high, v)
		}
	})
}

func TestQuantileIsTheRankedValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := durations().Draw(t, "values")
		censored := rapid.Int64Range(0, 50).Draw(t, "censored")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		var h Hist
		for _, v := range values {
			h.Record(v)
		}
		h.Censored = censored
		slices.Sort(values)
		rank := max(int(math.Ceil(q*float64(int64(len(values))+censored)-1e-9*q)), 1)
		got, atLeast, ok := h.Quantile(q)
		if !ok {
			t.Fatal("no quantile of a histogram that holds values")
		}
		if rank > len(values) {
			if !atLeast || got != values[len(values)-1] {
				t.Fatalf("quantile %g falls among the censored: got %d (at least: %v)", q, got, atLeast)
			}
			return
		}
		want := values[rank-1]
		if atLeast || got < want || float64(got) > float64(want)*1.001+1 {
			t.Fatalf("quantile %g = %d (at least: %v), want %d", q, got, atLeast, want)
		}
	})
}

func TestMergedHistogramEqualsOneThatSawEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := durations().Draw(t, "a"), durations().Draw(t, "b")
		var ha, hb, whole Hist
		for _, v := range a {
			ha.Record(v)
			whole.Record(v)
		}
		for _, v := range b {
			hb.Record(v)
			whole.Record(v)
		}
		ha.Merge(&hb)
		if ha.N != whole.N || ha.Min != whole.Min || ha.Max != whole.Max || ha.Sum != whole.Sum {
			t.Fatalf("merged %+v, want %+v", ha, whole)
		}
		for _, q := range []float64{0, 0.5, 0.9, 0.99, 1} {
			x, _, _ := ha.Quantile(q)
			if y, _, _ := whole.Quantile(q); x != y {
				t.Fatalf("quantile %g: merged %d, whole %d", q, x, y)
			}
		}
	})
}

func TestValuesAboveOneHourAreCountedAndExactInMax(t *testing.T) {
	var h Hist
	h.Record(2 * HighestValue)
	if h.Over != 1 || h.N != 1 || h.Max != 2*HighestValue {
		t.Fatalf("got %+v", h)
	}
	if v, _, _ := h.Quantile(0.5); v != 2*HighestValue {
		t.Fatalf("the only value is its own quantile: got %d", v)
	}
}

func TestResetKeepsNothing(t *testing.T) {
	var h Hist
	h.Record(5)
	h.Censored = 3
	h.Reset()
	if !h.Empty() {
		t.Fatalf("not empty: %+v", h)
	}
	h.Buckets(func(i int, n int64) { t.Fatalf("bucket %d still holds %d", i, n) })
}
