package schema

import (
	"slices"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/all"
)

// Settings of scenarios and options of commands are read as text by whoever reads the
// file: what they may be, their owners say.

// describeOptions gives the options of a configuration file the types and the help of
// their flags.
func describeOptions(configuration any, flags *pflag.FlagSet) {
	file, _ := configuration.(object)
	all, _ := file["properties"].(object)
	options, _ := all["options"].(object)
	properties, _ := options["properties"].(object)
	for name := range properties {
		if f := flags.Lookup(name); f != nil {
			properties[name] = described(optionSchema(f.Value), f.Usage)
		}
	}
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

// weights is a weight for each scenario.
func weights(names []string) object {
	out := object{}
	for _, name := range names {
		out[name] = object{"type": "integer", "minimum": 1}
	}
	return closed(out)
}

// scenarioSettings is every scenario's settings.
func scenarioSettings() object {
	properties := object{}
	for _, d := range all.Registry().Definitions() {
		of := object{}
		for _, o := range d.Settings {
			help := o.Help
			if o.Default != "" {
				help += " (default " + o.Default + ")"
			}
			of[o.Key] = described(typeSchema(o.Type), help)
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
		return object{"anyOf": []any{typeSchema(t.Int), object{"type": "string", "enum": []string{t.Word}}}}
	case scenarios.Float:
		return object{"type": []string{"number", "string"}, "minimum": t.Min, "maximum": t.Max}
	case scenarios.Duration:
		return ref("duration")
	case scenarios.Bool:
		return object{"type": []string{"boolean", "string"}, "enum": []any{true, false, "true", "false"}}
	case scenarios.Enum:
		return object{"type": "string", "enum": slices.Clone(t)}
	}
	return object{"type": []string{"string", "number", "boolean"}}
}
