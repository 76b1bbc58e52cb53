package engine

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/profiles"
)

// A user of a closed stage is a goroutine: a loop that waits until its next arrival
// is due, claims a number for it, executes it itself and looks at the clock. Users
// share the count from which they take their numbers, so that these are dense
// whatever the users' speeds. Each has a worker of its own, of every scenario.

// MaxUsers is the most users of one process.
const MaxUsers = 100_000

// Users returns how many users of a schedule are one shard's: those with
// i ≡ shard (mod shards), numbered from 0.
func Users(s *profiles.Schedule, shard, shards int) int {
	return int(ShardTotal(int64(s.MaxUsers()), shard, max(shards, 1)))
}

// Workers returns the bound on Arrival.Worker for a scenario with a bound on its
// arrivals in flight, in one shard of a schedule: the shard's users come first.
func Workers(s *profiles.Schedule, shard, shards, bound int) int {
	users := Users(s, shard, shards)
	if s.Total() == 0 {
		return max(users, 1)
	}
	return users + bound
}

// A StageEnd is why a closed stage ended before its time.
type StageEnd struct {
	// Stage is its number.
	Stage int
	// Reason is what was used up; "" where the stage's iterations were done.
	Reason string
}

// closed is what users share of a closed stage.
type closed struct {
	users *profiles.Users
	// limit is this shard's part of the iterations that end the stage, 0 without;
	// begun counts them.
	limit int64
	begun atomic.Int64
	// over is closed when the stage offers no more, for the reason in end.
	over chan struct{}
	end  atomic.Pointer[StageEnd]
}

// begin claims one of the stage's iterations; false where there are no more.
func (c *closed) begin(stage int) bool {
	if c.limit == 0 {
		return true
	}
	n := c.begun.Add(1)
	if n >= c.limit {
		c.finish(stage, "")
	}
	return n <= c.limit
}

// finish ends the stage; the first reason holds.
func (c *closed) finish(stage int, reason string) {
	if c.end.CompareAndSwap(nil, &StageEnd{stage, reason}) {
		close(c.over)
	}
}

func (c *closed) isOver() bool { return c.end.Load() != nil }

// closedStages returns what users share of every stage, nil for open ones.
func closedStages(cfg *Config) []*closed {
	stages := cfg.Schedule.Stages()
	out := make([]*closed, len(stages))
	for i := range stages {
		u := stages[i].Users
		if u == nil {
			continue
		}
		out[i] = &closed{users: u, over: make(chan struct{})}
		if u.Iterations > 0 {
			// Among the shards that have users.
			if with := min(cfg.Shards, max(u.From, u.To)); cfg.Shard < with {
				out[i].limit = ShardTotal(u.Iterations, cfg.Shard, with)
			}
			if out[i].limit == 0 { // there are fewer iterations than shards
				out[i].finish(i, "")
			}
		}
	}
	return out
}

// crew is the run's users.
type crew struct {
	// claimed counts the numbers taken by users, due those of their arrivals that
	// came due, gone the users that will begin no more; home is closed when that is
	// all of them. present are there now.
	claimed, due, gone, present atomic.Int64
	home                        chan struct{}
	// stopAt is when the first user found that nothing more is to come due, 0 before.
	stopAt atomic.Int64
}

// sendUsers starts every user of this shard.
func (e *Engine) sendUsers() {
	e.crew.home = make(chan struct{})
	if e.users == 0 {
		close(e.crew.home)
		return
	}
	e.dispatchers.Add(e.users)
	for i := range e.users {
		go (&user{Engine: e, number: e.cfg.Shard + i*e.cfg.Shards, worker: i}).live()
	}
}

// awaitUsers returns when no user will begin another arrival: all are gone, or the
// last stage is over, or the run is.
func (e *Engine) awaitUsers(arrivals context.Context) {
	if e.users == 0 {
		return
	}
	over := time.NewTimer(e.cfg.Schedule.Duration() - e.Elapsed())
	defer over.Stop()
	select {
	case <-e.crew.home:
	case <-over.C:
	case <-arrivals.Done():
	case <-e.ctx.Done():
	}
}

// ends returns the closed stages that ended before their time.
func (e *Engine) ends() (out []StageEnd) {
	for _, c := range e.closed {
		if c != nil {
			if end := c.end.Load(); end != nil {
				out = append(out, *end)
			}
		}
	}
	return out
}

// user is one user.
type user struct {
	*Engine
	number, worker int
	begun          int64         // arrivals so far
	free           time.Duration // when it may begin another one, from the run's start
	timer          *time.Timer
	a              work.Arrival
}

// live goes through the times at which the user is there.
func (u *user) live() {
	defer u.dispatchers.Done()
	defer func() {
		if u.crew.gone.Add(1) == int64(u.users) {
			close(u.crew.home)
		}
	}()
	u.timer = time.NewTimer(time.Hour)
	defer u.timer.Stop()
	for _, s := range u.cfg.Schedule.Spans(u.number) {
		if !u.stay(s) {
			return
		}
	}
}

// stay offers the arrivals of one span. It returns false when no more are to come
// due.
func (u *user) stay(s profiles.Span) bool {
	c := u.closed[s.Stage]
	if ok, over := u.attend(s.Start, c.over); over || !ok {
		return ok
	}
	u.crew.present.Add(1)
	defer u.crew.present.Add(-1)
	due := s.First
	for n := int64(0); c.users.PerUser == 0 || n < c.users.PerUser; n++ {
		if c.users.Pace == 0 {
			due = max(due, u.free)
		}
		if u.guide != nil {
			next, ok, guided := u.guide.Next(s.Stage, u.number+1, max(u.Elapsed(), 0))
			if guided && !ok {
				return true
			}
			if guided {
				due = next
			}
		}
		if due >= s.End || c.isOver() {
			return true
		}
		waits := u.Elapsed() < due
		if ok, over := u.attend(due, c.over); over || !ok {
			return ok
		}
		if !c.begin(s.Stage) || !u.once(c, s.Stage, due, waits) {
			return u.panicked.Load() == nil
		}
		u.free = u.Elapsed() + c.users.Pause
		due += c.users.Pace
	}
	return true
}

// once executes one arrival. It returns false where the stage or the run is over.
func (u *user) once(c *closed, stage int, due time.Duration, waited bool) bool {
	l := u.claim(stage, due)
	if l.rations != nil {
		if reason := l.rations.Spent(&u.a); reason != "" {
			c.finish(stage, fmt.Sprintf("%s: %s", l.name, reason))
			return false
		}
	}
	u.crew.due.Add(1)
	l.serve(u.worker, &u.a, waited)
	u.begun++
	return u.panicked.Load() == nil
}

// claim takes the number of the user's next arrival. Those of users come after all
// of the schedule's.
func (u *user) claim(stage int, due time.Duration) *lane {
	k := u.cfg.Schedule.Total()
	k += (int64(u.cfg.Shard)-k%int64(u.cfg.Shards)+int64(u.cfg.Shards))%int64(u.cfg.Shards) +
		(u.crew.claimed.Add(1)-1)*int64(u.cfg.Shards)
	u.mu.Lock()
	i, n := u.cfg.Mix.At(k)
	u.mu.Unlock()
	u.a = work.Arrival{K: k, N: n, Seed: u.cfg.Seed, Due: time.Duration(u.start.Load()) + due, Stage: stage,
		User: u.number + 1, Iteration: u.begun}
	u.a.Trace = u.cfg.Tracing.Of(&u.a)
	return u.lanes[i]
}

// near is how long before an instant a user leaves the runtime's timers, which are
// late by up to a millisecond, for a pacer, of which there are few.
const near = 2 * time.Millisecond

// maxUserPacers is how many users may wait precisely at a time: enough for those
// of 10,000 arrivals a second.
const maxUserPacers = 32

// attend waits until an arrival is due at t, from the run's start. ok is false where
// none is to come due any more, over true where the stage is over before t.
func (u *user) attend(t time.Duration, stageOver <-chan struct{}) (ok, over bool) {
	for {
		left := t - u.Elapsed()
		if left <= 0 {
			return u.comesDue(t), false
		}
		if left <= near {
			select {
			case p := <-u.userPacers:
				p.wait(t + time.Duration(u.start.Load()))
				u.userPacers <- p
				return u.comesDue(t), false
			default:
			}
		}
		if left > near {
			left -= near
		}
		u.timer.Reset(left)
		select {
		case <-u.timer.C:
		case <-stageOver:
			return true, true
		case <-u.arrivals.Done():
			return u.comesDue(t), false
		case <-u.ctx.Done():
			return u.comesDue(t), false
		}
	}
}

// comesDue says whether an arrival due at t was due before the run was stopped.
func (u *user) comesDue(t time.Duration) bool {
	if !u.stopped() {
		return true
	}
	u.crew.stopAt.CompareAndSwap(0, int64(u.Elapsed()))
	return int64(t) < u.crew.stopAt.Load()
}

// serve executes the arrival of a user, who has this worker. waited says that the
// user was waiting when it came due: then its lateness is the generator's own.
func (l *lane) serve(id int, a *work.Arrival, waited bool) {
	l.arrivals.Add(a.Stage, 1)
	now := l.cfg.Clock.Now()
	a.Released = now
	if waited {
		l.lag.Record(a.Stage, now-a.Due)
	}
	defer l.catch(&l.busy[id])
	l.inFlight.Add(1)
	l.attempt(id, a, now)
	l.inFlight.Add(-1)
}
