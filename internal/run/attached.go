package run

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/rundir"
)

// Named is what is known of a run that somebody else decided: its identity and the name
// of its profile.
type Named struct {
	ID, Profile string
	// AllowTargets are the hosts that figures may be sent to.
	AllowTargets []string
	// AbortOnFail ends it once a rule is missed whatever the rest brings, but not before
	// AbortAfter.
	AbortOnFail bool
	AbortAfter  time.Duration
}

// Plan returns what of the run's plan is known: enough to send its figures somewhere, and
// to attach to it.
func (n Named) Plan() *Plan {
	p := &Plan{id: n.ID}
	p.request.Profile = &profiles.Profile{Name: n.Profile}
	p.request.AllowTargets, p.request.Shards = n.AllowTargets, 1
	p.request.AbortOnFail, p.request.Judging.AbortAfter = n.AbortOnFail, n.AbortAfter
	return p
}

// Attach is Elsewhere for a run that somebody else decided: its plan is read in what its
// shards record.
func (p *Plan) Attach(shards int, show Observer, sinks Sinks, abort func(reason string)) *Elsewhere {
	return newElsewhere(p, shards, show, sinks, abort)
}

// learn takes a part of a shard's run.json, and the plan from it once it is whole.
func (e *Elsewhere) learn(shard int, data []byte) {
	e.told[shard] = append(e.told[shard], data...)
	var info rundir.RunInfo
	if json.Unmarshal(e.told[shard], &info) != nil {
		return // the rest is to come
	}
	e.told = nil
	if err := e.know(&info); err != nil {
		e.blind, e.early = true, nil
		e.show.Warn(fmt.Sprintf("warning: the run cannot be shown while it goes on: %v", err))
		return
	}
	e.open()
}

// know takes the plan from what a shard says of the run.
func (e *Elsewhere) know(info *rundir.RunInfo) error {
	p := e.plan
	r := &p.request
	r.Profile = &profiles.Profile{Name: info.Profile}
	for _, s := range info.Stages {
		r.Profile.Stages = append(r.Profile.Stages, profiles.Stage{
			Name: s.Name, Class: profiles.Class(s.Class), Judged: s.Judged, Duration: seconds(s.Duration), From: s.From, To: s.To, Burst: s.Burst,
			Users: usersOf(s.Users),
		})
	}
	r.Process, r.Seed = profiles.Process(info.Process), info.Seed
	r.Tolerance, r.GracefulStop = seconds(info.Tolerance), seconds(info.GracefulStop)
	var err error
	if p.schedule, err = profiles.Compile(r.Profile.Stages, profiles.Options{Process: r.Process, Seed: r.Seed}); err != nil {
		return err
	}
	whole := *info
	whole.Stages = append([]rundir.StageInfo(nil), info.Stages...)
	for i := range whole.Stages {
		if !whole.Stages[i].OpenEnded { // what a shard says is its own part
			whole.Stages[i].Planned = p.schedule.StageTotal(i)
		}
	}
	e.judge, err = judgeOf(&rundir.Run{Info: whole}, nil, r.Judging.AbortAfter)
	return err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func usersOf(u *rundir.UsersInfo) *profiles.Users {
	if u == nil {
		return nil
	}
	return &profiles.Users{From: u.From, To: u.To, Pace: seconds(u.Pace), Pause: seconds(u.Pause), Iterations: u.Iterations, PerUser: u.PerUser, Guide: u.Guide}
}
