package profiles

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/faults"
)

const brokenProfile = `
name: broken
stages:
  - {name: before, duration: 1m, rate: 10}
  - name: during
    duration: 2m
    rate: 10
    faults:
      - "redis: delay 50ms±20ms at 30s for 20s"
      - {name: db-down, target: postgres, kind: refuse, at: 1m, share: 50%}
`

func TestAFaultMayBeACommandAndTheOneThatUndoesIt(t *testing.T) {
	p, err := Decode("broken.yaml", []byte(brokenProfile+`      - {name: own, target: http, run: "docker pause api", undo: docker unpause api, at: 5s, for: 3s}
`))
	if err != nil {
		t.Fatal(err)
	}
	f := p.Stages[1].Faults[2]
	if f.Kind != faults.Command || f.Run != "docker pause api" || f.Undo != "docker unpause api" || f.For != 3*time.Second || f.Name != "own" {
		t.Errorf("%+v", f)
	}
}

func times(t *testing.T, p *Profile, given ...faults.Fault) string {
	t.Helper()
	list, err := p.Timetable(given)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range list {
		out = append(out, f.Name, f.Start.String(), f.End.String())
	}
	return strings.Join(out, " ")
}

func TestFaultsOfAStageBeginWithIt(t *testing.T) {
	p, err := Decode("broken.yaml", []byte(brokenProfile))
	if err != nil {
		t.Fatal(err)
	}
	given := faults.Fault{Name: "own", Target: "redis", Kind: faults.Reset, At: 5 * time.Second, For: time.Second}
	for _, c := range []struct {
		bend  Bend
		given []faults.Fault
		want  string
	}{
		{Bend{}, nil, "redis-delay 1m30s 1m50s db-down 2m0s 3m0s"},
		{Bend{}, []faults.Fault{given}, "own 5s 6s redis-delay 1m30s 1m50s db-down 2m0s 3m0s"},
		{Bend{TimeScale: 0.1}, []faults.Fault{ScaleFault(given, 0.1)}, "own 500ms 600ms redis-delay 9s 11s db-down 12s 18s"},
		{Bend{Duration: 6 * time.Minute}, nil, "redis-delay 3m0s 3m40s db-down 4m0s 6m0s"},
		{Bend{Users: &Users{From: 3, To: 3}}, nil, "redis-delay 1m30s 1m50s db-down 2m0s 3m0s"},
	} {
		bent, err := p.Bend(c.bend)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, times(t, bent, c.given...)); d != "" {
			t.Errorf("%+v: %s", c.bend, d)
		}
	}
}

func TestFaultsThatAreWrongAreNamedWithTheirPlace(t *testing.T) {
	for text, want := range map[string][]string{
		`- "redis: dely 5ms"`:                              {"broken.yaml:9:9", `did you mean "delay"?`},
		`- {target: redsi, kind: reset}`:                   {"broken.yaml:9:18", `did you mean "redis"?`},
		`- {target: redis, kind: delay}`:                   {"broken.yaml:9:31", "want a time"},
		`- {target: redis}`:                                {"broken.yaml:9:9", "a fault needs its kind, or run and undo"},
		`- {target: redis, run: x}`:                        {"broken.yaml:9:9", "undo, which mends it"},
		`- {target: redis, kind: reset, run: x, undo: y}`:  {"broken.yaml:9:9", "reset has no commands"},
		`- {target: redis, kind: reset, share: 0%}`:        {"broken.yaml:9:45", "is no share"},
		`- {target: redis, kind: reset, at: 3m}`:           {"broken.yaml:5:5", "its fault redis-reset begins after 3m0s"},
		`- {target: redis, kind: reset, name: "no name"}`:  {"broken.yaml:9:44", "is no name"},
		`- {target: redis, kind: reset, at: 5}`:            {"broken.yaml:9:42", "5 has no unit"},
		`- {target: redis, kind: reset, lasts: 5s}`:        {"broken.yaml:9:38", `unknown key "lasts" in a fault`},
		`- {target: redis, kind: "delay 5ms at 3s"}`:       {"broken.yaml:9:31", `unknown word "at"`},
		`- {target: redis, kind: reset, for: -5s, at: 1s}`: {"broken.yaml:9:43", "negative"},
	} {
		head, _, _ := strings.Cut(brokenProfile, `      - "redis`)
		_, err := Decode("broken.yaml", []byte(head+"      "+text+"\n"))
		if err == nil {
			t.Errorf("%s is accepted", text)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: got %v, want %s", text, err, w)
			}
		}
	}
}

func TestResilienceHasEachKindOnEachTargetWithPauses(t *testing.T) {
	_, data, err := configs.Profile("resilience")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Decode("resilience", data)
	if err != nil {
		t.Fatal(err)
	}
	list, err := p.Timetable(nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	ends := map[string]time.Duration{}
	for _, f := range list {
		seen[f.Target+" "+string(f.Kind)]++
		if pause := f.Start - ends[f.Target]; pause < 12*time.Second {
			t.Errorf("%s comes %v after the one before", f.Name, pause)
		}
		ends[f.Target] = f.End
	}
	for _, target := range faults.Targets {
		for _, kind := range faults.Kinds() {
			if seen[target+" "+kind] != 1 {
				t.Errorf("%s on %s comes %d times", kind, target, seen[target+" "+kind])
			}
		}
	}
}
