package work

import (
	"context"
	"time"
)

// Arrival is one unit of offered load. Its numbers decide everything about it,
// so that two runs with one seed offer the same load and the shards of a run
// offer exactly what one process would.
type Arrival struct {
	// K is the arrival's number in the whole run, from 0, over all shards.
	K int64
	// N is how many arrivals of the same scenario precede this one.
	N int64
	// Seed is the run's seed.
	Seed uint64
	// Due is when the arrival was due, on the run's Clock. It never moves.
	Due time.Duration
	// Started is when a worker began to execute it, on the run's Clock.
	Started time.Duration
	// Stage is the number of the profile's stage that the arrival belongs to.
	Stage int
	// Worker is the number of the executing worker, from 0 and below the bound
	// on arrivals in flight of its scenario. State indexed by it needs no lock. A
	// user keeps its worker for the whole run, other users' and open stages'
	// arrivals never have it.
	Worker int
	// User is the number of the user whose arrival this is, from 1, over all shards;
	// 0 for an arrival of an open stage, which is no user's.
	User int
	// Iteration is how many arrivals the user began before this one.
	Iteration int64
	// Released is when it came into a worker's or a queue's hands: from then until
	// Started it waited for a worker.
	Released time.Duration
	// Shared says that it was released together with others, as a tolerance allows: what
	// they ask for may be sent together, too.
	Shared bool
	// Trace is its trace, zero for none.
	Trace TraceID
	// Notes, where it is not nil, is where its operations are noted; see Begin. They
	// are the worker's own.
	Notes *Notes
	// Paused is how long the arrival paused of its own will, as a reader does
	// between two pages: its executor adds to it. It is left out of response and
	// service time. See Pause.
	Paused time.Duration
}

// Pause waits, with ctx, and counts the wait as paused.
func (a *Arrival) Pause(ctx context.Context, c Clock, timer *time.Timer, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	from := c.Now()
	timer.Reset(d)
	select {
	case <-timer.C:
	case <-ctx.Done():
		timer.Stop()
	}
	a.Paused += c.Now() - from
	return ctx.Err()
}

// Random returns the arrival's random 64 bits of the given stream: a pure
// function of (seed, K, stream). It is the finaliser of SplitMix64 (Steele,
// Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
// 2014) over the mixed inputs.
func (a *Arrival) Random(stream uint64) uint64 {
	return Mix(a.Seed, uint64(a.K), stream)
}

// Uniform returns the stream's random number in [0, 1).
func (a *Arrival) Uniform(stream uint64) float64 {
	return Unit(a.Random(stream))
}

// Unit makes a number in [0, 1) of 64 uniform bits.
func Unit(bits uint64) float64 { return float64(bits>>11) * 0x1p-53 }

// Mix hashes a seed, a number and a stream to 64 uniform bits.
func Mix(seed, n, stream uint64) uint64 {
	return finalise(finalise(seed+0x9e3779b97f4a7c15*(n+1)) ^ (0xd1342543de82ef95 * (stream + 1)))
}

func finalise(z uint64) uint64 {
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// Clock is the run's monotonic clock: the time since its origin. Wall-clock
// jumps do not move it.
type Clock struct{ origin time.Time }

// NewClock returns a clock whose origin is now.
func NewClock() Clock { return Clock{origin: time.Now()} }

// Now returns the time since the origin.
func (c Clock) Now() time.Duration { return time.Since(c.origin) }

// Time returns the wall-clock instant of a reading, for display only.
func (c Clock) Time(d time.Duration) time.Time { return c.origin.Add(d) }
