// Package meeting holds what the shards of one run tell each other before the first
// arrival and after the last one: that they are there and of one mind, what the first
// one made for all, when to start, that a run is called off or aborted. A Place is a
// meeting in a folder or at an address; a cluster has one of its own. Nothing here
// knows a schedule, a scenario or a target, and nothing is said between the first
// arrival and the last but an abort.
package meeting

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Meeting is where the shards of a run come together. Its methods are called in the
// order in which they stand here; those that wait end with ctx. An error that is an
// *OffError says that the run was called off before its first arrival.
type Meeting interface {
	// Greet says who this shard is, and returns when all shards have come and agree.
	Greet(ctx context.Context, h Hello) error
	// HandOver tells the other shards what the first one made for all of them. It may
	// hold secrets, for a set-up may have captured some.
	HandOver(ctx context.Context, made []byte) error
	// Inherit waits for what the first shard hands over.
	Inherit(ctx context.Context) ([]byte, error)
	// Start says that all is set up here, and returns the instant of the first
	// arrival, on which all agreed: wish, where it is not zero. It returns before that
	// instant, and as long as all shards are there and ready.
	Start(ctx context.Context, wish time.Time) (time.Time, error)
	// Aborted says whether the run is to end early in all shards, and why. It never
	// waits, and is asked once a second while arrivals come.
	Aborted() (reason string, aborted bool)
	// Reach says that this shard has come to a point of its end, and waits until all
	// have that are still there. gone are the others.
	Reach(ctx context.Context, p Point) (gone []int, err error)
	// CallOff ends the run in all shards before its first arrival. The first reason
	// holds.
	CallOff(reason string)
	// Abort ends the arrivals of all shards. The first reason holds.
	Abort(reason string)
	// Close leaves the meeting.
	Close() error
}

// A Point is one of those of a run's end that all shards come to before any goes on.
type Point string

// The points, in their order.
const (
	// Ended: no arrival comes any more.
	Ended Point = "ended"
	// Drained: what went on after the arrivals is over, too.
	Drained Point = "drained"
	// Counted: what the targets hold was compared with what was done, so that it may
	// be removed.
	Counted Point = "counted"
	// Left: nothing that all shards share is used here any more.
	Left Point = "left"
)

// Hello is what a shard says of itself before the run. Nothing in it is secret.
type Hello struct {
	// Run is the run's identity.
	Run string `json:"run"`
	// Shard of Shards is which part this one offers.
	Shard  int `json:"shard"`
	Shards int `json:"shards"`
	// Version is perfctl's.
	Version string `json:"version"`
	// Schedule tells the times of the arrivals and what each does from all others.
	Schedule string `json:"schedule"`
	// Settings are those that must be the same in all shards, in their order.
	Settings []Setting `json:"settings"`
}

// Setting is a setting with its value as it may be shown.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Differs says in which one thing another shard of the run is not of one mind with h,
// "" where it is.
func (h *Hello) Differs(o *Hello) string {
	say := func(what string, theirs, ours any) string {
		if o.Shard < h.Shard {
			return fmt.Sprintf("shards %d and %d differ: %s is %v and %v", o.Shard, h.Shard, what, theirs, ours)
		}
		return fmt.Sprintf("shards %d and %d differ: %s is %v and %v", h.Shard, o.Shard, what, ours, theirs)
	}
	switch {
	case o.Run != h.Run:
		return say("--run-id", o.Run, h.Run)
	case o.Shards != h.Shards:
		return say("the number of shards", o.Shards, h.Shards)
	case o.Version != h.Version:
		return say("perfctl's version", o.Version, h.Version)
	}
	if name, theirs, ours, ok := FirstDifference(o.Settings, h.Settings); ok {
		return say(name, theirs, ours)
	}
	if o.Schedule != h.Schedule {
		return say("the schedule's fingerprint", o.Schedule, h.Schedule)
	}
	return ""
}

// notGiven stands for the value of a setting that is not there.
const notGiven = "missing"

// FirstDifference returns the first setting in which two lists differ.
func FirstDifference(a, b []Setting) (name, inA, inB string, differ bool) {
	other := make(map[string]string, len(b))
	for _, s := range b {
		other[s.Name] = s.Value
	}
	for _, s := range a {
		v, ok := other[s.Name]
		if !ok {
			v = notGiven
		}
		if v != s.Value {
			return s.Name, quoted(s.Value), quoted(v), true
		}
		delete(other, s.Name)
	}
	for _, s := range b {
		if v, left := other[s.Name]; left {
			return s.Name, notGiven, quoted(v), true
		}
	}
	return "", "", "", false
}

// quoted makes an empty value visible.
func quoted(v string) string {
	if v == "" || len(v) > 200 {
		return fmt.Sprintf("%.200q", v)
	}
	return v
}

// OffError says that a run was called off before its first arrival: no shard sent
// anything.
type OffError struct{ Reason string }

// Error returns the reason.
func (e *OffError) Error() string { return e.Reason }

// off makes an OffError.
func off(format string, args ...any) error { return &OffError{fmt.Sprintf(format, args...)} }

// IsOff says whether an error is that a run was called off.
func IsOff(err error) bool {
	_, ok := errors.AsType[*OffError](err)
	return ok
}
