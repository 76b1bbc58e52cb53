// Package scripts turns what a k6 script says about its run into a profile and
// rules. It runs nothing: the script itself is the scenario of that name.
package scripts

import (
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/scenarios/script"
	"github.com/perfctl/perfctl/internal/scenarios/script/options"
)

// Is says whether a name is that of a script.
func Is(name string) bool {
	switch filepath.Ext(name) {
	case ".js", ".ts", ".mjs", ".mts", ".cjs":
		return true
	}
	return false
}

// Profile returns the load of a script. A script with one scenario has a stage for
// each of its ramps; one with several has a single stage of users, whom the script
// guides, each in its own scenario.
func Profile(path string, o *options.Options) *profiles.Profile {
	p := &profiles.Profile{
		Name:        name(path),
		Description: "the k6 script " + path,
		Scenarios:   []profiles.Weight{{Scenario: script.Name, Weight: 1}},
		Settings:    []profiles.Setting{{Scenario: script.Name, Key: script.KeyFile, Value: path}},
	}
	if len(o.Scenarios) > 1 {
		p.Stages = guided(o)
	} else {
		p.Stages = stages(&o.Scenarios[0])
	}
	for i := range p.Stages {
		p.Stages[i].Class, p.Stages[i].Judged = profiles.Normal, true
	}
	return p
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// name is the script's name as one of a profile.
func name(path string) string {
	base := filepath.Base(path)
	if n := strings.Trim(unfit.ReplaceAllString(strings.TrimSuffix(base, filepath.Ext(base)), "-"), "-"); n != "" {
		return n
	}
	return script.Name
}

// MaxInFlight is how many iterations may go on at a time by a schedule; 0 where
// there is none.
func MaxInFlight(o *options.Options) int {
	if s := &o.Scenarios[0]; len(o.Scenarios) == 1 && s.Open() {
		return s.MaxVUs
	}
	return 0
}

// GracefulStop is how long what is due may go on, the longest of the scenarios.
func GracefulStop(o *options.Options) (d time.Duration) {
	for i := range o.Scenarios {
		d = max(d, o.Scenarios[i].GracefulStop)
	}
	return d
}

// guided is the stage of a script with several scenarios.
func guided(o *options.Options) []profiles.Stage {
	users, end := 0, time.Duration(0)
	for i := range o.Scenarios {
		s := &o.Scenarios[i]
		users += s.Users()
		end = max(end, s.End())
	}
	return []profiles.Stage{{
		Name: "run", Duration: end, Users: &profiles.Users{From: users, To: users},
		Settings: []profiles.Setting{{Scenario: script.Name, Key: script.KeyRun, Value: script.All}},
	}}
}

// stages are those of one scenario.
func stages(s *options.Scenario) []profiles.Stage {
	var out []profiles.Stage
	if s.StartTime > 0 {
		out = append(out, profiles.Stage{Name: "wait", Duration: s.StartTime})
	}
	users := func(from, to int) *profiles.Users { return &profiles.Users{From: from, To: to} }
	rate := func(n float64) float64 { return n / s.TimeUnit }
	switch s.Executor {
	case options.ConstantVUs:
		return append(out, profiles.Stage{Name: s.Name, Duration: s.Duration, Users: users(s.VUs, s.VUs)})
	case options.SharedIterations:
		u := users(s.VUs, s.VUs)
		u.Iterations = s.Iterations
		return append(out, profiles.Stage{Name: s.Name, Duration: s.Duration, Users: u})
	case options.PerVUIterations:
		u := users(s.VUs, s.VUs)
		u.PerUser = s.Iterations
		return append(out, profiles.Stage{Name: s.Name, Duration: s.Duration, Users: u})
	case options.ConstantArrivalRate:
		return append(out, profiles.Stage{Name: s.Name, Duration: s.Duration, From: rate(s.Rate), To: rate(s.Rate)})
	}
	now := float64(s.StartVUs)
	if s.Executor == options.RampingArrivalRate {
		now = s.Rate
	}
	for i, x := range s.Stages {
		if x.Duration > 0 {
			out = append(out, ramp(s, i, now, x, rate))
		}
		now = x.Target // one of no length is a jump
	}
	return out
}

// ramp is one stage of a scenario that ramps. Where there is nobody, it waits.
func ramp(s *options.Scenario, i int, now float64, x options.Stage, rate func(float64) float64) profiles.Stage {
	st := profiles.Stage{Name: stageName(s, i), Duration: x.Duration}
	switch {
	case s.Executor == options.RampingArrivalRate:
		st.From, st.To = rate(now), rate(x.Target)
	case int(now) > 0 || int(x.Target) > 0:
		st.Users = &profiles.Users{From: int(now), To: int(x.Target)}
	}
	return st
}
