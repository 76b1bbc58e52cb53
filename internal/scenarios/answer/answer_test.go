package answer

import (
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/template"
)

var words = []string{Status, Header, Property, Body, JSON, Match, Rows, Column, Exists}

func example() *Answer {
	header := func(name string) (string, bool) {
		v, ok := map[string]string{"X-A": "1", "Empty": ""}[name]
		return v, ok
	}
	return &Answer{
		Status: 201, Header: header, Rows: 3,
		Body: []byte(`{"task":{"id":"t-1","n":12345678901234567890,"ok":true,"none":null},"items":[{"k":"a"},{"k":"b"}]}`),
		Column: func(name string, v *template.Value) bool {
			v.Set(template.Number, []byte("42"))
			return name == "total"
		},
	}
}

func fields(t testing.TB) (*template.Fields, *template.Scope) {
	t.Helper()
	n := &template.Names{}
	f := &template.Fields{Names: n, Arrivals: &template.Arrivals{}}
	s := &template.Scope{Arrival: &work.Arrival{N: 1}, Vars: make([]template.Value, 1)}
	s.Vars[n.Declare("id")].Set(template.String, []byte("t-1"))
	return f, s
}

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		left, right string
		want        work.Kind
	}{
		{"status", "201", ""}, {"status", "2xx", ""}, {"status", "200, 201", ""}, {"status", "200", KindCheck}, {"status not", "500", ""},
		{"header X-A", "1", ""}, {"header X-A", "{{n}}", ""}, {"header X-A", "2", KindCheck}, {"header X-B", "1", KindCheck},
		{"header X-B present", "false", ""}, {"header Empty present", "true", ""}, {"header X-A present", "false", KindCheck},
		{"json task.id", "{{id}}", ""}, {"json $.task.id", "t-1", ""}, {"json $.items[1].k", "b", ""}, {"json items.#", "2", ""},
		{"json task.n", "12345678901234567890", ""}, {"json task.ok", "true", ""}, {"json task.none present", "true", ""},
		{"json task.lost", "x", KindCheck}, {"json items.# above", "1", ""}, {"json items.# below", "2", KindCheck},
		{"body contains", "t-1", ""}, {"body contains", "t-2", KindCheck}, {"body matches", `"id":\s*"t-\d"`, ""},
		{"match \"id\":\"(.*?)\"", "t-1", ""}, {"rows", "3", ""}, {"rows above", "3", KindCheck},
		{"column total", "42", ""}, {"column other", "42", KindCheck}, {"exists", "true", ""},
	} {
		f, s := fields(t)
		x, err := ParseCheck(c.left, c.right, words, f)
		if err != nil {
			t.Errorf("%s: %s: %v", c.left, c.right, err)
			continue
		}
		err = x.Test(example(), s, &State{})
		if c.want == "" && err != nil || c.want != "" && work.KindOf(err) != c.want {
			t.Errorf("%s: %s: got %v, want %q", c.left, c.right, err, c.want)
		}
	}
}

func TestABodyThatIsNotJSONIsAFailureOfItsOwn(t *testing.T) {
	f, s := fields(t)
	c, err := ParseCheck("json state", "done", words, f)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Test(&Answer{Body: []byte("<html>" + strings.Repeat("x", 1000))}, s, &State{})
	if work.KindOf(err) != KindNotJSON || !strings.Contains(err.Error(), "<html>") || len(err.Error()) > 300 {
		t.Errorf("got %v", err)
	}
}

func TestFailuresSayWhatWasFound(t *testing.T) {
	f, s := fields(t)
	c, err := ParseCheck("json task.id", "t-2", words, f)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Test(example(), s, &State{}); err == nil || err.Error() != `check: json task.id: want "t-2", got "t-1"` {
		t.Errorf("got %v", err)
	}
}

func TestCapturesKeepWhatTheyAre(t *testing.T) {
	for from, want := range map[string]any{
		"json task.id": "t-1", "json task.ok": true, "json task.none": nil, "status": 201.0, "column total": 42.0, "rows": 3.0,
		"header X-A": 1.0, `match "k":"(\w)"`: "a",
	} {
		source, err := ParseSource(from, words)
		if err != nil {
			t.Fatal(err)
		}
		_, s := fields(t)
		c := NewCapture(0, source)
		if err := c.Take(example(), s); err != nil || s.Vars[0].Any() != want {
			t.Errorf("%s: got %v (%v), want %v", from, s.Vars[0].Any(), err, want)
		}
	}
	source, err := ParseSource("json task.lost", words)
	if err != nil {
		t.Fatal(err)
	}
	_, s := fields(t)
	c := NewCapture(0, source)
	if err := c.Take(example(), s); work.KindOf(err) != KindCapture || s.Vars[0].Sort != template.Unset {
		t.Errorf("got %v, and the variable holds %s", err, s.Vars[0].Text)
	}
}

func TestWhatCannotBeCheckedIsRefused(t *testing.T) {
	for _, c := range []struct{ left, right, want string }{
		{"staus", "200", `did you mean "status"?`},
		{"status", "999", "is not a status"},
		{"json", "x", "a path"},
		{"header", "x", "the name of a header"},
		{"status code", "200", `"code" after status`},
		{"body matches", "(", "missing closing )"},
		{"rows above", "many", "is not a number"},
		{"header A present", "maybe", "true or false"},
		{"body", "{{nope}}", "is no field"},
	} {
		f, _ := fields(t)
		if _, err := ParseCheck(c.left, c.right, words, f); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s: got %v, want %q", c.left, c.right, err, c.want)
		}
	}
	if _, err := ParseSource("rows", []string{Status}); err == nil || !strings.Contains(err.Error(), "it has status") {
		t.Errorf("got %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("json a.#(b==1).c", "x")
	f.Add("header X present", "true")
	f.Add("match (a)(b)?", "")
	f.Fuzz(func(t *testing.T, left, right string) {
		fs, s := fields(t)
		c, err := ParseCheck(left, right, words, fs)
		if err != nil {
			return
		}
		_ = c.Test(example(), s, &State{})
		_ = c.Test(&Answer{}, s, &State{})
	})
}
