package vm

import (
	"maps"
	"slices"

	"github.com/dop251/goja"
)

// environ is __ENV: the scenario's own, what was set by the script, and what perfctl
// was given.
type environ struct {
	v   *VM
	own map[string]goja.Value
	// gone are names that the script deleted.
	gone map[string]bool
}

// Get returns a variable; one that nobody set is undefined.
func (e *environ) Get(key string) goja.Value {
	if x, ok := e.own[key]; ok {
		return x
	}
	if e.gone[key] {
		return nil
	}
	if it := e.v.it; it != nil {
		if x, ok := it.Env[key]; ok {
			return e.v.rt.ToValue(x)
		}
	}
	if e.v.s.host.Lookup != nil {
		if x, ok := e.v.s.host.Lookup(key); ok {
			return e.v.rt.ToValue(x)
		}
	}
	return nil
}

// Set sets a variable for this user.
func (e *environ) Set(key string, x goja.Value) bool {
	if e.own == nil {
		e.own = map[string]goja.Value{}
	}
	e.own[key] = x
	delete(e.gone, key)
	return true
}

// Has says whether a variable is set.
func (e *environ) Has(key string) bool { return e.Get(key) != nil }

// Delete removes a variable for this user.
func (e *environ) Delete(key string) bool {
	delete(e.own, key)
	if e.gone == nil {
		e.gone = map[string]bool{}
	}
	e.gone[key] = true
	return true
}

// Keys are all names, in order.
func (e *environ) Keys() []string {
	all := map[string]bool{}
	for k := range e.own {
		all[k] = true
	}
	if it := e.v.it; it != nil {
		for k := range it.Env {
			all[k] = true
		}
	}
	if names := e.v.s.host.Names; names != nil {
		for _, k := range names() {
			if !e.gone[k] && e.Has(k) {
				all[k] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}
