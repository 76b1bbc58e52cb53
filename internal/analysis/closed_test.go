package analysis

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

func users(name string, judged bool, duration float64, from, to int, pause float64) rundir.StageInfo {
	return rundir.StageInfo{Name: name, Class: "normal", Judged: judged, Duration: duration, OpenEnded: true, Users: &rundir.UsersInfo{From: from, To: to, Pause: pause}}
}

// pool is a system that does so many arrivals at once, each in 20 ms: with more users
// they wait for each other.
func pool(stages []rundir.StageInfo, atOnce float64) system {
	at := func(t float64) *rundir.StageInfo {
		for i := range stages {
			if t < stages[i].Start+stages[i].Duration {
				return &stages[i]
			}
		}
		return &stages[len(stages)-1]
	}
	return system{stages: stages, seed: 5, noise: 0.05, phi: 0.4,
		slow:  func(t float64) float64 { return 20 * max(1, usersAt(at(t), t)/atOnce) },
		rules: map[string]string{"P95": "response_time: p(95) < 100ms"}}
}

func TestTheUsersAtWhichARuleFirstBreaksAreFound(t *testing.T) {
	stages := steps(users("warm-up", false, 20, 0, 10, 0), users("ten", true, 40, 10, 10, 0), users("up", true, 100, 10, 110, 0), users("down", true, 20, 110, 0, 0))
	a := pool(stages, 25).analyse(t)
	if len(a.Levels) != 11 {
		t.Fatalf("%d levels, want the first stage and ten parts of the ramp", len(a.Levels))
	}
	for i, l := range a.Levels {
		if want := 10 + max(0, float64(i)*10-5); l.Users == nil || math.Abs(*l.Users-want) > 1 || l.P95 == nil {
			t.Errorf("level %d has %v users, want %g; P95 %v", i, *l.Users, want, l.P95)
		}
	}
	// P95 is twice the mean: 100 ms are reached where 20 ms × users ÷ 25 is 50 ms.
	if len(a.Breaks) != 1 || a.Breaks[0].Users == nil || math.Abs(*a.Breaks[0].Users-65) > 11 || a.Breaks[0].HeldUsers == nil || *a.Breaks[0].HeldUsers >= *a.Breaks[0].Users {
		t.Fatalf("%+v", a.Breaks)
	}
	text := strings.Join(a.Sentences, " ")
	if !strings.Contains(text, `first rule to break on the way up was "P95"`) || !strings.Contains(text, " users (") {
		t.Errorf("the sentences do not say at how many users: %s", text)
	}
	i := slices.IndexFunc(a.Findings, func(f Finding) bool { return f.ID == "saturation" })
	if i < 0 {
		t.Fatalf("users who only wait are no finding: %v", found(a))
	}
	if v := a.Findings[i].Evidence.Values; v["users"] < 25 || v["users"] > 55 || v["users_before"] > 30 {
		t.Errorf("the system does no more from 25 users on: %v", v)
	}
}

func TestUsersThatASystemHoldsAreNoFinding(t *testing.T) {
	stages := steps(users("up", true, 60, 1, 40, 1), users("there", true, 60, 40, 40, 1))
	a := pool(stages, 100).analyse(t)
	if len(a.Findings) > 0 || len(a.Breaks) > 0 {
		t.Errorf("%v, %+v", found(a), a.Breaks)
	}
	if text := strings.Join(a.Sentences, " "); !strings.Contains(text, "No rule of the SLA was broken on the way up from 3 users") || !strings.Contains(text, "40 users") {
		t.Errorf("%s", text)
	}
}

func TestOneUserForLongIsLookedAtForADrift(t *testing.T) {
	y := pool(steps(users("soak", true, 400, 1, 1, 0.1)), 5)
	y.slow = func(t float64) float64 { return 20 + t/4 }
	a := y.analyse(t)
	if !slices.ContainsFunc(a.Drift, func(d Drift) bool { return d.Group == GroupLatency && d.Drifts }) {
		t.Errorf("no drift of latency: %+v", a.Drift)
	}
	if len(a.Steady) != 1 {
		t.Errorf("the stage is not looked at for its steady state: %+v", a.Steady)
	}
}

func TestRatesAndUsersAreNotComparedWithEachOther(t *testing.T) {
	stages := steps(stage("open", "normal", true, 30, 50, 50), users("closed", true, 30, 100, 100, 1))
	a := system{stages: stages}.analyse(t)
	if len(a.Levels) != 1 || a.Levels[0].Users != nil {
		t.Errorf("%+v", a.Levels)
	}
}

// A stage whose iterations are used up is over before its time; its last reading of users
// is taken when they have gone.
func TestUsersWhoMadeArrivalsWereThere(t *testing.T) {
	stages := steps(users("all", true, 1, 3, 3, 0))
	y := pool(stages, 100)
	y.gauges = map[metrics.Desc]func(float64) float64{metrics.Users: func(float64) float64 { return 0 }}
	a := y.analyse(t)
	if len(a.Levels) != 1 || a.Levels[0].Users == nil || *a.Levels[0].Users != 3 {
		t.Fatalf("%+v", a.Levels)
	}
	if text := strings.Join(a.Sentences, " "); strings.Contains(text, "on the way up") {
		t.Errorf("three users all along are no way up: %s", text)
	}
}
