package template

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func fields(vars ...string) *Fields {
	n := &Names{}
	for _, v := range vars {
		n.Declare(v)
	}
	return &Fields{Names: n, Arrivals: &Arrivals{Run: "abc", Clock: work.NewClock(), Stages: []string{"warm", "peak"},
		Setting: func(name string) (string, bool) { return "s3cret", name == "TOKEN" }}}
}

func render(t *testing.T, f *Fields, text string, s *Scope) string {
	t.Helper()
	c, err := f.Compile(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out, err := c.Append(nil, s)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(out)
}

func TestFieldsOfAnArrival(t *testing.T) {
	s := &Scope{Arrival: &work.Arrival{K: 70, N: 7, Seed: 3, Stage: 1, Worker: 2}}
	for text, want := range map[string]string{
		"":                         "",
		"plain { text } }}":        `plain \{ text \} \}\}`,
		"{{n}}-{{ k }}-{{worker}}": "7-70-2",
		"{{run}} {{stage}}":        "abc peak",
		"{{env TOKEN}}":            "s3cret",
		"{{random 5 5}}":           "5",
		"{{random 1 3}}":           "[123]",
		"{{random}}":               `\d+`,
		"{{float 2 3}}":            `2\.\d+`,
		"{{key 10 zipf}}":          `\d`,
		"{{uuid}}":                 `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`,
		"{{hex 12}}":               `[0-9a-f]{12}`,
		"{{text 9}}":               `[a-zA-Z0-9]{9}`,
		"{{choice red green}}":     `red|green`,
		"{{fill 4}}":               "xxxx",
		"{{now}}":                  `2\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`,
		"{{now_ms}} {{due_ms}}":    `\d{13} \d{13}`,
		"{{run | upper | base64}}": "QUJD",
	} {
		if got := render(t, fields(), text, s); !regexp.MustCompile("^(?:" + want + ")$").MatchString(got) {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestRandomFieldsFollowFromSeedNumberAndPlace(t *testing.T) {
	const text = "{{uuid}} {{random}} {{random}} {{hex 8}} {{choice a b c d e f g h}}"
	of := func(a work.Arrival, turn uint64) string {
		return render(t, fields(), text, &Scope{Arrival: &a, Turn: turn})
	}
	base := of(work.Arrival{K: 5, Seed: 1}, 0)
	if base != of(work.Arrival{K: 5, Seed: 1, N: 9, Worker: 3}, 0) {
		t.Error("the same arrival has other random fields in a second run")
	}
	words := strings.Fields(base)
	if words[1] == words[2] {
		t.Error("two fields of one text are the same random number")
	}
	next := fields()
	next.Arrivals.Run = "def"
	if again := strings.Fields(render(t, next, text, &Scope{Arrival: &work.Arrival{K: 5, Seed: 1}})); again[0] == words[0] || again[1] != words[1] {
		t.Errorf("in a run of the same seed it is %v, want another UUID and the same numbers as %v", again, words)
	}
	for what, other := range map[string]string{
		"number": of(work.Arrival{K: 6, Seed: 1}, 0), "seed": of(work.Arrival{K: 5, Seed: 2}, 0), "turn": of(work.Arrival{K: 5, Seed: 1}, 1),
	} {
		if strings.Fields(other)[0] == words[0] {
			t.Errorf("another %s has the same random fields", what)
		}
	}
}

func TestRandomNumbersStayWithinTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Int64Range(-1000, 1000).Draw(t, "low")
		high := rapid.Int64Range(low, low+5).Draw(t, "high")
		f, err := fields().Compile("{{random " + strconv.FormatInt(low, 10) + " " + strconv.FormatInt(high, 10) + "}}")
		if err != nil {
			t.Fatal(err)
		}
		out, err := f.Append(nil, &Scope{Arrival: &work.Arrival{K: rapid.Int64().Draw(t, "k")}})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := strconv.ParseInt(string(out), 10, 64); err != nil || n < low || n > high {
			t.Fatalf("%s is not within %d and %d", out, low, high)
		}
	})
}

func TestVariables(t *testing.T) {
	f := fields("id", "state")
	s := &Scope{Arrival: &work.Arrival{}, Vars: make([]Value, 2)}
	s.Vars[0].Set(String, []byte(`a"b`))
	if got := render(t, f, `{"id":"{{id|json}}","q":"{{ id | url }}"}`, s); got != `{"id":"a\"b","q":"a%22b"}` {
		t.Errorf("got %s", got)
	}
	c, err := f.Compile("x {{state}}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Append(nil, s); work.KindOf(err) != KindUnset {
		t.Errorf("a variable without a value: got %v", err)
	}
}

func TestWhatCannotBeCompiledIsExplained(t *testing.T) {
	for text, want := range map[string]string{
		"{{n":               "has no }}",
		"{{}}":              "names no field",
		"{{uid}}":           "did you mean {{uuid}}?",
		"{{sate}}":          "did you mean {{state}}?",
		"{{qqqqqq}}":        "there are state, n, k",
		"{{random 1}}":      "it is written {{random [LOW HIGH]}}",
		"{{random 5 1}}":    "the lower one first",
		"{{hex many}}":      "is not a length",
		"{{choice}}":        "too few",
		"{{key 10 zip}}":    "is not one of uniform, zipf",
		"{{key 0}}":         "is not a count",
		"{{n | jsn}}":       `did you mean "json"?`,
		"{{env NOT_THERE}}": "give it with -e NOT_THERE=VALUE",
		"{{n 5}}":           "too many",
	} {
		if _, err := fields("state").Compile(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	if _, err := fields().Compile("{{nope}}"); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

func TestEscapedTextIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		quoted := append(AppendJSON([]byte(`"`), []byte(text)), '"')
		var back string
		if err := json.Unmarshal(quoted, &back); err != nil || back != text {
			t.Fatalf("%s reads as %q (%v), want %q", quoted, back, err, text)
		}
	})
}

func TestConstants(t *testing.T) {
	for text, constant := range map[string]bool{"": true, "a}}b": true, "{{n}}": false, "a{{run}}": false} {
		c, err := fields().Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := c.Constant(); ok != constant || ok && got != text {
			t.Errorf("%q: constant %t, %q", text, ok, got)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"{{n}}", "{{random 1 2|json}}", "{{", "{{|}}", "{{n|}}", "a{{b}}c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := fields("v").Compile(text)
		if err != nil {
			return
		}
		s := &Scope{Arrival: &work.Arrival{}, Vars: make([]Value, 1)}
		if _, err := c.Append(nil, s); err != nil && work.KindOf(err) != KindUnset {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// BenchmarkAppend renders what a task's body is made of.
func BenchmarkAppend(b *testing.B) {
	c, err := fields("id").Compile(`{"id":"{{id}}","n":{{n}},"size":{{random 1 100}},"key":"{{uuid}}"}`)
	if err != nil {
		b.Fatal(err)
	}
	s := &Scope{Arrival: &work.Arrival{}, Vars: make([]Value, 1)}
	s.Vars[0].Set(String, []byte("0123456789"))
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		if out, err = c.Append(out[:0], s); err != nil {
			b.Fatal(err)
		}
	}
}
