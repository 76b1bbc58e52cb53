// Package work holds the contract between the engine and what it drives: the
// arrival, the executor and the kinds of failure. It holds no engine and no
// scenario; both sides import it and it imports neither.
package work

import (
	"context"
	"time"
)

// Executor executes arrivals. The engine calls Do from several workers at
// once, never twice at a time with the same Arrival.Worker.
type Executor interface {
	// Do executes one arrival and returns when it is done. A nil error means
	// that the arrival succeeded. ctx ends when the run may wait no longer: an
	// arrival that is then still not done counts as unfinished. The arrival is
	// the worker's own and must not be kept after Do returns.
	Do(ctx context.Context, a *Arrival) error
}

// Func adapts a function to an Executor.
type Func func(ctx context.Context, a *Arrival) error

// Do calls f.
func (f Func) Do(ctx context.Context, a *Arrival) error { return f(ctx, a) }

// Guide is an Executor, found by type assertion, that decides itself when the
// arrivals of its users are due. It guides only where it is a run's only scenario.
type Guide interface {
	// Next returns when the next arrival of a user, numbered from 1, is due in a
	// stage, from the run's start; now is the time since then. It does not wait. ok is
	// false where the user has nothing more to do in the stage. guided is false for a
	// stage that it leaves to the schedule.
	Next(stage, user int, now time.Duration) (due time.Duration, ok, guided bool)
}

// Rationed is an Executor, found by type assertion, of which every arrival uses up
// something that the run brought a number of, such as rows to be used once each.
type Rationed interface {
	// Spent says, of an arrival that is about to begin, what is used up and where it
	// came from; "" where there is enough. Such an arrival is not begun, and its stage
	// offers no more. It is asked for arrivals of users only: how many others there
	// are is known before a run. a.Worker and a.Started are not set yet.
	Spent(a *Arrival) string
}
