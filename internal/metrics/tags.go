package metrics

import (
	"iter"
	"strings"
)

// TagNames are the names of all tags, in the order in which keys hold them.
var TagNames = []string{"scenario", "operation", "stage", "outcome", "group"}

// Tags tell the series of one metric apart. They are few and fixed before the
// first arrival.
type Tags struct {
	Scenario  string `json:"scenario,omitempty"`
	Operation string `json:"operation,omitempty"`
	Stage     string `json:"stage,omitempty"`
	Outcome   string `json:"outcome,omitempty"`
	// Group is what a user put the operation under.
	Group string `json:"group,omitempty"`
}

// fields are where the tags are kept, in the order of TagNames.
func (t *Tags) fields() [5]*string {
	return [...]*string{&t.Scenario, &t.Operation, &t.Stage, &t.Outcome, &t.Group}
}

// Field returns where the tag of that name is kept, nil for a name that is none.
func (t *Tags) Field(name string) *string {
	fields := t.fields()
	for i, n := range TagNames {
		if n == name {
			return fields[i]
		}
	}
	return nil
}

// All yields every tag, in the order of TagNames; one that is not set is empty.
func (t Tags) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		fields := t.fields()
		for i, name := range TagNames {
			if !yield(name, *fields[i]) {
				return
			}
		}
	}
}

// Values returns the values of all tags, in the order of TagNames.
func (t Tags) Values() []string {
	var out []string
	for _, v := range t.All() {
		out = append(out, v)
	}
	return out
}

// Series is one metric under one set of tags.
type Series struct {
	Desc
	Tags
}

// Key returns the series as text, in the form that thresholds use:
// name{scenario:tasks,stage:peak}. Equal series have equal keys.
func (s Series) Key() string {
	var b strings.Builder
	b.WriteString(s.Name)
	sep := byte('{')
	for name, v := range s.All() {
		if v == "" {
			continue
		}
		b.WriteByte(sep)
		b.WriteString(name)
		b.WriteByte(':')
		b.WriteString(v)
		sep = ','
	}
	if sep == ',' {
		b.WriteByte('}')
	}
	return b.String()
}

// ParseKey is the inverse of Key; ok is false for a text that is the key of no
// series. Kind, unit and help stay empty.
func ParseKey(key string) (s Series, ok bool) {
	name, tags, tagged := strings.Cut(key, "{")
	s.Name = name
	if tagged {
		tags, ok = strings.CutSuffix(tags, "}")
		if !ok {
			return s, false
		}
		for tag := range strings.SplitSeq(tags, ",") {
			k, v, _ := strings.Cut(tag, ":")
			if field := s.Field(k); field != nil {
				*field = v
			}
		}
	}
	// A key that is not the one of what it was read as is damaged.
	return s, name != "" && s.Key() == key
}

// Selector picks series: an empty field matches everything.
type Selector struct {
	// Name is the metric's; Role picks every metric that has it. One of them is set.
	Name string
	Role Role
	Tags
}

// Matches says whether the selector picks the series.
func (q Selector) Matches(s *Series) bool {
	if q.Name != "" && q.Name != s.Name || q.Role != "" && q.Role != s.Role || q.Name == "" && q.Role == "" {
		return false
	}
	have := s.fields()
	for i, want := range q.fields() {
		if *want != "" && *want != *have[i] {
			return false
		}
	}
	return true
}
