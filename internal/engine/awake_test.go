package engine

import (
	"runtime"
	"testing"
	"time"
)

func TestProcessorsAreGivenBack(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	undo := awake(1)
	if canHold && runtime.GOMAXPROCS(0) != 2 {
		t.Errorf("%d processors, want the one asked for and the one held", runtime.GOMAXPROCS(0))
	}
	// Collections go on while a processor is held: they would wait for it
	// otherwise.
	began := time.Now()
	for range 3 {
		runtime.GC()
	}
	t.Logf("three collections took %v", time.Since(began))
	undo()
	if now := runtime.GOMAXPROCS(0); now != before {
		t.Errorf("%d processors afterwards, %d before", now, before)
	}
}

func TestProcessorsGrowWithTheRate(t *testing.T) {
	for rate, want := range map[float64]int{0: 1, 100: 1, 5000: 1, 1e9: runtime.NumCPU()} {
		if got := Processors(rate); got != want {
			t.Errorf("%g/s needs %d processors, want %d", rate, got, want)
		}
	}
}
