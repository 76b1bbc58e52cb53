package run

import (
	"context"
	"time"
)

// interruptible returns a context that the first signal ends.
func (s *Session) interruptible(ctx context.Context) (context.Context, func()) {
	return Interruptible(ctx, s.Interrupts)
}

// Interruptible returns a context that the first value from interrupts ends, with
// ErrInterrupted as its cause. stop gives it back.
func Interruptible(ctx context.Context, interrupts <-chan struct{}) (out context.Context, stop func()) {
	out, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-interrupts:
			cancel(ErrInterrupted)
		case <-out.Done():
		}
	}()
	return out, func() { cancel(nil) }
}

// twoSignals returns the two nested contexts of a run: the first signal ends
// arrivals, the second ends all.
func (s *Session) twoSignals(ctx context.Context) (arrivals, all context.Context, stop func()) {
	all, endAll := context.WithCancelCause(ctx)
	arrivals, endArrivals := context.WithCancelCause(all)
	go func() {
		for n := 0; n < 2; n++ {
			select {
			case <-s.Interrupts:
			case <-all.Done():
				return
			}
			if n == 0 {
				s.Observer.Say("interrupted: no more arrivals, finishing what is due (once more to end at once)")
				endArrivals(ErrInterrupted)
				continue
			}
			s.Observer.Say("interrupted again: ending at once")
			endAll(ErrInterrupted)
		}
	}()
	return arrivals, all, func() { endAll(nil) }
}

// Pause waits, or returns the interruption that ended the wait.
func (s *Session) Pause(ctx context.Context, d time.Duration) error {
	ctx, stop := s.interruptible(ctx)
	defer stop()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return InterruptedOr(ctx, context.Cause(ctx))
	}
}
