package run

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/meeting"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/summary"
)

// The shards of a run are one run, cut. The first one sets up what all use, and takes it
// down when all are done; all start at one instant; what they did is counted when none
// does anything any more, each counting its own; and whoever puts their directories
// together judges the whole. They meet for that before the first arrival and after the
// last one, and not in between.

// Handover is what the first shard tells the others of what it set up, by scenario. It
// may hold secrets, for the set-up of a flow may have captured some.
type Handover map[string][]byte

// Shared says what the shards of the run share, "" for nothing: then they need not meet.
func (p *Plan) Shared() string {
	if p.request.Shards < 2 {
		return ""
	}
	return p.shares
}

// Hello is what this shard of the run says of itself to the others.
func (p *Plan) Hello() meeting.Hello {
	h := meeting.Hello{Run: p.id, Shard: p.request.Shard, Shards: p.request.Shards, Version: p.request.Version, Schedule: p.Fingerprint()}
	for _, s := range p.settings {
		if !rundir.OfOneShard(s.Name) {
			h.Settings = append(h.Settings, meeting.Setting{Name: s.Name, Value: s.Value})
		}
	}
	return h
}

// mostHashed is how many arrivals a fingerprint looks at.
const mostHashed = 1 << 17

// Fingerprint tells the run's schedule from others: when its arrivals are due and what
// each does. Machines of two kinds that reckon differently by a nanosecond have two.
func (p *Plan) Fingerprint() string {
	h := sha256.New()
	var info rundir.RunInfo
	p.load(&info)
	for i := range info.Stages {
		info.Stages[i].Planned = 0 // a shard's own
	}
	text, _ := json.Marshal([]any{info.Stages, info.Scenarios}) // of plain values: it has no error
	_, _ = h.Write(text)
	_, _ = fmt.Fprintf(h, "%d %s %d\n", p.request.Seed, p.request.Process, p.schedule.Total())
	c := p.schedule.Cursor(0, 1)
	var b [24]byte
	for range mostHashed {
		a, ok := c.Next()
		if !ok {
			break
		}
		scenario, n := p.mix.At(a.K)
		binary.LittleEndian.PutUint64(b[:], uint64(a.Due))
		binary.LittleEndian.PutUint64(b[8:], uint64(scenario))
		binary.LittleEndian.PutUint64(b[16:], uint64(n))
		_, _ = h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// shared says whether this run is a shard that meets the others.
func (s *Session) shared(p *Plan) bool { return p.request.Shards > 1 && s.Meeting != nil }

// joinOrSetUp sets a scenario up as the first shard does, or as the others.
func (x *Prepared) joinOrSetUp(ctx context.Context, i int) error {
	s := x.scenarios[i]
	if sh, ok := s.(scenarios.Sharer); ok && x.inherited != nil {
		return sh.Join(ctx, x.inherited[x.plan.defs[i].Name])
	}
	return s.Setup(ctx)
}

// greet waits until all shards are there and of one mind, and, but for the first, until
// that one has set up what all use.
func (x *Prepared) greet(ctx context.Context) error {
	s, p := x.session, x.plan
	s.Observer.Step(fmt.Sprintf("waiting for the other %d shards …", p.request.Shards-1), nil)
	defer s.Observer.Idle()
	if err := s.Meeting.Greet(ctx, p.Hello()); err != nil {
		return calledOff(err)
	}
	if p.request.Shard == 0 {
		return nil
	}
	s.Observer.Step("waiting for the first shard's set-up …", nil)
	text, err := s.Meeting.Inherit(ctx)
	if err != nil {
		return calledOff(err)
	}
	x.inherited = Handover{}
	if err := json.Unmarshal(text, &x.inherited); err != nil {
		return fmt.Errorf("what the first shard handed over: %w", err)
	}
	return nil
}

// handOver tells the other shards what was set up here.
func (x *Prepared) handOver(ctx context.Context) error {
	made := Handover{}
	for i, s := range x.scenarios {
		if sh, ok := s.(scenarios.Sharer); ok {
			text, err := sh.HandOver()
			if err != nil {
				return fmt.Errorf("hand over what %s set up: %w", x.plan.defs[i].Name, err)
			}
			made[x.plan.defs[i].Name] = text
		}
	}
	text, err := json.Marshal(made)
	if err != nil {
		return err
	}
	return x.session.Meeting.HandOver(ctx, text)
}

// agreeOnStart says that all is set up here and takes the instant that all agreed on.
func (x *Prepared) agreeOnStart(ctx context.Context) (err error) {
	x.startAt = x.plan.request.StartAt
	if !x.session.shared(x.plan) {
		return nil
	}
	ctx, stop := x.session.interruptible(ctx)
	defer stop()
	// Before the instant is agreed on, for a server may take its time to answer.
	x.probes.First(ctx)
	x.session.Observer.Step("ready; waiting for the other shards …", nil)
	defer x.session.Observer.Idle()
	if x.startAt, err = x.session.Meeting.Start(ctx, x.startAt); err != nil {
		return InterruptedOr(ctx, calledOff(err))
	}
	return nil
}

// calledOff is the error of a run that its shards called off: nothing was sent.
func calledOff(err error) error {
	if !meeting.IsOff(err) {
		return err
	}
	return exitcode.With(exitcode.Unreachable, fmt.Errorf("the run is called off, no shard sent anything: %w", err))
}

// callOff tells the other shards that this one cannot start.
func (s *Session) callOff(p *Plan, err error) {
	if err == nil || !s.shared(p) || meeting.IsOff(err) {
		return
	}
	reason, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n  next:")
	s.Meeting.CallOff(p.request.Secrets.Text(fmt.Sprintf("shard %d: %s", p.request.Shard, reason)))
}

// reachTimeout bounds how long one waits for the other shards at a point of the end,
// beyond the end of the schedule and the graceful stop that each of them has: a shard
// may come to its own end long before the others.
const reachTimeout = 30 * time.Second

// patience is how long the other shards may take to come to a point of the run's end.
func (x *Prepared) patience() time.Duration {
	if x.startAt.IsZero() { // the run did not begin
		return reachTimeout
	}
	return max(time.Until(x.startAt.Add(x.plan.schedule.Duration())), 0) + x.plan.request.GracefulStop + reachTimeout
}

// reach waits for the other shards at a point of the run's end. A shard that is gone is
// warned about, and the rest goes on.
func (x *Prepared) reach(ctx context.Context, p meeting.Point) {
	if !x.session.shared(x.plan) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, x.patience())
	defer cancel()
	gone, err := x.session.Meeting.Reach(ctx, p)
	if err != nil {
		x.session.Observer.Warn(fmt.Sprintf("warning: waiting for the other shards: %v", err))
	}
	for _, n := range gone {
		if !x.gone[n] && p != meeting.Left {
			if x.gone == nil {
				x.gone = map[int]bool{}
			}
			x.gone[n] = true
			text := fmt.Sprintf("warning: shard %d is gone: what it recorded is in its run directory, and perfctl merge will call the run incomplete", n)
			if n == 0 {
				text += "\n  next: perfctl reset removes what it set up for all"
			}
			x.session.Observer.Warn(text)
		}
	}
}

// missOthers says of a shard's run that the whole is not: some of the others are gone.
// What this one recorded is whole, and is merged as such.
func (x *Prepared) missOthers(s *summary.Summary) {
	if len(x.gone) == 0 {
		return
	}
	var text string
	for i, n := range slices.Sorted(maps.Keys(x.gone)) {
		if i > 0 {
			text += ", "
		}
		text += strconv.Itoa(n)
	}
	s.Notes = slices.Insert(s.Notes, 0, fmt.Sprintf("the run is incomplete: of its %d shards these were gone before its end: %s", x.plan.request.Shards, text))
	if s.Verdict != summary.VerdictInterrupted {
		s.Verdict = summary.VerdictIncomplete
	}
	s.ExitCode = exitcode.Worst(s.ExitCode, exitcode.Invalid)
}

// attend goes through the end of a run with the other shards without having offered a
// part of it: what all share stays as long as they use it, and what this shard is to
// count is counted.
func (x *Prepared) attend(ctx context.Context) map[string]*scenarios.Account {
	if !x.session.shared(x.plan) {
		return nil
	}
	ctx, stop := x.session.interruptible(ctx)
	defer stop()
	x.session.Observer.Step("waiting for the end of the other shards …", nil)
	defer x.session.Observer.Idle()
	x.reach(ctx, meeting.Ended)
	m := &measurer{Prepared: x, show: x.session.Observer}
	m.drain(ctx)
	x.reach(ctx, meeting.Drained)
	accounts, _ := m.accounts(ctx)
	x.reach(ctx, meeting.Counted)
	return accounts
}

// mayRun says that shards that share something must meet.
func (s *Session) mayRun(p *Plan) error {
	if p.Shared() == "" || s.Meeting != nil {
		return nil
	}
	return errors.New("the shards of a run that share " + p.Shared() + " have to meet")
}

// StartAt is the instant of the first arrival that was asked for, zero for as soon as
// may be.
func (p *Plan) StartAt() time.Time { return p.request.StartAt }
