// Package schema makes the JSON schema of every file that perfctl reads, for editors.
// It is made of what reads them: the scenarios' settings, the targets', the flags. It
// validates nothing itself.
package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/all"
)

// object is a JSON object.
type object = map[string]any

// File is the schema's name where it is written.
const File = "perfctl.schema.json"

// Make returns the schema. options are the flags of perfctl run, which a configuration
// file may set.
func Make(options *pflag.FlagSet) ([]byte, error) {
	text, err := json.MarshalIndent(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "perfctl: a profile, an SLA file, a flow, a file of requests or a configuration file",
		"$defs": object{
			"profile": profileSchema(), "sla": slaSchema(), "configuration": configSchema(options),
			"flow": flowSchema(), "steps": stepsSchema(), "requests": requestsSchema(),
			"name":     object{"type": "string", "pattern": profiles.NamePattern},
			"duration": object{"type": "string", "pattern": `^([0-9.]+(ns|us|µs|ms|s|m|h))+$|^0$`, "description": "90s, 2m, 1h30m"},
			"rate":     object{"type": []string{"number", "string"}, "description": "arrivals a second: 100, 100/s, 6000/min"},
			"settings": scenarioSettings(),
		},
		// Which file it is shows in what it must hold: messages then speak of that
		// kind only.
		"if": object{"required": []string{"stages"}}, "then": ref("profile"),
		"else": object{"if": object{"required": []string{"rules"}}, "then": ref("sla"),
			"else": object{"if": object{"required": []string{"steps"}}, "then": ref("flow"),
				"else": object{"if": object{"required": []string{"requests"}}, "then": ref("requests"), "else": ref("configuration")}}},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the schema: %w", err)
	}
	return append(text, '\n'), nil
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// closed is an object with these keys and no others.
func closed(properties object, required ...string) object {
	o := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

// described returns a schema with a description.
func described(text string, o object) object {
	o = maps.Clone(o)
	o["description"] = text
	return o
}

func word(choices ...string) object { return object{"type": "string", "enum": choices} }

func profileSchema() object {
	stage := closed(object{
		"name":     ref("name"),
		"duration": ref("duration"),
		"rate":     described("arrivals a second, or the name of a rate", ref("rate")),
		"from":     described("where a ramp begins: arrivals a second, or the name of a rate", ref("rate")),
		"to":       described("where a ramp ends", ref("rate")),
		"users": described("users in place of a rate: how many, or from and to for a ramp", object{"oneOf": []object{
			{"type": "integer", "minimum": 1, "maximum": profiles.MaxUsers},
			closed(object{"from": object{"type": "integer", "minimum": 0}, "to": object{"type": "integer", "minimum": 0}}, "from", "to"),
		}}),
		"pace":  described("a due time for every user each so long", ref("duration")),
		"pause": described("how long a user waits between two arrivals", ref("duration")),
		"iterations": described("arrivals of all users together after which the stage ends, or per_user", object{"oneOf": []object{
			{"type": "integer", "minimum": 1},
			closed(object{"per_user": object{"type": "integer", "minimum": 1}}, "per_user"),
		}}),
		"burst":    described("arrivals that are all due when the stage starts", object{"type": "integer", "minimum": 1}),
		"class":    described("which error rate is allowed", word(string(profiles.Normal), string(profiles.High), string(profiles.Spike))),
		"judge":    described("false for a stage that no SLA rule looks at", object{"type": "boolean"}),
		"settings": described("settings in force in this stage only", ref("settings")),
	}, "name")
	weights := object{}
	for _, name := range all.Registry().Names() {
		weights[name] = object{"type": "integer", "minimum": 1}
	}
	return closed(object{
		"name":        ref("name"),
		"description": object{"type": "string"},
		"rates": described("rates that stages refer to by name", object{
			"type": "object", "propertyNames": ref("name"), "additionalProperties": ref("rate"),
		}),
		"scenarios": described("which scenarios arrivals exercise, with their weights", closed(weights)),
		"settings":  ref("settings"),
		"stages":    object{"type": "array", "items": stage, "minItems": 1},
	}, "stages")
}

func slaSchema() object {
	rule := closed(object{
		"name":      object{"type": "string"},
		"threshold": described("metric{tags}: statistic op value, as in response_time{stage:peak}: p(95) < 500ms", object{"type": "string"}),
		"severity":  described("fail: exit 99; warn: told", word("fail", "warn")),
		"class":     described("only judged stages of this class", word("normal", "high", "spike")),
		"judge":     described("stages: each judged stage, and all of them together", word("run", "stages")),
		"scenario":  described("only runs that have this scenario", word(all.Registry().Names()...)),
		"action":    described("printed where the rule is missed", object{"type": "string"}),
	}, "name", "threshold")
	return closed(object{"rules": object{"type": "array", "items": rule}}, "rules")
}

func configSchema(flags *pflag.FlagSet) object {
	settings, options, texts := object{}, object{}, object{"type": "array", "items": object{"type": "string"}}
	for _, name := range config.Names() {
		settings[name] = object{"type": []string{"string", "number", "boolean"}}
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "config" || f.Name == "help" || f.Hidden {
			return
		}
		options[f.Name] = described(f.Usage, optionSchema(f.Value))
	})
	return closed(object{
		"settings":        described("settings of targets, by the names of the environment", closed(settings)),
		"scenarios":       ref("settings"),
		"allow_targets":   described("hosts besides this machine that may be loaded", texts),
		"allow_databases": described("databases without test or perf in their name that may be loaded", texts),
		"options":         described("any flag of perfctl run, without its dashes", closed(options)),
	})
}

func optionSchema(v pflag.Value) object {
	switch v.Type() {
	case "bool":
		return object{"type": "boolean"}
	case "int", "uint64", "int64":
		return object{"type": "integer"}
	case "float64":
		return object{"type": "number"}
	case "duration":
		return object{"type": "string"}
	}
	if _, many := v.(pflag.SliceValue); many {
		return object{"type": "array", "items": object{"type": "string"}}
	}
	return object{"type": []string{"string", "number"}}
}

// scenarioSettings is every scenario's settings.
func scenarioSettings() object {
	properties := object{}
	for _, d := range all.Registry().Definitions() {
		of := object{}
		for _, o := range d.Settings {
			s := typeSchema(o.Type)
			s["description"] = o.Help
			if o.Default != "" {
				s["description"] = o.Help + " (default " + o.Default + ")"
			}
			of[o.Key] = s
		}
		properties[d.Name] = closed(of)
	}
	return closed(properties)
}

// typeSchema returns the schema of a setting. Values are read as text, so that a
// number may stand in quotes.
func typeSchema(t scenarios.Type) object {
	switch t := t.(type) {
	case scenarios.Int:
		return object{"type": []string{"integer", "string"}, "minimum": t.Min, "maximum": t.Max}
	case scenarios.IntOr:
		return object{"anyOf": []any{typeSchema(t.Int), word(t.Word)}}
	case scenarios.Float:
		return object{"type": []string{"number", "string"}, "minimum": t.Min, "maximum": t.Max}
	case scenarios.Duration:
		return ref("duration")
	case scenarios.Bool:
		return object{"type": []string{"boolean", "string"}, "enum": []any{true, false, "true", "false"}}
	case scenarios.Enum:
		choices := slices.Clone(t)
		return word(choices...)
	}
	return object{"type": []string{"string", "number", "boolean"}}
}
