package faults

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseReadsEveryKind(t *testing.T) {
	for text, want := range map[string]Fault{
		"redis: delay 50ms±20ms at 30s for 20s":      {Name: "redis-delay", Target: "redis", Kind: Delay, Delay: 50 * time.Millisecond, Jitter: 20 * time.Millisecond, Toward: Down, Share: 1, At: 30 * time.Second, For: 20 * time.Second},
		"postgres: delay 1s+-100ms both":             {Name: "postgres-delay", Target: "postgres", Kind: Delay, Delay: time.Second, Jitter: 100 * time.Millisecond, Toward: Both, Share: 1},
		"slow=rabbitmq: bandwidth 100kB/s up":        {Name: "slow", Target: "rabbitmq", Kind: Bandwidth, Rate: 1e5, Toward: Up, Share: 1},
		"http: slow-start 500B/s":                    {Name: "http-slow-start", Target: "http", Kind: SlowStart, Rate: 500, Toward: Both, Share: 1},
		"http@auth: refuse share 30%":                {Name: "http-auth-refuse", Target: "http", Endpoint: "auth", Kind: Refuse, Share: 0.3},
		"http@localhost:3001: reset":                 {Name: "http-localhost-3001-reset", Target: "http", Endpoint: "localhost:3001", Kind: Reset, Share: 1},
		"redis@[::1]:6379: blackhole for 5s":         {Name: "redis----1--6379-blackhole", Target: "redis", Endpoint: "[::1]:6379", Kind: BlackHole, Share: 1, For: 5 * time.Second},
		"redis: half-open at 1m":                     {Name: "redis-half-open", Target: "redis", Kind: HalfOpen, Share: 1, At: time.Minute},
		"redis: cut after 10kB":                      {Name: "redis-cut", Target: "redis", Kind: Cut, Bytes: 10_000, Share: 1},
		"db-cut =  postgres : partition down at 0s ": {Name: "db-cut", Target: "postgres", Kind: Partition, Toward: Down, Share: 1},
	} {
		got, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", text, d)
		}
		again, err := Parse(got.Name + "=" + got.String())
		again.At, again.For = got.At, got.For
		if err != nil || again != got {
			t.Errorf("%s is written %s, which reads as %+v, %v", text, got, again, err)
		}
	}
}

func TestParseSaysWhatIsWrongAndWhere(t *testing.T) {
	for text, want := range map[string]string{
		"":                            `want a target and what is done to it`,
		"redis":                       `want a target`,
		"redi: reset":                 `column 1: unknown target "redi"; did you mean "redis"?`,
		"a=redsi: reset":              `column 3: unknown target "redsi"; did you mean "redis"?`,
		"1a=redis: reset":             `"1a" is no name`,
		"redis: dely 50ms":            `column 8: unknown kind of fault "dely"; did you mean "delay"?`,
		"redis: delay":                `column 13: "" is no time of 0s or more`,
		"redis: delay 50":             `column 14: "50" is no time`,
		"redis: delay 5ms±9ms":        `a jitter of 9ms is more than the delay of 5ms`,
		"redis: delay 0s":             `a delay of 0 is none`,
		"redis: bandwidth 10kB":       `"10kB" has no /s behind it`,
		"redis: bandwidth 0B/s":       `"0B" is no size`,
		"redis: cut NaNkB":            `"NaNkB" is no size`,
		"redis: partition":            `partition needs one direction`,
		"redis: partition both":       `partition needs one direction`,
		"redis: reset up":             `column 14: unknown word "up"`,
		"redis: reset at 30":          `column 17: "30" is no time`,
		"redis: reset for 0s":         `"0s" is no time of 1ms or more`,
		"redis: reset share 130%":     `"130%" is no share of connections`,
		"redis: reset share":          `"" is no share`,
		"redis@: reset":               `want the name or host:port of an endpoint`,
		"redis: reset sometimes at 1": `column 14: unknown word "sometimes"`,
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestTimetable(t *testing.T) {
	fault := func(name string, start, end time.Duration) Timed {
		f := Timed{Fault: Fault{Name: name, Target: "redis", Kind: Reset, Share: 1, Place: name}, Start: start, End: end}
		f.named()
		return f
	}
	got, err := Timetable([]Timed{fault("", 20, 0), fault("own", 10, 15), fault("", 5, 500), fault("", 7, 8)}, 100)
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, f := range got {
		text = append(text, f.Name, f.Start.String(), f.End.String())
	}
	want := "redis-reset-2 5ns 100ns redis-reset-3 7ns 8ns own 10ns 15ns redis-reset 20ns 100ns"
	if d := cmp.Diff(want, strings.Join(text, " ")); d != "" {
		t.Error(d)
	}
	for want, list := range map[string][]Timed{
		"two faults are named own":  {fault("own", 1, 2), fault("own", 3, 4)},
		"the run is over after 100": {fault("own", 100, 0)},
	} {
		if _, err := Timetable(list, 100); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"redis: delay 50ms±20ms at 30s for 20s", "a=http@x:1: cut after 1kB share 3%", "redis: partition up", "=:", "é=redis: reset"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := Parse(text)
		if err != nil {
			return
		}
		b, err := Parse(a.Name + "=" + a.String())
		if err != nil {
			t.Fatalf("%q reads as %+v, written %s, which does not read: %v", text, a, a, err)
		}
		if b.String() != a.String() {
			t.Fatalf("%q is written %s, and then %s", text, a, b)
		}
	})
}

func TestFaultsOfServersAreOnAllOfOne(t *testing.T) {
	for _, kind := range ServerKinds() {
		text := kind
		if Kind(kind) == ConnectionLimit {
			text += " 3"
		}
		for _, target := range Targets {
			f, err := Parse(target + ": " + text + " at 5s for 1s")
			if !slices.Contains(Kind(kind).Servers(), target) {
				if err == nil {
					t.Errorf("%s on %s is accepted", kind, target)
				}
				continue
			}
			if err != nil || !f.Kind.OnServer() || !f.Kind.OnLab() {
				t.Errorf("%s: %+v, %v", kind, f, err)
			}
			for _, text := range []string{target + "@localhost:1: " + text, target + ": " + text + " share 30%", target + ": " + text + " up"} {
				if _, err := Parse(text); err == nil {
					t.Errorf("%s is accepted", text)
				}
			}
		}
	}
	f, err := Parse("redis: flushall at 5s")
	if err != nil || f.For != onceLasts {
		t.Errorf("what is done at once lasts %v: %v", f.For, err)
	}
	for _, text := range []string{"redis: connection-limit", "redis: connection-limit -1", "redis: connection-limit x", "redis: command date"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

func TestACommandHasOneThatUndoesIt(t *testing.T) {
	for want, f := range map[string]Fault{
		"":                      {Target: "http", Kind: Command, Run: "docker pause api", Undo: "docker unpause api"},
		"undo, which mends it":  {Target: "http", Kind: Command, Run: "docker pause api", Undo: " "},
		"neither endpoint":      {Target: "http", Endpoint: "a:1", Kind: Command, Run: "x", Undo: "y"},
		"reset has no commands": {Target: "http", Kind: Reset, Run: "x", Undo: "y"},
	} {
		switch err := f.Complete(); {
		case want == "" && (err != nil || f.Name != "http-command" || f.String() != "http: command docker pause api"):
			t.Errorf("%s, %s: %v", f.Name, f, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
