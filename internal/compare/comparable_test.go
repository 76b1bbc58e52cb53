package compare

import (
	"errors"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/rundir"
)

func TestARunThatCouldNotBeComparedIsKnownBeforeIt(t *testing.T) {
	load := func(users int, mode string) rundir.RunInfo {
		info := rundir.RunInfo{Profile: "load", Scenarios: []rundir.ScenarioShare{{Name: mode, Weight: 1}},
			Stages: []rundir.StageInfo{{Name: "steady", Duration: 60}}}
		if users > 0 {
			info.Stages[0].Users = &rundir.UsersInfo{From: users, To: users}
		}
		return info
	}
	sound := &rundir.Run{Dir: "base", Info: load(10, "api")}
	invalid := &rundir.Run{Dir: "base", Info: load(10, "api"), Outcome: &rundir.Outcome{Verdict: "invalid", Generator: "invalid"}}
	for name, c := range map[string]struct {
		base *rundir.Run
		next rundir.RunInfo
		o    Options
		want string
	}{
		"the same":        {sound, load(10, "api"), Options{}, ""},
		"more users":      {sound, load(50, "api"), Options{}, "10→10 users) and (steady 60s 50→50 users)"},
		"a rate":          {sound, load(0, "api"), Options{}, "not of the same load: stages"},
		"other scenarios": {sound, load(10, "cache"), Options{}, "not of the same load: scenarios"},
		"forced":          {sound, load(50, "api"), Options{Force: true}, ""},
		"INVALID":         {invalid, load(10, "api"), Options{Force: true}, ErrInvalid.Error()},
	} {
		err := Comparable([]*rundir.Run{c.base}, c.next, c.o)
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestWhatCouldNotBeComparedIsInconclusive(t *testing.T) {
	base, next := []*rundir.Run{{Dir: "a"}}, []*rundir.Run{{Dir: "b", Outcome: &rundir.Outcome{Generator: "invalid"}}}
	if _, err := Runs(base, next, Options{}); !errors.Is(err, ErrInvalid) {
		t.Fatalf("compared all the same: %v", err)
	}
	for word, fails := range map[Word]bool{Regressed: false, Inconclusive: true} {
		c := Either(base, next, Options{FailOn: word})
		if c.Word != Inconclusive || c.Fails != fails || !strings.Contains(c.Sentence(), ErrInvalid.Error()) {
			t.Errorf("--fail-on %s: %s, fails %v, %q", word, c.Word, c.Fails, c.Sentence())
		}
	}
}
