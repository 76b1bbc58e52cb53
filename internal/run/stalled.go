package run

import (
	"context"
	"sync/atomic"
	"time"
)

// stallContext is a context that exceeds its deadline when what it is for makes no
// headway.
type stallContext struct {
	context.Context
	// done is its own: children that found that of the embedded context would take
	// its error as well.
	done    chan struct{}
	stalled atomic.Bool
}

// Done returns a channel that is closed when the context ends.
func (c *stallContext) Done() <-chan struct{} { return c.done }

// Err returns context.DeadlineExceeded for a context that ended because nothing
// went on.
func (c *stallContext) Err() error {
	select {
	case <-c.done:
	default:
		return nil
	}
	if c.stalled.Load() {
		return context.DeadlineExceeded
	}
	return c.Context.Err()
}

// untilStalled returns a context that ends when tell has told the same for limit.
func untilStalled(parent context.Context, limit time.Duration, tell func() string) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancel(parent)
	c := &stallContext{Context: inner, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		tick := time.NewTicker(limit / 20)
		defer tick.Stop()
		told, since := tell(), time.Now()
		for {
			select {
			case <-inner.Done():
				return
			case <-tick.C:
			}
			if now := tell(); now != told {
				told, since = now, time.Now()
			} else if time.Since(since) >= limit {
				c.stalled.Store(true)
				cancel()
				return
			}
		}
	}()
	return c, cancel
}
