package template

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// A value comes out as it went in, wherever it stands and whatever is in it.
func TestAValueStaysOneValueWhereItLands(t *testing.T) {
	f := fields("v")
	compile := func(text string, place func(string) Encoding) Text[*Scope] {
		c, err := f.CompileAt(text, place)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	target := compile("/tasks/{{v}}/x?q={{v}}&k={{v|url}}&n=1", AtTarget)
	object := compile(`{"a":"{{v}}","b\"":["x {{v|json}}"],"n":{{n}}}`, InJSON)
	form := compile("a={{v}}&b={{ v | lower | url }}", InForm)
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		s := &Scope{Arrival: &work.Arrival{N: 5}, Vars: make([]Value, 1)}
		s.Vars[0].Set(String, []byte(value))
		text := func(c Text[*Scope]) string {
			b, err := c.Append([]byte("kept:"), s)
			if err != nil {
				t.Fatal(err)
			}
			rest, ok := strings.CutPrefix(string(b), "kept:")
			if !ok {
				t.Fatalf("what was there is gone: %q", b)
			}
			return rest
		}
		u, err := url.ParseRequestURI(text(target))
		if err != nil || u.Path != "/tasks/"+value+"/x" || u.Query().Get("q") != value || u.Query().Get("k") != value || u.Query().Get("n") != "1" || len(u.Query()) != 3 {
			t.Fatalf("target %q is read as %v (%v)", text(target), u, err)
		}
		var o map[string]any
		if err := json.Unmarshal([]byte(text(object)), &o); err != nil || o["a"] != value || o[`b"`].([]any)[0] != "x "+value || o["n"] != 5.0 {
			t.Fatalf("JSON %q is read as %v (%v)", text(object), o, err)
		}
		q, err := url.ParseQuery(text(form))
		if err != nil || q.Get("a") != value || q.Get("b") != strings.ToLower(value) || len(q) != 2 {
			t.Fatalf("form %q is read as %v (%v)", text(form), q, err)
		}
	})
}

func TestWhatIsAnAddressOrRawStaysAsItIs(t *testing.T) {
	for text, want := range map[string]string{
		"{{v}}":                     "/a?b=c d",
		"{{v}}/x?y={{v}}":           "/a?b=c d/x?y=%2Fa%3Fb%3Dc%20d",
		"/x{{v|raw}}":               "/x/a?b=c d",
		"/x?{{v | upper | raw}}&z=": "/x?/A?B=C D&z=",
		"/{{v}}":                    "/%2Fa%3Fb=c%20d",
	} {
		c, err := fields("v").CompileAt(text, AtTarget)
		if err != nil {
			t.Fatal(err)
		}
		s := &Scope{Arrival: &work.Arrival{}, Vars: []Value{{Sort: String, Text: []byte("/a?b=c d")}}}
		if got, err := c.Append(nil, s); err != nil || string(got) != want {
			t.Errorf("%s gives %s (%v), want %s", text, got, err, want)
		}
	}
	if got := string(AppendTarget(nil, "/a b?$filter=name eq 'x'&q=ä\x01#<%20>")); got != "/a%20b?$filter=name%20eq%20'x'&q=%C3%A4%01%23%3C%20%3E" {
		t.Errorf("a target becomes %s", got)
	}
}

func TestWordsInQuotes(t *testing.T) {
	s := &Scope{Arrival: &work.Arrival{}}
	for text, want := range map[string]string{
		"{{choice 'red shoes'}}":               "red shoes",
		`{{choice "it's {{n}} | }}" | upper}}`: "IT'S {{N}} | }}",
		"{{choice it's}}":                      "it's",
		"{{choice ''}}":                        "",
		"{{choice 'ä ö'}}":                     "ä ö",
		"{{choice grün}}":                      "grün",
	} {
		if got := render(t, fields(), text, s); got != want {
			t.Errorf("%s gives %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"{{choice 'red shoes blue}}": "has no end",
		"{{choice 'a'b}}":            "a space is missing",
		"{{n |}}":                    "a filter is missing",
		"{{n || json}}":              "a filter is missing",
	} {
		if _, err := fields().Compile(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestSplitLeavesFieldsWhole(t *testing.T) {
	got := Split("a | b|c: {{n | json}} | d {{ | e", " | ")
	if want := []string{"a", "b|c: {{n | json}}", "d {{", "e"}; strings.Join(got, "\x00") != strings.Join(want, "\x00") {
		t.Errorf("got %q, want %q", got, want)
	}
}
