package profiles

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func anyClosedStages() *rapid.Generator[[]Stage] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Stage {
		if rapid.IntRange(0, 4).Draw(t, "open") == 0 {
			return Stage{Name: "open", Duration: time.Second, From: 1, To: 1}
		}
		u := Users{From: rapid.IntRange(0, 20).Draw(t, "from")}
		if u.To = u.From; rapid.Bool().Draw(t, "ramp") || u.From == 0 {
			u.To = rapid.IntRange(1, 20).Draw(t, "to")
		}
		if rapid.Bool().Draw(t, "paced") {
			u.Pace = time.Duration(rapid.IntRange(1, 3).Draw(t, "pace")) * 500 * time.Millisecond
		}
		return Stage{Name: "closed", Duration: time.Duration(rapid.Int64Range(1e8, 5e9).Draw(t, "duration")), Users: &u}
	}), 1, 6)
}

// As many users are there as the line says, rounded, and each once.
func TestUsersFollowTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := Compile(anyClosedStages().Draw(t, "stages"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		at := time.Duration(rapid.Int64Range(0, int64(s.Duration())-1).Draw(t, "at"))
		there := 0
		for i := range s.MaxUsers() {
			var end time.Duration
			for _, sp := range s.Spans(i) {
				if sp.Start < end || sp.Start >= sp.End || sp.First < sp.Start || !s.Closed(sp.Stage) ||
					sp.Start < s.StageStart(sp.Stage) || sp.End > s.StageStart(sp.Stage)+s.stages[sp.Stage].Duration {
					t.Fatalf("user %d has the span %+v after %v", i, sp, end)
				}
				end = sp.End
				if at >= sp.Start && at < sp.End {
					there++
				}
			}
		}
		line := s.UsersAt(at)
		if float64(there) < math.Ceil(line-0.5-1e-6) || float64(there) > math.Floor(line+0.5+1e-6) {
			t.Errorf("%d users at %v, the line is at %g", there, at, line)
		}
		if n := len(s.Spans(s.MaxUsers())); n != 0 {
			t.Errorf("there is one more user than there are: %d spans", n)
		}
	})
}

func TestPacedUsersKeepTheirPaceFromStageToStage(t *testing.T) {
	pace := func(from, to int, pace time.Duration) Stage {
		return Stage{Duration: 5 * time.Second, Users: &Users{From: from, To: to, Pace: pace}}
	}
	s, err := Compile([]Stage{pace(0, 4, 2*time.Second), pace(4, 4, 2*time.Second), pace(4, 4, time.Second)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const sec = time.Second
	want := []Span{
		{0, 1875 * time.Millisecond, 5 * sec, 1875 * time.Millisecond},
		{1, 5 * sec, 10 * sec, 5875 * time.Millisecond},
		{2, 10 * sec, 15 * sec, 10375 * time.Millisecond}, // another pace begins anew
	}
	if d := cmp.Diff(want, s.Spans(1)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestDecodeUsers(t *testing.T) {
	p, err := Decode("p.yaml", []byte(`
name: p
stages:
  - {name: up, duration: 1m, users: {from: 0, to: 50}}
  - {name: hold, duration: 5m, users: 50, pace: 2s}
  - {name: think, duration: 5m, users: 50, pause: 1s}
  - {name: shared, users: 5, iterations: 1000}
  - {name: each, users: 5, duration: 1h, iterations: {per_user: 10}}
  - {name: open, duration: 1m, rate: 10}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []Users
	for _, s := range p.Stages[:5] {
		got = append(got, *s.Users)
	}
	want := []Users{{To: 50}, {From: 50, To: 50, Pace: 2 * time.Second}, {From: 50, To: 50, Pause: time.Second},
		{From: 5, To: 5, Iterations: 1000}, {From: 5, To: 5, PerUser: 10}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := p.Stages[3].Duration; d != DefaultIterationsTime || p.Stages[5].Users != nil {
		t.Errorf("without a duration: %v; the open stage has users: %v", d, p.Stages[5].Users)
	}
	s, err := Compile(p.Stages, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range []struct {
		n     int64
		known bool
	}{{0, false}, {50*150 + 50, true}, {0, false}, {1000, true}, {50, true}, {0, true}} {
		if n, known := s.UserArrivals(i); n != w.n || known != w.known {
			t.Errorf("stage %d has at most %d arrivals, known %v; want %+v", i, n, known, w)
		}
	}
	if s.Total() != 600 || s.MaxUsers() != 50 {
		t.Errorf("%d open arrivals, %d users", s.Total(), s.MaxUsers())
	}
}

func TestBadUsersAreNamed(t *testing.T) {
	for stage, want := range map[string]string{
		"users: 0, duration: 1m":                            "1:",
		"users: -1, duration: 1m":                           "1:",
		"users: 10000000, duration: 1m":                     "1:",
		"users: {from: 0, to: 0}, duration: 1m":             "offer nothing",
		"users: {from: 1}, duration: 1m":                    `needs the key "to"`,
		"users: 5":                                          "neither a duration nor iterations",
		"users: 5, duration: 1m, rate: 5":                   "users and also a rate",
		"users: 5, duration: 1m, burst: 5":                  "also a burst",
		"rate: 5, duration: 1m, pace: 2s":                   "pace, which belongs to users",
		"users: 5, duration: 1m, pace: 2s, pause: 1s":       "give one of them",
		"users: 5, duration: 1m, pace: 0s":                  "leave pace out",
		"users: 5, duration: 1m, iterations: {per_user: 0}": "per_user",
		"users: 5, duration: 0s":                            "duration",
		"users: 5, duration: 1m, pace: 10us":                "at least 1ms",
		"users: many, duration: 1m":                         "many",
		"users: 5, duration: 1m, from: 3, to: 4":            "users: {from: 1, to: 50}",
	} {
		_, err := Decode("p.yaml", []byte("name: p\nstages: [{name: a, "+stage+"}]"))
		if err == nil || !strings.Contains(err.Error(), want) && want != "1:" {
			t.Errorf("%s: %v, want %q", stage, err, want)
		}
	}
}

func TestBendToUsers(t *testing.T) {
	p := &Profile{Name: "p", Rates: []NamedRate{{Name: "base", Value: 1}}, Stages: []Stage{
		{Name: "a", Duration: time.Minute, From: 1, To: 1, FromRate: "base", ToRate: "base"},
		{Name: "b", Duration: 2 * time.Minute, From: 1, To: 1}}}
	u := Users{From: 5, To: 5}
	for _, c := range []struct {
		bend Bend
		want time.Duration
	}{
		{Bend{Users: &u}, 3 * time.Minute},
		{Bend{Users: &u, Duration: 10 * time.Second}, 10 * time.Second},
		{Bend{Users: &u, TimeScale: 0.5}, 90 * time.Second},
		{Bend{Users: &Users{From: 5, To: 5, Iterations: 9}}, DefaultIterationsTime},
	} {
		got, err := p.Bend(c.bend)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Stages) != 1 || got.Stages[0].Duration != c.want || got.Stages[0].Users == nil || len(p.Stages) != 2 {
			t.Errorf("%+v: %+v, want %v", c.bend, got.Stages, c.want)
		}
	}
	rate := 5.0
	if _, err := p.Bend(Bend{Users: &u, Base: &rate}); err == nil {
		t.Error("a rate and users go together")
	}
	if _, err := (&Profile{Stages: []Stage{{Name: "a", Burst: 5}}}).Bend(Bend{Users: &u}); err == nil || !strings.Contains(err.Error(), "duration") {
		t.Errorf("users for no time: %v", err)
	}
}
