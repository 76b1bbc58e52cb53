package scenarios

import (
	"context"

	"golang.org/x/time/rate"
)

// Pace bounds how fast seed data is loaded, so that a set-up does not disturb what
// else a target does, nor fill its caches and logs just before the run. The zero
// Pace bounds nothing.
type Pace struct{ limiter *rate.Limiter }

// NewPace returns a pace of so many rows, keys or messages a second; 0 bounds
// nothing.
func NewPace(perSecond float64) Pace {
	if perSecond <= 0 {
		return Pace{}
	}
	return Pace{rate.NewLimiter(rate.Limit(perSecond), int(max(perSecond/10, 1)))}
}

// Wait returns when n more may be loaded, or with ctx.
func (p Pace) Wait(ctx context.Context, n int) error {
	if p.limiter == nil {
		return ctx.Err()
	}
	for n > 0 {
		some := min(n, p.limiter.Burst())
		if err := p.limiter.WaitN(ctx, some); err != nil {
			return err
		}
		n -= some
	}
	return nil
}

// Batch returns how many are to be loaded at once, most at most.
func (p Pace) Batch(most int) int {
	if p.limiter == nil {
		return most
	}
	return min(most, p.limiter.Burst())
}
