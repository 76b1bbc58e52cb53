package run

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestASetUpMayTakeLongAsLongAsItMakesHeadway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := untilStalled(t.Context(), 10*time.Second, func() string {
			// A minute of headway, and nothing afterwards.
			return strconv.Itoa(int(min(time.Since(start), time.Minute) / time.Second))
		})
		defer cancel()
		child, end := context.WithTimeout(ctx, time.Hour)
		defer end()
		<-child.Done()
		if took := time.Since(start); took < 69*time.Second || took > 72*time.Second {
			t.Errorf("it ended after %v, want 10 s after the last headway", took)
		}
		if !errors.Is(child.Err(), context.DeadlineExceeded) {
			t.Errorf("got %v", child.Err())
		}
	})
}

func TestASetUpThatIsInterruptedEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, interrupt := context.WithCancel(t.Context())
		ctx, cancel := untilStalled(parent, 10*time.Second, func() string { return "" })
		defer cancel()
		interrupt()
		<-ctx.Done()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("got %v", ctx.Err())
		}
		synctest.Wait()
	})
}
