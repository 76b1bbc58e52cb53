package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/schema"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := new(app).schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schema.File, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schema.File)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate checks a YAML text as an editor would.
func validate(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// An editor finds nothing wrong with the files that perfctl comes with.
func TestTheSchemaAcceptsTheBuiltInFiles(t *testing.T) {
	s := compiledSchema(t)
	files, err := filepath.Glob("../../configs/profiles/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	files = append(files, "../../configs/sla.yaml")
	for _, name := range configs.Starters() {
		files = append(files, "../../configs/examples/"+name)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, string(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What perfctl refuses, an editor marks.
func TestTheSchemaRefusesWhatPerfctlRefuses(t *testing.T) {
	s := compiledSchema(t)
	for text, what := range map[string]string{
		"name: a\nstages: [{name: b, duraton: 1s, rate: 5}]":                                     "duraton",
		"name: a\nstages: [{name: b, duration: 1s, rate: 5, class: hihg}]":                       "class",
		"name: a\nscenarios: {taks: 1}\nstages: [{name: b, duration: 1s, rate: 5}]":              "taks",
		"name: a\nsettings: {tasks: {agnets: 1}}\nstages: [{name: b, duration: 1s, rate: 5}]":    "agnets",
		"name: a\nsettings: {cache: {hit_ratio: 2}}\nstages: [{name: b, duration: 1s, rate: 5}]": "hit_ratio",
		"rules: [{name: x, treshold: y}]":                                                        "treshold",
		"settings: {DB_HOTS: x}":                                                                 "DB_HOTS",
		"steps: [{htp: {path: /}}]":                                                              "htp",
		"steps: [{repeat: {times: 2, steps: [{sq: x}]}}]":                                        "sq",
		"requests: [{weight: 2}]":                                                                "path",
		"options: {vuss: 4}":                                                                     "vuss",
		"options: {quiet: maybe}":                                                                "quiet",
		"rules: [{name: x, threshold: y}]\na: b":                                                 "a",
	} {
		err := validate(t, s, text)
		if err == nil {
			t.Errorf("%s is accepted", text)
		} else if !strings.Contains(err.Error(), what) {
			t.Errorf("%s: the message names no %s: %v", text, what, err)
		}
	}
}

// Editors find the schema in the repository too.
func TestSchemaFileIsUpToDate(t *testing.T) {
	text, err := new(app).schema()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join("..", "..", "configs", schema.File))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, text) {
		t.Errorf("configs/%s is not what perfctl schema prints; run: go run ./cmd/perfctl schema > configs/%[1]s", schema.File)
	}
}
