// Package scripts turns what a k6 script says about its run into a profile and
// rules, and a plain script into the steps of a flow. It offers no load: the script
// itself is the scenario of that name.
package scripts

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
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

// Profile returns the load of a script: a stage for each of its scenarios, or for each
// ramp of one, in the order of their start. Scenarios that run at the same time share a
// stage of users, whom the script guides, each in its own scenario.
func Profile(path string, o *options.Options) *profiles.Profile {
	p := &profiles.Profile{
		Name:        name(path),
		Description: "the k6 script " + path,
		Scenarios:   []profiles.Weight{{Scenario: script.Name, Weight: 1}},
		Settings:    []profiles.Setting{{Scenario: script.Name, Key: script.KeyFile, Value: path}},
	}
	var at time.Duration
	for _, group := range together(o.Scenarios) {
		if start := group[0].StartTime; start > at {
			p.Stages = append(p.Stages, profiles.Stage{Name: "wait", Duration: start - at})
		}
		list := guided(group)
		if len(group) == 1 {
			list = stages(&group[0])
		}
		for i := range list {
			if len(o.Scenarios) > 1 {
				list[i].Settings = []profiles.Setting{{Scenario: script.Name, Key: script.KeyRun, Value: names(group)}}
			}
		}
		p.Stages = append(p.Stages, list...)
		at = ends(group)
	}
	seen := map[string]int{}
	for i := range p.Stages {
		s := &p.Stages[i]
		s.Class, s.Judged = profiles.Normal, true
		if seen[s.Name]++; seen[s.Name] > 1 {
			s.Name += "-" + strconv.Itoa(seen[s.Name])
		}
	}
	return p
}

// together takes the scenarios, which are in the order of their start, apart into
// those that overlap. How long one goes on at most counts, not how long it takes.
func together(list []options.Scenario) (out [][]options.Scenario) {
	for i := range list {
		if n := len(out); n > 0 && list[i].StartTime < ends(out[n-1]) {
			out[n-1] = append(out[n-1], list[i])
			continue
		}
		out = append(out, list[i:i+1:i+1])
	}
	return out
}

// ends is when the last of some scenarios ends.
func ends(list []options.Scenario) (end time.Duration) {
	for i := range list {
		end = max(end, list[i].End())
	}
	return end
}

// names are those of some scenarios, as the setting that says which a stage runs.
func names(list []options.Scenario) string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].Name
	}
	return strings.Join(out, ",")
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

// maxInFlight is how many iterations may go on at a time by a schedule; 0 where
// there is none. Where scenarios that come one after the other differ, the most of them
// is the bound of all, and the text says so.
func maxInFlight(o *options.Options) (most int, warning string) {
	differ := false
	for _, group := range together(o.Scenarios) {
		if s := &group[0]; len(group) == 1 && s.Open() {
			differ = differ || most > 0 && most != s.MaxVUs
			most = max(most, s.MaxVUs)
		}
	}
	if differ {
		warning = fmt.Sprintf("the script's scenarios have different maxVUs, and one bound holds for all here: %d", most)
	}
	return most, warning
}

// gracefulStop is how long what is due may go on, the longest of the scenarios.
func gracefulStop(o *options.Options) (d time.Duration) {
	for i := range o.Scenarios {
		d = max(d, o.Scenarios[i].GracefulStop)
	}
	return d
}

// guided is the stage of scenarios that run side by side.
func guided(list []options.Scenario) []profiles.Stage {
	users, said := 0, make([]string, len(list))
	for i := range list {
		users += list[i].Users()
		said[i] = words(&list[i])
	}
	return []profiles.Stage{{
		Name: stageOf(list), Duration: ends(list) - list[0].StartTime,
		Users: &profiles.Users{From: users, To: users, Guide: strings.Join(said, ", ")},
	}}
}

// stageOf names the stage of scenarios that run side by side.
func stageOf(list []options.Scenario) string {
	if len(list) > 3 {
		return "run"
	}
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].Name
	}
	return strings.Join(out, "+")
}

// stages are those of one scenario.
func stages(s *options.Scenario) []profiles.Stage {
	var out []profiles.Stage
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
