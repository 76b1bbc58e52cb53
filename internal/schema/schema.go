// Package schema makes the JSON schema of every file that perfctl reads, for editors.
// It is made of what reads them: the readers of the files describe themselves, and the
// scenarios and flags say what their settings may be. It validates nothing itself.
package schema

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/scenarios/api"
	"github.com/perfctl/perfctl/internal/scenarios/flow"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// object is a JSON object.
type object = map[string]any

// File is the schema's name where it is written.
const File = "perfctl.schema.json"

// kinds are the files, in the order in which they are told apart: by a key that each
// of them must hold. The last one, a configuration file, is what none of the others is.
var kinds = []struct{ name, key string }{
	{"profile", "stages"}, {"sla", "rules"}, {"flow", "steps"}, {"requests", "requests"}, {"configuration", ""},
}

// descriptions returns what the reader of each kind of file takes. options are those
// that a configuration file may set.
func descriptions(options config.Options) map[string]strictyaml.Description {
	return map[string]strictyaml.Description{
		"profile": profiles.Describe(), "sla": sla.Describe(), "flow": flow.Describe(), "requests": api.DescribeRequests(),
		"configuration": config.DescribeFile(options),
	}
}

// Make returns the schema. options are what a configuration file may set, the flags of
// perfctl run, whose types and help are in flags.
func Make(options config.Options, flags *pflag.FlagSet) ([]byte, error) {
	defs := object{}
	for name, d := range descriptions(options) {
		defs[name] = render(d.Root)
		for inner, s := range d.Named {
			defs[inner] = render(s)
		}
	}
	// What only the scenarios and the flags know.
	names := all.Registry().Names()
	defs[profiles.ShapeSettings], defs[profiles.ShapeWeights] = scenarioSettings(), weights(names)
	defs[sla.ShapeScenario] = object{"type": "string", "enum": names}
	// 0 needs no unit: the bounds are for numbers, the pattern is for texts.
	defs["duration"] = object{"type": []string{"string", "number"}, "minimum": 0, "maximum": 0, "pattern": `^([0-9.]+(ns|us|µs|ms|s|m|h))+$|^0$`, "description": "90s, 2m, 1h30m"}
	defs["rate"] = object{"type": []string{"number", "string"}, "description": "arrivals a second: 100, 100/s, 6000/min"}
	describeOptions(defs["configuration"], flags)

	root := which(0)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "perfctl: a profile, an SLA file, a flow, a file of requests or a configuration file"
	root["$defs"] = defs
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the schema: %w", err)
	}
	return append(text, '\n'), nil
}

// which tells the files apart, from the i-th kind on: by what each must hold, so that
// messages speak of one kind only.
func which(i int) object {
	if kinds[i].key == "" {
		return ref(kinds[i].name)
	}
	return object{"if": object{"required": []string{kinds[i].key}}, "then": ref(kinds[i].name), "else": which(i + 1)}
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }
