package schema

import (
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// render returns the schema of what a reader takes.
func render(s *strictyaml.Shape) object {
	out := kindsOf(s)
	text := s.Help
	for _, n := range s.Notes {
		if text != "" {
			text += "; "
		}
		text += n
	}
	if text != "" {
		out["description"] = text
	}
	return out
}

// kindsOf returns the schema of the kinds of values that are taken.
func kindsOf(s *strictyaml.Shape) object {
	switch {
	case s.Ref != "":
		return ref(s.Ref)
	case s.Any:
		return object{}
	}
	ways := scalars(s)
	if s.List != nil {
		list := object{"type": "array", "items": render(s.List.Item)}
		if s.List.Some {
			list["minItems"] = 1
		}
		ways = append(ways, list)
	}
	if s.Map != nil {
		ways = append(ways, mapping(s.Map))
	}
	switch len(ways) {
	case 0: // the reader takes it as it is
		return object{}
	case 1:
		return ways[0]
	}
	return object{"anyOf": ways}
}

// scalars returns the schemas of the texts, numbers and the like that are taken.
func scalars(s *strictyaml.Shape) (ways []object) {
	var plain []string
	add := func(name string, is bool) {
		if is {
			plain = append(plain, name)
		}
	}
	special := len(s.Words) > 0 || s.Pattern != ""
	add("string", s.Text && !special && !s.Rate)
	add("number", s.Number)
	add("boolean", s.Bool)
	add("null", s.Null)
	switch len(plain) {
	case 0:
	case 1:
		ways = append(ways, object{"type": plain[0]})
	default:
		ways = append(ways, object{"type": plain})
	}
	switch {
	case len(s.Words) > 0:
		ways = append(ways, object{"type": "string", "enum": s.Words})
	case s.Text && s.Pattern != "":
		ways = append(ways, object{"type": "string", "pattern": s.Pattern})
	}
	if s.Integer {
		ways = append(ways, object{"type": "integer", "minimum": s.Low, "maximum": s.High})
	}
	if s.Duration {
		ways = append(ways, ref("duration"))
	}
	if s.Rate {
		ways = append(ways, ref("rate"))
	}
	return ways
}

func mapping(m *strictyaml.MapShape) object {
	if m.Values != nil {
		out := object{"type": "object", "additionalProperties": render(m.Values)}
		if m.KeyPattern != "" {
			out["propertyNames"] = object{"pattern": m.KeyPattern}
		}
		return out
	}
	properties := object{}
	var required []string
	for _, k := range m.Keys {
		properties[k.Name] = render(k.Value)
		if k.Required {
			required = append(required, k.Name)
		}
	}
	return closed(properties, required...)
}

// closed is an object with these keys and no others.
func closed(properties object, required ...string) object {
	o := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

// described gives a schema a description.
func described(o object, text string) object {
	o["description"] = text
	return o
}
