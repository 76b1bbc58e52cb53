package main

import (
	"context"
	"errors"
)

// errInterrupted is the cause of a context that a signal ended.
var errInterrupted = errors.New("interrupted by a signal")

// interruptible returns a context that the first signal ends.
func (w *world) interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-w.signals:
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// twoSignals returns the two nested contexts of a run: the first signal ends
// arrivals, the second ends all. first and second tell the user what happens.
func (w *world) twoSignals(ctx context.Context, first, second func()) (arrivals, all context.Context, stop func()) {
	all, endAll := context.WithCancelCause(ctx)
	arrivals, endArrivals := context.WithCancelCause(all)
	go func() {
		for n := 0; n < 2; n++ {
			select {
			case <-w.signals:
			case <-all.Done():
				return
			}
			if n == 0 {
				first()
				endArrivals(errInterrupted)
				continue
			}
			second()
			endAll(errInterrupted)
		}
	}()
	return arrivals, all, func() { endAll(nil) }
}
