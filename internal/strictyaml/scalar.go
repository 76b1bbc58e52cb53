package strictyaml

import (
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"
)

// Scalar returns a text, number or boolean as it stands in the file, whatever
// it is; anything else, and nothing, is a problem.
func (v Value) Scalar() (string, bool) {
	if v.at != nil {
		v.at.scalar(func(s *Shape) { s.takes(aScalar) })
		return "", false
	}
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() == nullTag {
		v.wrong("a single value")
		return "", false
	}
	return v.node.Value, true
}

// Bare returns a text, number or boolean as Scalar does, and "" for anything else,
// which is the caller's to refuse.
func (v Value) Bare() string {
	if v.at != nil {
		v.at.scalar(func(s *Shape) { s.Text = true })
		return ""
	}
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() == nullTag {
		return ""
	}
	return v.node.Value
}

func (v Value) wrong(want string) { v.Add("%s must be %s, not %s", v.name, want, v.kind()) }

// String reads a text. A number or a boolean is one only in quotes.
func String(p *string) Reader {
	return func(v Value) {
		if v.at != nil {
			v.at.scalar(func(s *Shape) { s.Text = true })
			return
		}
		if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != strTag {
			v.wrong("a text (in quotes if it looks like something else)")
			return
		}
		*p = v.node.Value
	}
}

// Bool reads true or false.
func Bool(p *bool) Reader {
	return func(v Value) {
		if v.at != nil {
			v.at.scalar(func(s *Shape) { s.Bool = true })
			return
		}
		if v.node.Kind != yaml.ScalarNode || v.node.Value != "true" && v.node.Value != "false" {
			v.wrong("true or false")
			return
		}
		*p = v.node.Value == "true"
	}
}

// Int reads a whole number of low … high.
func Int(p *int64, low, high int64) Reader {
	return func(v Value) {
		if v.at != nil {
			v.at.scalar(func(s *Shape) { s.integer(low, high) })
			return
		}
		n, err := strconv.ParseInt(v.node.Value, 10, 64)
		if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != intTag || err != nil {
			v.wrong("a whole number")
			return
		}
		if n < low || n > high {
			v.Add("%s must be a number of %d … %d, not %d", v.name, low, high, n)
			return
		}
		*p = n
	}
}

// Duration reads a length of time as ParseDuration does.
func Duration(p *time.Duration) Reader {
	return func(v Value) {
		if v.at != nil {
			v.at.scalar(func(s *Shape) { s.Duration = true })
			return
		}
		if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() == nullTag {
			v.wrong("a duration such as 90s or 2m")
			return
		}
		d, err := ParseDuration(v.node.Value)
		if err != nil {
			v.Add("%s: %v", v.name, err)
			return
		}
		*p = d
	}
}

// Rate reads a number of events per second as ParseRate does.
func Rate(p *float64) Reader {
	return func(v Value) {
		if v.at != nil {
			v.at.scalar(func(s *Shape) { s.Rate = true })
			return
		}
		if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() == nullTag {
			v.wrong("a rate such as 100 (per second) or 6000/min")
			return
		}
		r, err := ParseRate(v.node.Value)
		if err != nil {
			v.Add("%s: %v", v.name, err)
			return
		}
		*p = r
	}
}

// IsNull says whether the value is empty or null.
func (v Value) IsNull() bool {
	if v.at != nil {
		return v.at.is(aNull)
	}
	return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == nullTag
}

// IsList says whether the value is a list.
func (v Value) IsList() bool {
	if v.at != nil {
		return v.at.is(aList)
	}
	return v.node.Kind == yaml.SequenceNode
}

// IsText says whether the value is a text, and no number and no boolean.
func (v Value) IsText() bool { return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == strTag }

// IsMap says whether the value is a mapping.
func (v Value) IsMap() bool {
	if v.at != nil {
		return v.at.is(aMap)
	}
	return v.node.Kind == yaml.MappingNode
}
