package profiles

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/perfctl/perfctl/internal/strictyaml"
)

var noPlaces = cmpopts.IgnoreTypes(strictyaml.Pos{})

func TestDecode(t *testing.T) {
	got, err := Decode("p.yaml", []byte(`
name: mine
description: all there is
stages:  # above the rates they refer to
  - {name: up, duration: 2m, from: start, to: 6000/min, judge: false}
  - name: hold
    duration: 1h30m
    rate: base
    class: high
    burst: 5
    settings: {tasks: {agents: 40, kind: "x"}}
  - {name: end, burst: 7}
rates: {start: 10, base: 100/s}
scenarios: {tasks: 3, cache: 1}
settings:
  tasks: {agents: 20}
  cache: {hit_ratio: 0.90, warm: true}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Profile{
		Name: "mine", Description: "all there is",
		Rates:     []NamedRate{{Name: "start", Value: 10}, {Name: "base", Value: 100}},
		Scenarios: []Weight{{Scenario: "tasks", Weight: 3}, {Scenario: "cache", Weight: 1}},
		Settings: []Setting{
			{Scenario: "tasks", Key: "agents", Value: "20"},
			{Scenario: "cache", Key: "hit_ratio", Value: "0.90"},
			{Scenario: "cache", Key: "warm", Value: "true"},
		},
		Stages: []Stage{
			{Name: "up", Duration: 2 * time.Minute, From: 10, To: 100, FromRate: "start", Class: Normal},
			{
				Name: "hold", Duration: 90 * time.Minute, From: 100, To: 100, FromRate: "base", ToRate: "base",
				Burst: 5, Class: High, Judged: true,
				Settings: []Setting{{Scenario: "tasks", Key: "agents", Value: "40"}, {Scenario: "tasks", Key: "kind", Value: "x"}},
			},
			{Name: "end", Burst: 7, Class: Normal, Judged: true},
		},
	}
	if d := cmp.Diff(want, got, noPlaces); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if at := got.Settings[1].Pos.String(); at != "p.yaml:17:11" {
		t.Errorf("the setting hit_ratio is at %s", at)
	}
}

func TestDecodeTellsEveryProblemAtOnce(t *testing.T) {
	_, err := Decode("p.yaml", []byte(`name: my profile
desc: x
rates: {base: 100, peak: -5, "no name": 1, hot: 1e9}
scenarios: {tasks: 0, cache: 2}
settings:
  task: {agents: 20}
  api: {path: /}
  cache: {hit_ratio: [1]}
stages:
  - {name: a, duration: 120, ratee: base}
  - {name: b, duration: 2m, rate: bsae, class: hihg}
  - {name: c, duration: 2m, from: base}
  - {name: c, duration: 2m, rate: 5, from: 1, to: 2}
  - {name: d, rate: 5}
  - {name: e}
  - {name: f, duration: 2m}
  - {duration: 2000h, rate: base, judge: no, burst: 0}
  - {name: h, duration: 1s, rate: 100/day}
  - {name: i, duration: 1s, rate: {}}
  - 5
  - {name: j, duration: 1s, rate: summit}
`))
	want := strings.TrimSpace(`
p.yaml:1:7: "my profile" is no name: a name is a letter followed by up to 63 letters, digits, - and _
p.yaml:2:1: unknown key "desc" in a profile; it may have name, description, rates, scenarios, settings, stages
p.yaml:3:26: peak: "-5" is negative
p.yaml:3:30: "no name" is no name for a rate: a name is a letter followed by up to 63 letters, digits, - and _
p.yaml:3:49: a rate of 1e+09/s is more than the most that can be asked for, 1e+07/s
p.yaml:4:20: tasks must be a number of 1 … 65536, not 0
p.yaml:6:10: the setting "agents" is for the scenario "task"; did you mean "tasks"?
p.yaml:7:9: the setting "path" is for the scenario "api", which is not among the profile's scenarios: tasks, cache
p.yaml:8:22: hit_ratio must be a single value, not a list
p.yaml:10:25: duration: 120 has no unit: write 120s, 120m or 120h
p.yaml:10:30: unknown key "ratee" in a stage; did you mean "rate"?
p.yaml:11:35: unknown rate "bsae"; did you mean "base"?
p.yaml:11:48: unknown class "hihg": it is normal, high or spike; did you mean "high"?
p.yaml:12:5: stage "c" needs both from and to, or rate for one that does not change
p.yaml:13:5: stage "c" has a rate and also from or to: give rate, or from and to
p.yaml:13:5: another stage, in line 12, is named "c" too
p.yaml:14:5: stage "d" has a rate and no duration
p.yaml:15:5: stage "e" offers nothing: give duration and rate, users, or burst
p.yaml:16:5: stage "f" has no rate: give rate, or from and to (rate: 0 for a pause), or users
p.yaml:17:5: a stage needs the key "name"
p.yaml:17:16: a stage of 2000h0m0s is longer than 1000h0m0s
p.yaml:17:42: judge must be true or false, not the text "no"
p.yaml:17:53: burst must be a number of 1 … 1000000000000, not 0
p.yaml:18:35: rate: "100/day" has an unknown unit: write /s, /min or /h
p.yaml:19:35: rate must be a rate such as 100 (per second) or 6000/min, not a mapping
p.yaml:20:5: a stage must be a mapping of keys to values, not the number 5
p.yaml:21:35: unknown rate "summit": rates has base, peak, no name, hot
`)
	var e *strictyaml.Errors
	if !errors.As(err, &e) {
		t.Fatalf("error is a %T, want *strictyaml.Errors", err)
	}
	if d := cmp.Diff(want, err.Error()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestDecodeRejects(t *testing.T) {
	for _, c := range []struct {
		text, want string
	}{
		{"name: a", `p.yaml:1:1: a profile needs the key "stages"`},
		{"name: a\nstages: []", "p.yaml:2:9: a profile needs at least one stage"},
		{"name: a\nscenarios: {}\nstages: [{name: s, burst: 1}]", "p.yaml:2:12: scenarios names none"},
		{"name: a\nstages: [{name: s, duration: 10s, rate: base}]", `p.yaml:2:41: unknown rate "base": the profile has no rates`},
		{"name: a\nstages: [{name: s, duration: 10s, rate: 0}]", "p.yaml:1:1: profile offers no arrival: the area under its rates is 0 over 10s"},
		{
			"name: a\nstages: [{name: s, duration: 600h, rate: 1}, {name: t, duration: 600h, rate: 1}]",
			`p.yaml:1:1: stage "t": the stages up to here last longer than 1000h0m0s`,
		},
		{
			"name: a\nscenarios: {x: 60000, y: 60001}\nstages: [{name: s, burst: 1}]",
			"p.yaml:2:13: the weights sum to more than 65536: use smaller ones",
		},
		{"name: a\nstages:\n" + strings.Repeat("- {name: s, burst: 1}\n", MaxStages+1), "p.yaml:1003:3: a profile has at most 1000 stages"},
	} {
		_, err := Decode("p.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: error %v, want one with %q", c.text, err, c.want)
		}
	}
}

// What Decode accepts can be scheduled and mixed.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: a\nrates: {base: 5}\nscenarios: {x: 2, y: 4}\nsettings: {x: {k: v}}\nstages:\n" +
		"- {name: s, duration: 1m, from: 0, to: base, class: high, judge: false}\n- {name: t, burst: 3}\n"))
	f.Add([]byte("name: a\nstages: [{name: s, duration: 10m, rate: 5/h, settings: {x: {k: 1}}}]"))
	f.Add([]byte("stages: [[], {}, 0, ~, *a]\n<<: x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode("p.yaml", data)
		if err != nil {
			var e *strictyaml.Errors
			if !errors.As(err, &e) || len(e.Problems) == 0 {
				t.Errorf("error %v is a %T without problems", err, err)
			}
			return
		}
		s, err := Compile(p.Stages, Options{})
		if err != nil {
			t.Fatal(err)
		}
		c := s.Cursor(0, 1)
		for range 100 {
			a, ok := c.Next()
			if ok && (a.Due < 0 || a.Due > s.Duration()) {
				t.Fatalf("%+v is outside of the run, which lasts %v", a, s.Duration())
			}
		}
		if len(p.Scenarios) > 0 {
			if _, err := NewMix(p.Scenarios, 1); err != nil {
				t.Fatal(err)
			}
		}
	})
}
