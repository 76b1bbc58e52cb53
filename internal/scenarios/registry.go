package scenarios

import (
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/suggest"
)

// Registry finds scenarios by name.
type Registry struct{ defs []Definition }

// NewRegistry returns a registry of the definitions, in their order.
func NewRegistry(defs ...Definition) *Registry { return &Registry{defs} }

// Definitions returns all of them.
func (r *Registry) Definitions() []Definition { return r.defs }

// Names returns the names of all.
func (r *Registry) Names() []string {
	out := make([]string, len(r.defs))
	for i, d := range r.defs {
		out[i] = d.Name
	}
	return out
}

// Find returns the definition of that name. The error names the nearest one.
func (r *Registry) Find(name string) (*Definition, error) {
	for i := range r.defs {
		if r.defs[i].Name == name {
			return &r.defs[i], nil
		}
	}
	return nil, fmt.Errorf("unknown scenario %q%s", name, hint(name, r.Names()))
}

func unknownOption(d *Definition, key string) error {
	keys := make([]string, len(d.Settings))
	for i, o := range d.Settings {
		keys[i] = o.Key
	}
	return fmt.Errorf("scenario %s has no setting %q%s", d.Name, key, hint(key, keys))
}

func hint(word string, choices []string) string {
	if near, ok := suggest.Nearest(word, choices); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; there are " + strings.Join(choices, ", ")
}
