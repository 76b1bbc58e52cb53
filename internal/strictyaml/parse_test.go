package strictyaml

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// menu is a small file format to read by.
type menu struct {
	Name    string
	Open    bool
	Seats   int64
	Wait    time.Duration
	Guests  float64
	Courses []string
	Prices  map[string]string
}

func readMenu(file, text string) (menu, error) {
	m := menu{Prices: map[string]string{}}
	err := Parse(file, []byte(text), readMenuInto(&m))
	return m, err
}

func readMenuInto(m *menu) func(Value, *Collector) {
	return func(root Value, c *Collector) {
		root.Map("a menu",
			Required("name", String(&m.Name)),
			Optional("open", Bool(&m.Open)),
			Optional("seats", Int(&m.Seats, 1, 100)),
			Optional("wait", Duration(&m.Wait)),
			Optional("guests", Rate(&m.Guests)),
			Optional("courses", func(v Value) {
				v.List("courses", func(_ int, v Value) {
					var s string
					String(&s)(v)
					m.Courses = append(m.Courses, s)
				})
			}),
			Optional("prices", func(v Value) {
				v.Entries("the prices", func(key string, at Pos, v Value) {
					if s, ok := v.Scalar(); ok {
						m.Prices[key] = s
					}
					if key == "free" {
						c.Add(at, "nothing is free")
					}
				})
			}),
		)
	}
}

func TestParse(t *testing.T) {
	got, err := readMenu("m.yaml", `
# today
name: "12"
open: true
seats: 40
wait: 1h30m
guests: 90/min
courses: [soup, 'fish']
prices: {soup: 4.50, fish: 0x10}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := menu{
		Name: "12", Open: true, Seats: 40, Wait: 90 * time.Minute, Guests: 1.5,
		Courses: []string{"soup", "fish"}, Prices: map[string]string{"soup": "4.50", "fish": "0x10"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestParseTellsEverythingAtOnce(t *testing.T) {
	_, err := readMenu("m.yaml", `seats: 200
opne: true
open: yes
wait: 90
open: true
guests: -1/s
courses: soup
prices:
  free: 0
  free: 1
  fish: [1]
  soup:
zzz: 1
`)
	want := strings.TrimSpace(`
m.yaml:1:1: a menu needs the key "name"
m.yaml:1:8: seats must be a number of 1 … 100, not 200
m.yaml:2:1: unknown key "opne" in a menu; did you mean "open"?
m.yaml:3:7: open must be true or false, not the text "yes"
m.yaml:4:7: wait: 90 has no unit: write 90s, 90m or 90h
m.yaml:5:1: the key "open" is in a menu twice, the first time in line 3
m.yaml:6:9: guests: "-1/s" is negative
m.yaml:7:10: courses must be a list, not the text "soup"
m.yaml:9:3: nothing is free
m.yaml:10:3: the key "free" is in the prices twice, the first time in line 9
m.yaml:11:9: fish must be a single value, not a list
m.yaml:12:8: soup must be a single value, not empty
m.yaml:13:1: unknown key "zzz" in a menu; it may have name, open, seats, wait, guests, courses, prices
`)
	var e *Errors
	if !errors.As(err, &e) {
		t.Fatalf("error is a %T, want *Errors", err)
	}
	if d := cmp.Diff(want, err.Error()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if p := e.Problems[2]; p.File != "m.yaml" || p.Line != 2 || p.Col != 1 {
		t.Errorf("problem is at %+v", p.Pos)
	}
}

func TestParseRejectsFile(t *testing.T) {
	for _, c := range []struct {
		text, want string
	}{
		{"", "m.yaml: the file is empty"},
		{"# nothing\n", "m.yaml: the file is empty"},
		{"---\n...\n", "m.yaml: the file is empty"},
		{"name: a\n---\nname: b\n", "m.yaml:2:1: a second document starts here: a file holds one"},
		{"name: a\n---\nname: [\n", "m.yaml:4:1: not YAML: while parsing a flow node: did not find expected node content"},
		{"- a\n", "m.yaml:1:1: a menu must be a mapping of keys to values, not a list"},
		{"menu\n", `m.yaml:1:1: a menu must be a mapping of keys to values, not the text "menu"`},
		{"name: a: b\n", "m.yaml:1:8: not YAML: mapping values are not allowed in this context"},
		{"\tname: a\n", "m.yaml:1:1: not YAML: while scanning for the next token: found character that cannot start any token"},
		{"name: *x\n", "m.yaml:1:7: not YAML: unknown anchor 'x' referenced"},
		{"name: &x a\nopen: *x\n", "m.yaml:2:7: open must be true or false, not an alias: aliases are not supported, write the value out"},
		{"name: a\n<<: {open: true}\n", "m.yaml:2:1: merge keys are not supported: write the keys of a menu out"},
		{"name: a\n? [b]\n: c\n", "m.yaml:2:3: a key of a menu must be a word, not a list"},
		{"name: 12\n", "m.yaml:1:7: name must be a text (in quotes if it looks like something else), not the number 12"},
		{"name: a\nseats: 4.5\n", "m.yaml:2:8: seats must be a whole number, not the number 4.5"},
		{"name: a\nseats: '4'\n", `m.yaml:2:8: seats must be a whole number, not the text "4"`},
		{"name: a\nseats: 99999999999999999999\n", "m.yaml:2:8: seats must be a whole number, not the number 99999999999999999999"},
		{"name: a\nguests: {}\n", "m.yaml:2:9: guests must be a rate such as 100 (per second) or 6000/min, not a mapping"},
		{"name: a\nwait:\n", "m.yaml:2:6: wait must be a duration such as 90s or 2m, not empty"},
		{"name: a\ncourses: [1]\n", "m.yaml:2:11: an item of courses must be a text (in quotes if it looks like something else), not the number 1"},
		{"name: " + strings.Repeat("a", maxSize), "m.yaml: the file is 1048582 bytes long: at most 1048576 are read"},
	} {
		_, err := readMenu("m.yaml", c.text)
		if err == nil {
			t.Errorf("%.40q is accepted", c.text)
			continue
		}
		if d := cmp.Diff(c.want, err.Error()); d != "" {
			t.Errorf("%.40q (-want +got)\n%s", c.text, d)
		}
	}
}

func TestCollectorSortsByPlace(t *testing.T) {
	var c Collector
	if err := c.Err(); err != nil {
		t.Fatalf("an empty collector returns %v", err)
	}
	c.Add(Pos{"b", 1, 1}, "4")
	c.Add(Pos{"a", 10, 1}, "3")
	c.Add(Pos{"a", 9, 5}, "2")
	c.Add(Pos{}, "%d", 0)
	c.Add(Pos{File: "a"}, "1")
	want := "0\na: 1\na:9:5: 2\na:10:1: 3\nb:1:1: 4"
	if d := cmp.Diff(want, c.Err().Error()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("name: a\nopen: true\nseats: 4\nwait: 5s\nguests: 5/min\ncourses: [a]\nprices: {a: 1}\n")
	f.Add("name: &x a\nopen: *x\n")
	f.Add("<<: {a: b}\n? [c]\n: !!int d\n")
	f.Add("--- |\n a\n---\n")
	f.Add("%YAML 1.2\n---\n{name: !x a, \"b\": ~}")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := readMenu("m", text)
		var e *Errors
		if err != nil && (!errors.As(err, &e) || len(e.Problems) == 0) {
			t.Errorf("error %v is a %T, want *Errors with problems", err, err)
		}
	})
}
