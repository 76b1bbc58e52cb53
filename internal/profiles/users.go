package profiles

import (
	"fmt"
	"math"
	"time"
)

// MaxUsers is the most users of a closed stage, all shards together.
const MaxUsers = 1_000_000

// Users is what a closed stage has in place of a rate: loops of arrival and
// pause, each by a user who begins the next arrival only when the last is done.
type Users struct {
	// From and To are how many users there are at the start and the end; in
	// between the number changes linearly. User i, from 0, is there while the line
	// is at i+½ or above it.
	From, To int
	// Pace, where it is not 0, gives every user a due time each so long. Without it
	// an arrival is due when its user is free.
	Pace time.Duration
	// Pause is how long a user waits between two arrivals. A paced user does not.
	Pause time.Duration
	// Iterations, where it is not 0, ends the stage after so many arrivals of all
	// users together, PerUser after so many of each.
	Iterations, PerUser int64
	// Guide says in words what guides the users where they do not loop by themselves,
	// as the executors of a script that run side by side; empty where they do.
	Guide string
}

// most is how many users there are at once.
func (u *Users) most() int { return max(u.From, u.To) }

// openEnded says whether how many arrivals there will be depends on how long they
// take, and on nothing else.
func (u *Users) openEnded() bool { return u.Pace == 0 && u.Iterations == 0 && u.PerUser == 0 }

// checkUsers rejects a closed stage that cannot be.
func checkUsers(s *Stage) error {
	u := s.Users
	switch {
	case s.From != 0 || s.To != 0 || s.Burst != 0:
		return fmt.Errorf("stage %q: has users and also a rate or a burst: a stage has one of them", s.Name)
	case u.From < 0 || u.To < 0:
		return fmt.Errorf("stage %q: a number of users must not be negative", s.Name)
	case u.most() == 0:
		return fmt.Errorf("stage %q: 0 users offer nothing: at least 1", s.Name)
	case u.most() > MaxUsers:
		return fmt.Errorf("stage %q: %d users are more than the most, %d", s.Name, u.most(), MaxUsers)
	case u.Pace < 0 || u.Pause < 0:
		return fmt.Errorf("stage %q: a pace and a pause must not be negative", s.Name)
	case u.Pace > 0 && u.Pause > 0:
		return fmt.Errorf("stage %q: a pace says when a user begins again, and so does a pause: give one of them", s.Name)
	case u.Pace > 0 && u.Pace < time.Millisecond:
		return fmt.Errorf("stage %q: a pace of %v: at least 1ms", s.Name, u.Pace)
	case u.Iterations < 0 || u.PerUser < 0 || u.Iterations > MaxArrivals || u.PerUser > MaxArrivals:
		return fmt.Errorf("stage %q: a number of iterations must be between 0 and %d", s.Name, MaxArrivals)
	case u.Iterations > 0 && u.PerUser > 0:
		return fmt.Errorf("stage %q: has iterations of all users and of each: give one of them", s.Name)
	case s.Duration == 0:
		return fmt.Errorf("stage %q: users need time: give a duration", s.Name)
	}
	return nil
}

// Span is when a user is there in one stage.
type Span struct {
	Stage int
	// Start and End are from the start of the run; at End the user is gone, or in
	// the next span.
	Start, End time.Duration
	// First is when the user's first arrival in the span is due at the earliest;
	// with a pace, when it is due, whatever came before.
	First time.Duration
}

// Spans returns when a user is there, in order; users are numbered from 0. A user
// who comes by a ramp begins when the ramp says so. Of users who come all at once,
// those with a pace begin evenly over it, the others at once.
func (s *Schedule) Spans(user int) []Span {
	var out []Span
	for i := range s.stages {
		u := s.stages[i].Users
		if u == nil {
			continue
		}
		sp := Span{Stage: i, Start: s.shapes[i].start, End: s.shapes[i].end}
		place := float64(user) + 0.5 // on the line
		cross := func() time.Duration {
			part := (place - float64(u.From)) / float64(u.To-u.From)
			return sp.Start + time.Duration(math.Ceil(part*float64(sp.End-sp.Start)-1e-3))
		}
		switch {
		case user >= u.most():
			continue
		case user >= u.From:
			sp.Start = cross()
		case user >= u.To:
			sp.End = cross()
		}
		if sp.Start >= sp.End {
			continue
		}
		sp.First = s.first(out, &sp, user)
		out = append(out, sp)
	}
	return out
}

// first returns when a span's first arrival is due.
func (s *Schedule) first(before []Span, sp *Span, user int) time.Duration {
	u := s.stages[sp.Stage].Users
	if u.Pace == 0 || user >= u.From {
		return sp.Start
	}
	if n := len(before); n > 0 {
		last := &before[n-1]
		if last.End == sp.Start && s.stages[last.Stage].Users.Pace == u.Pace {
			return last.First + time.Duration(dues(last, u.Pace))*u.Pace
		}
	}
	return sp.Start + time.Duration(float64(u.Pace)*(float64(user)+0.5)/float64(u.From))
}

// dues is how many due times a paced span has.
func dues(sp *Span, pace time.Duration) int64 {
	if sp.First >= sp.End {
		return 0
	}
	return int64((sp.End - sp.First + pace - 1) / pace)
}

// MaxUsers returns how many users the run has, all shards together: those with
// numbers below it. 0 where no stage is closed.
func (s *Schedule) MaxUsers() (n int) {
	for i := range s.stages {
		if u := s.stages[i].Users; u != nil {
			n = max(n, u.most())
		}
	}
	return n
}

// UsersAt returns how many users there are at t from the start of the run, as the
// line says, fractions included. In an open stage there are none.
func (s *Schedule) UsersAt(t time.Duration) float64 {
	if t < 0 || t >= s.length {
		return 0
	}
	i := s.StageAt(t)
	u, sh := s.stages[i].Users, &s.shapes[i]
	if u == nil {
		return 0
	}
	return float64(u.From) + float64(u.To-u.From)*((t-sh.start).Seconds()/sh.seconds)
}

// Closed says whether stage i is a closed one.
func (s *Schedule) Closed(i int) bool { return s.stages[i].Users != nil }

// UserArrivals returns the most arrivals that the users of stage i can have, all
// shards together; known is false where only the time that they take bounds them.
func (s *Schedule) UserArrivals(i int) (n int64, known bool) {
	u := s.stages[i].Users
	switch {
	case u == nil:
		return 0, true
	case u.openEnded():
		return 0, false
	case u.Iterations > 0:
		n = u.Iterations
	case u.PerUser > 0:
		n = min(u.PerUser, MaxArrivals/int64(u.most())) * int64(u.most())
	default:
		n = MaxArrivals
	}
	if u.Pace > 0 {
		area := float64(u.From+u.To) / 2 * s.stages[i].Duration.Seconds()
		n = min(n, int64(math.Ceil(area/u.Pace.Seconds()))+int64(u.most()))
	}
	return n, true
}
