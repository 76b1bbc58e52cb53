package scenarios

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPaceBoundsHowFastSeedDataIsLoaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := NewPace(500), time.Now()
		for range 10 {
			if err := p.Wait(t.Context(), 100); err != nil {
				t.Fatal(err)
			}
		}
		// The first tenth of a second's worth is free.
		if took := time.Since(start); took < 1800*time.Millisecond || took > 2*time.Second {
			t.Errorf("1000 took %v, want about 2s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Wait(ctx, 10_000); err == nil {
			t.Error("a wait of 20 s ended well within 1 s")
		}
	})
}

func TestWithoutAPaceNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := (Pace{}).Wait(t.Context(), 1<<40); err != nil || time.Since(start) > 0 {
			t.Errorf("waited %v (%v)", time.Since(start), err)
		}
		if n := NewPace(0).Batch(500); n != 500 {
			t.Errorf("batches of %d", n)
		}
		if n := NewPace(50).Batch(500); n != 5 {
			t.Errorf("batches of %d at 50/s", n)
		}
	})
}
