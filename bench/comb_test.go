package main

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Requests that are late by known amounts come out so, wherever the schedule
// started and whatever its shape, and however the tool numbers its first one.
func TestLatenessIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := shape{rapid.Float64Range(100, 2000).Draw(t, "from"), rapid.Float64Range(100, 2000).Draw(t, "to"), 10}
		start := rapid.Int64Range(0, 1e15).Draw(t, "start")
		phase := rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "phase")
		var times []int64
		for i := range s.total() {
			late := float64(i%100) * 10e3 // 0 to 990 µs, evenly
			times = append(times, start+int64(s.due(float64(i)+phase)*1e9+late))
		}
		got, err := late(times, s, 1)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.p50-500) > 30 || math.Abs(got.p99-990) > 30 {
			t.Fatalf("p50 %.0f p99 %.0f µs, want 500 and 990", got.p50, got.p99)
		}
	})
}

func TestLatenessOfTooFewIsRefused(t *testing.T) {
	if _, err := late(make([]int64, 500), shape{100, 100, 10}, 1); !errors.Is(err, errTooFew) {
		t.Fatalf("got %v", err)
	}
}
