package hdrlog_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir/hdrlog"
)

// values draws durations over the whole range, small ones as often as large.
func values() *rapid.Generator[[]int64] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) int64 {
		bits := rapid.IntRange(0, 41).Draw(t, "bits")
		return min(rapid.Int64Range(0, 1<<bits).Draw(t, "v"), metrics.HighestValue)
	}), 1, 300)
}

func both(vs []int64, n int64) (*metrics.Hist, *hdrhistogram.Histogram) {
	ours := new(metrics.Hist)
	theirs := hdrhistogram.New(metrics.LowestValue, metrics.HighestValue, metrics.SignificantDigits)
	for _, v := range vs {
		ours.RecordN(v, n)
		_ = theirs.RecordValues(v, n)
	}
	return ours, theirs
}

func buckets(h *metrics.Hist) map[int]int64 {
	m := map[int]int64{}
	h.Buckets(func(i int, n int64) { m[i] = n })
	return m
}

func libraryBuckets(h *hdrhistogram.Histogram) map[int]int64 {
	m := map[int]int64{}
	for i, n := range h.Export().Counts {
		if n != 0 {
			m[i] = n
		}
	}
	return m
}

func TestTheLibraryReadsWhatWeWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ours, theirs := both(values().Draw(t, "values"), rapid.Int64Range(1, 1<<40).Draw(t, "n"))
		var e hdrlog.Encoder
		got, err := hdrhistogram.Decode(e.Append(nil, ours))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(libraryBuckets(theirs), libraryBuckets(got)); d != "" {
			t.Fatalf("counts differ (-recorded +decoded):\n%s", d)
		}
		for _, p := range []float64{50, 90, 99, 99.9, 100} {
			if a, b := theirs.ValueAtPercentile(p), got.ValueAtPercentile(p); a != b {
				t.Fatalf("percentile %g: recorded %d, decoded %d", p, a, b)
			}
		}
	})
}

func TestWeReadWhatTheLibraryWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ours, theirs := both(values().Draw(t, "values"), rapid.Int64Range(1, 1<<40).Draw(t, "n"))
		text, err := theirs.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			t.Fatal(err)
		}
		var d hdrlog.Decoder
		var got metrics.Hist
		if err := d.Decode(text, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(buckets(ours), buckets(&got)); d != "" {
			t.Fatalf("counts differ (-recorded +decoded):\n%s", d)
		}
		if got.N != ours.N {
			t.Fatalf("decoded %d values, want %d", got.N, ours.N)
		}
	})
}

func TestBuffersAreReusedWithoutATrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e hdrlog.Encoder
		var d hdrlog.Decoder
		for range rapid.IntRange(1, 5).Draw(t, "histograms") {
			want, _ := both(values().Draw(t, "values"), 1)
			var got metrics.Hist
			if err := d.Decode(e.Append(nil, want), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(buckets(want), buckets(&got)); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestTheLibraryReadsTheLog(t *testing.T) {
	start := time.Date(2026, 11, 24, 10, 0, 0, 250e6, time.UTC)
	var e hdrlog.Encoder
	log := hdrlog.AppendHeader(nil, start)
	a, wantA := both([]int64{1e6, 2e6, 3e6}, 1)
	b, wantB := both([]int64{5e9}, 7)
	tag := hdrlog.Tag("response_time{scenario:tasks,stage:peak}")
	log = e.AppendInterval(log, tag, 0, time.Second, a)
	log = e.AppendInterval(log, hdrlog.Tag("a b\nc"), time.Second, 1500*time.Millisecond, b)

	r := hdrhistogram.NewHistogramLogReader(bytes.NewReader(log))
	for i, want := range []struct {
		h          *hdrhistogram.Histogram
		tag        string
		start, end time.Duration
	}{
		{wantA, "response_time{scenario:tasks;stage:peak}", 0, time.Second},
		{wantB, "a_b_c", time.Second, 2500 * time.Millisecond},
	} {
		got, err := r.NextIntervalHistogram()
		if err != nil || got == nil {
			t.Fatalf("interval %d: %v, %v", i, got, err)
		}
		if d := cmp.Diff(libraryBuckets(want.h), libraryBuckets(got)); d != "" {
			t.Errorf("interval %d (-want +got):\n%s", i, d)
		}
		if got.Tag() != want.tag {
			t.Errorf("interval %d is tagged %q, want %q", i, got.Tag(), want.tag)
		}
		if s, e := start.Add(want.start).UnixMilli(), start.Add(want.end).UnixMilli(); got.StartTimeMs() != s || got.EndTimeMs() != e {
			t.Errorf("interval %d is of %d to %d, want %d to %d", i, got.StartTimeMs(), got.EndTimeMs(), s, e)
		}
	}
	if got, err := r.NextIntervalHistogram(); got != nil || err != nil {
		t.Fatalf("a third interval: %v, %v", got, err)
	}
	if !strings.Contains(string(log), ",0.000,1.000,3.000,HISTF") {
		t.Errorf("start, length or maximum in milliseconds is missing:\n%s", log)
	}
}

func TestReaderGoesOnAfterABadLine(t *testing.T) {
	var e hdrlog.Encoder
	h, _ := both([]int64{5}, 1)
	log := hdrlog.AppendHeader(nil, time.Unix(0, 0))
	log = e.AppendInterval(log, "one", 0, time.Second, h)
	log = append(log, "Tag=torn,1.0\n"...)
	log = e.AppendInterval(log, "two", time.Second, time.Second, h)
	log = append(log, "Tag=cut,2.000,1.000,0.0,HIST"...)
	r := hdrlog.NewReader(bytes.NewReader(log))
	var got []string
	for {
		iv, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*hdrlog.LineError](err); ok {
			got = append(got, bad.Error())
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(iv.Tag))
	}
	want := []string{"one", "line 6: 1 fields, want start, length, maximum and histogram", "two", "line 8: the line is cut off"}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func TestOtherLayoutsAreRefused(t *testing.T) {
	other := hdrhistogram.New(1000, metrics.HighestValue, 2)
	_ = other.RecordValue(5000)
	text, err := other.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	var d hdrlog.Decoder
	var h metrics.Hist
	if err := d.Decode(text, &h); err == nil || !strings.Contains(err.Error(), "another layout") {
		t.Fatalf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	var e hdrlog.Encoder
	for _, vs := range [][]int64{{0}, {1, 2, 3e6, 4e9}, {metrics.HighestValue}} {
		h, _ := both(vs, 3)
		f.Add(e.Append(nil, h))
	}
	f.Add([]byte("HISTFAAAABN42pNpmSz"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var d hdrlog.Decoder
		var h metrics.Hist
		if err := d.Decode(text, &h); err != nil {
			if !h.Empty() {
				t.Fatalf("an error left %d values behind", h.N)
			}
			return
		}
		var sum int64
		h.Buckets(func(_ int, n int64) { sum += n })
		if sum != h.N {
			t.Fatalf("%d values in the buckets, %d in all", sum, h.N)
		}
		var again metrics.Hist
		var e hdrlog.Encoder
		if err := d.Decode(e.Append(nil, &h), &again); err != nil || cmp.Diff(buckets(&h), buckets(&again)) != "" {
			t.Fatalf("does not survive a round trip: %v", err)
		}
	})
}

func FuzzReader(f *testing.F) {
	var e hdrlog.Encoder
	h, _ := both([]int64{5}, 1)
	f.Add(e.AppendInterval(hdrlog.AppendHeader(nil, time.Unix(1, 0)), "a", 0, time.Second, h))
	f.Add([]byte("Tag=,,,\nTag=x\n1,2,3,4"))
	f.Fuzz(func(t *testing.T, log []byte) {
		r := hdrlog.NewReader(bytes.NewReader(log))
		for range bytes.Count(log, []byte{'\n'}) + 2 {
			iv, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && (iv.Line < 1 || len(iv.Tag) > len(log)) {
				t.Fatalf("impossible interval %+v", iv)
			}
		}
		t.Fatal("more lines than the log has")
	})
}

// second is what one series records in a second at 1000/s.
func second() (*metrics.Hist, *hdrhistogram.Histogram) {
	rng := rand.New(rand.NewPCG(1, 2))
	vs := make([]int64, 1000)
	for i := range vs {
		vs[i] = int64(2e6 * (1 + rng.ExpFloat64()))
	}
	return both(vs, 1)
}

func TestEncodingDoesNotAllocate(t *testing.T) {
	h, _ := second()
	var e hdrlog.Encoder
	buf := e.AppendInterval(nil, "a", 0, time.Second, h)
	if n := testing.AllocsPerRun(100, func() { buf = e.AppendInterval(buf[:0], "a", 0, time.Second, h) }); n != 0 {
		t.Fatalf("%g allocations for each interval", n)
	}
}

func BenchmarkEncode(b *testing.B) {
	h, _ := second()
	var e hdrlog.Encoder
	buf := e.Append(nil, h)
	b.ReportAllocs()
	for b.Loop() {
		buf = e.Append(buf[:0], h)
	}
	b.ReportMetric(float64(len(buf)), "encoded-bytes")
}

func BenchmarkEncodeLibrary(b *testing.B) {
	h, _ := second()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		own := hdrhistogram.New(metrics.LowestValue, metrics.HighestValue, metrics.SignificantDigits)
		h.Buckets(func(i int, c int64) {
			low, _ := metrics.BucketBounds(i)
			_ = own.RecordValues(low, c)
		})
		text, err := own.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			b.Fatal(err)
		}
		n = len(text)
	}
	b.ReportMetric(float64(n), "encoded-bytes")
}

func BenchmarkDecode(b *testing.B) {
	h, _ := second()
	var e hdrlog.Encoder
	text := e.Append(nil, h)
	var d hdrlog.Decoder
	var got metrics.Hist
	b.ReportAllocs()
	for b.Loop() {
		got.Reset()
		if err := d.Decode(text, &got); err != nil {
			b.Fatal(err)
		}
	}
}
