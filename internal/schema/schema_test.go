package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/sla"
)

// options are two flags.
type options struct{}

func (options) Names() []string              { return []string{"vus", "tag"} }
func (options) Repeatable(name string) bool  { return name == "tag" }
func (options) Set(name, value string) error { return flags().Set(name, value) }

func flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.Int("vus", 1, "bound on arrivals in flight")
	f.StringArray("tag", nil, "a label")
	return f
}

// tree is the schema, read.
func tree(t *testing.T) object {
	t.Helper()
	text, err := Make(options{}, flags())
	if err != nil {
		t.Fatal(err)
	}
	var out object
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out["$defs"].(object)
}

// decode reads a file of a kind as perfctl does.
func decode(t *testing.T, kind, text string) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	setting := func(scenario, key string) error {
		for _, d := range all.Registry().Definitions() {
			for _, o := range d.Settings {
				if f, ok := o.Type.(scenarios.File); ok && d.Name == scenario && o.Key == key {
					return f.Valid(path)
				}
			}
		}
		t.Fatalf("%s has no file as its setting %s", scenario, key)
		return nil
	}
	var err error
	switch kind {
	case "profile":
		_, err = profiles.Decode(path, []byte(text))
	case "sla":
		_, err = sla.DecodeTable(path, []byte(text))
	case "flow":
		err = setting("flow", "file")
	case "requests":
		err = setting("api", "requests")
	default:
		_, err = config.ReadFile(path, options{})
	}
	return err
}

// spot is an object of a file that has given keys and no others.
type spot struct {
	where      string
	properties object
	// file returns the file in which the object has that content.
	file func(content object) object
}

// spots returns them.
func spots(defs object, kind string) (out []spot) {
	seen := map[string]bool{}
	var walk func(where string, s object, file func(any) object)
	walk = func(where string, s object, file func(any) object) {
		if name, ok := s["$ref"].(string); ok {
			name = strings.TrimPrefix(name, "#/$defs/")
			// What only scenarios know is held against them later, not by who reads files.
			if seen[name] || name == profiles.ShapeSettings || name == profiles.ShapeWeights {
				return
			}
			seen[name] = true
			s = defs[name].(object)
		}
		if ways, ok := s["anyOf"].([]any); ok {
			for _, w := range ways {
				walk(where, w.(object), file)
			}
		}
		if items, ok := s["items"].(object); ok {
			walk(where+"[]", items, func(v any) object { return file([]any{v}) })
		}
		if of, ok := s["additionalProperties"].(object); ok {
			walk(where+".*", of, func(v any) object { return file(object{"key": v}) })
		}
		properties, ok := s["properties"].(object)
		if !ok {
			return
		}
		out = append(out, spot{where, properties, func(o object) object { return file(o) }})
		keys := slices.Sorted(maps.Keys(properties))
		// Steps first: what stands in setup and teardown is less.
		slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
		for _, key := range keys {
			walk(where+"."+key, properties[key].(object), func(v any) object { return file(beside(where, key, v)) })
		}
	}
	walk(kind, ref(kind), func(v any) object { o, _ := v.(object); return o })
	return out
}

func rank(key string) int {
	if key == "steps" {
		return 0
	}
	return 1
}

// beside is an object with a key and what a reader wants to see beside it.
func beside(where, key string, value any) object {
	o := object{key: value}
	switch {
	case key == "then" || key == "else":
		o["if"] = true
	case where == "flow" && key != "steps":
		o["steps"] = []any{object{"think": "1s"}}
	}
	return o
}

var listed = regexp.MustCompile(`unknown key "zzqqxxww" in [^;\n]*; it may have ([^\n]*)`)

// Whoever reads a file takes the keys of the schema and no others: it is asked, by a key
// that nothing takes, at each place.
func TestTheKeysAreThoseThatAreRead(t *testing.T) {
	defs := tree(t)
	for _, k := range kinds {
		for _, s := range spots(defs, k.name) {
			if strings.HasPrefix(s.where, "configuration.options") || strings.HasPrefix(s.where, "configuration.settings") {
				continue // their readers say it in other words; the names are the flags' and the targets'
			}
			text, _ := json.Marshal(s.file(object{"zzqqxxww": 1}))
			err := decode(t, k.name, string(text))
			if err == nil {
				t.Errorf("%s: an unknown key is taken", s.where)
				continue
			}
			m := listed.FindStringSubmatch(err.Error())
			if m == nil {
				t.Errorf("%s: %s: no unknown key is named: %v", s.where, text, err)
				continue
			}
			read := strings.Split(m[1], ", ")
			slices.Sort(read)
			if d := gocmp.Diff(slices.Sorted(maps.Keys(s.properties)), read); d != "" {
				t.Errorf("%s: the schema (-) and the reader (+) differ\n%s", s.where, d)
			}
		}
	}
}

// values is one of each kind, in the words of a schema.
var values = map[string]any{"string": "x", "number": 1.5, "integer": 1, "boolean": true, "null": nil, "array": []any{}, "object": object{}}

// takes says whether a schema lets a kind of value pass, whatever its content.
func takes(defs, s object, kind string) bool {
	if name, ok := s["$ref"].(string); ok {
		return takes(defs, defs[strings.TrimPrefix(name, "#/$defs/")].(object), kind)
	}
	if ways, ok := s["anyOf"].([]any); ok {
		return slices.ContainsFunc(ways, func(w any) bool { return takes(defs, w.(object), kind) })
	}
	is := func(name any) bool { return name == kind || name == "number" && kind == "integer" }
	switch t := s["type"].(type) {
	case string:
		return is(t)
	case []any:
		return slices.ContainsFunc(t, is)
	}
	return true
}

var wrongKind = regexp.MustCompile(`must be (a|an|true|the)\b[^\n]*, not (a |an |the |empty)`)

// A value of a kind that the schema does not take is refused by who reads the file, and
// one that it takes is not refused for its kind.
func TestTheKindsAreThoseThatAreRead(t *testing.T) {
	defs := tree(t)
	for _, k := range kinds {
		for _, s := range spots(defs, k.name) {
			for key, of := range s.properties {
				for kind, value := range values {
					text, _ := json.Marshal(s.file(beside(s.where, key, value)))
					err := decode(t, k.name, string(text))
					switch taken := takes(defs, of.(object), kind); {
					case !taken && err == nil:
						t.Errorf("%s.%s: the schema refuses %s, the reader does not", s.where, key, kind)
					case taken && err != nil && wrongKind.MatchString(err.Error()):
						t.Errorf("%s.%s: the schema takes %s, the reader does not: %v", s.where, key, kind, err)
					}
				}
			}
		}
	}
}

// What a text may be is in the schema, so that editors offer it.
func TestWordsAndHelpAreThere(t *testing.T) {
	defs := tree(t)
	for where, want := range map[string]string{
		"profile stages items properties class enum":                                     "[normal high spike]",
		"profile stages items properties class description":                              "which error rate is allowed",
		"sla rules items properties severity enum":                                       "[fail warn]",
		"sla rules items properties scenario $ref":                                       "#/$defs/scenario",
		"requests requests items properties method enum":                                 "[GET HEAD POST PUT PATCH DELETE OPTIONS]",
		"requests requests minItems":                                                     "1",
		"flow steps $ref":                                                                "#/$defs/steps",
		"steps items properties on_failure enum":                                         "[stop continue]",
		"steps items properties transaction properties isolation enum":                   "[read committed repeatable read serializable]",
		"steps items properties publish properties body description":                     "body; may hold fields, as in {{n}}",
		"configuration options properties vus type":                                      "integer",
		"configuration options properties tag description":                               "a label",
		"configuration scenarios $ref":                                                   "#/$defs/settings",
		"steps items properties transaction properties retries maximum":                  "1000",
		"steps items properties repeat properties steps $ref":                            "#/$defs/steps",
		"profile rates propertyNames pattern":                                            profiles.NamePattern,
		"requests requests items properties body description":                            "body of the request; may hold fields, as in {{n}}",
		"requests requests items properties multipart additionalProperties anyOf 0 type": "[string number boolean]",
		"requests requests items properties multipart additionalProperties anyOf 1 type": "object",
		"steps items properties redis anyOf 1 properties pipeline items items type":      "[string number boolean]",
	} {
		path := strings.Fields(where)
		at := defs[path[0]]
		for i, p := range path[1:] {
			switch of := at.(type) {
			case object:
				if next, ok := of[p]; ok {
					at = next
				} else if properties, ok := of["properties"].(object); ok && i == 0 {
					at = properties[p]
				} else {
					at = nil
				}
			case []any:
				var n int
				_, _ = fmt.Sscan(p, &n)
				at = of[n]
			}
		}
		if got := fmt.Sprint(at); got != want {
			t.Errorf("%s is %s, want %s", where, got, want)
		}
	}
}
