package engine

import (
	"runtime"
	"testing"
	"time"
)

func TestProcessorsAreGivenBack(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	_, undo := holdProcessors(1)
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
	for rate, want := range map[float64]int{0: 1, 100: 1, 10000: 1, 1e9: runtime.NumCPU()} {
		if got := Processors(rate); got != want {
			t.Errorf("%g/s needs %d processors, want %d", rate, got, want)
		}
	}
}

// One processor that works most of the time is joined by another; one that
// mostly waits is not, and a short look is not enough to tell.
func TestBusyProcessorsAreTooFew(t *testing.T) {
	start := time.Now()
	for _, c := range []struct {
		work, window time.Duration
		n            int
		want         bool
	}{
		{60 * time.Millisecond, 100 * time.Millisecond, 1, true},
		{40 * time.Millisecond, 100 * time.Millisecond, 1, false},
		{60 * time.Millisecond, 100 * time.Millisecond, 2, false},
		{10 * time.Millisecond, 10 * time.Millisecond, 1, false},
	} {
		b := busy{used: time.Second, at: start}
		if got := b.tooBusy(time.Second+c.work, start.Add(c.window), c.n); got != c.want {
			t.Errorf("%v of %v on %d processors: too busy is %v", c.work, c.window, c.n, got)
		}
	}
}
