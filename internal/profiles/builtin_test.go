package profiles

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/configs"
)

// The built-in profiles offer what the guide says, to the arrival.
func TestBuiltInProfiles(t *testing.T) {
	all := "tasks voting crud cache "
	for name, want := range map[string]struct {
		length    time.Duration
		maxRate   float64
		scenarios string
		stages    []string
		totals    []int64
	}{
		"load": {
			15 * time.Minute, 1000, all,
			[]string{"warm-up normal unjudged", "steady normal", "peak-ramp high", "peak high", "cool-down normal"},
			[]int64{6600, 30000, 33000, 240000, 90900},
		},
		"spike": {
			10 * time.Minute, 500, all,
			[]string{"normal normal", "spike spike", "recovery normal"},
			[]int64{12000, 90000, 30000},
		},
		"soak": {
			30*time.Minute + 30*time.Second, 200, all,
			[]string{"warm-up normal unjudged", "soak normal"},
			[]int64{3000, 360000},
		},
		"resilience": {
			10 * time.Minute, 100, all,
			[]string{"normal normal", "rabbitmq spike unjudged", "postgres spike unjudged", "redis spike unjudged"},
			[]int64{6000, 18000, 18000, 18000},
		},
		"smoke":  {30 * time.Second, 4, all, []string{"smoke normal"}, []int64{120}},
		"tasks":  {0, 0, "tasks ", []string{"burst normal"}, []int64{1000}},
		"voting": {10 * time.Second, 500, "voting ", []string{"voting normal"}, []int64{5000}},
		"crud": {
			25 * time.Second, 1000, "crud ",
			[]string{
				"insert normal crud.mode=single", "multi-row normal crud.mode=multi-row",
				"batch normal crud.mode=batch", "copy normal crud.mode=copy",
			},
			[]int64{10000, 100, 100, 100},
		},
		"cache": {
			20 * time.Second, 500, "cache ",
			[]string{
				"hit-100 normal cache.hit_ratio=1.0", "hit-95 normal cache.hit_ratio=0.95", "hit-90 normal cache.hit_ratio=0.9",
				"hit-75 normal cache.hit_ratio=0.75", "hit-50 normal cache.hit_ratio=0.5",
			},
			[]int64{2000, 2000, 2000, 2000, 2000},
		},
	} {
		t.Run(name, func(t *testing.T) {
			file, data, err := configs.Profile(name)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Decode(file, data)
			if err != nil {
				t.Fatal(err)
			}
			s := compile(t, Options{}, p.Stages...)
			var stages []string
			var totals []int64
			for i, st := range p.Stages {
				line := st.Name + " " + string(st.Class)
				if !st.Judged {
					line += " unjudged"
				}
				for _, set := range st.Settings {
					line += " " + set.Scenario + "." + set.Key + "=" + set.Value
				}
				stages, totals = append(stages, line), append(totals, s.StageTotal(i))
			}
			scenarios := ""
			for _, w := range p.Scenarios {
				scenarios += w.Scenario + " "
			}
			if d := cmp.Diff(want.stages, stages); d != "" {
				t.Errorf("stages (-want +got)\n%s", d)
			}
			if d := cmp.Diff(want.totals, totals); d != "" {
				t.Errorf("arrivals by stage (-want +got)\n%s", d)
			}
			if s.Duration() != want.length || s.MaxRate() != want.maxRate || scenarios != want.scenarios || p.Name != name {
				t.Errorf("%s lasts %v, goes up to %v/s, exercises %s", p.Name, s.Duration(), s.MaxRate(), scenarios)
			}
		})
	}
	if d := cmp.Diff([]string{"load", "spike", "soak", "resilience", "smoke", "tasks", "voting", "crud", "cache"}, configs.Profiles()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if _, _, err := configs.Profile("../embed"); err == nil {
		t.Error("a profile that is none is returned")
	}
}

// The spike jumps: no arrival of it comes at the normal rate's pace.
func TestSpikeJumps(t *testing.T) {
	_, data, err := configs.Profile("spike")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Decode("spike", data)
	if err != nil {
		t.Fatal(err)
	}
	s := compile(t, Options{}, p.Stages...)
	at := walk(s, 0, 1)[11999:12002]
	want := []Arrival{
		{11999, 2*time.Minute - 5*time.Millisecond, 0},
		{12000, 2*time.Minute + time.Millisecond, 1},
		{12001, 2*time.Minute + 3*time.Millisecond, 1},
	}
	if d := cmp.Diff(want, at); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestExampleProfile(t *testing.T) {
	data, err := os.ReadFile("../../configs/examples/profile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Decode("profile.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	if s := compile(t, Options{}, p.Stages...); s.MaxRate() != 400 || s.StageTotal(2) != 72500 {
		t.Errorf("goes up to %v/s, the newsletter has %d arrivals", s.MaxRate(), s.StageTotal(2))
	}
}
