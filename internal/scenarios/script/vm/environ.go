package vm

import "github.com/dop251/goja"

// environ is __ENV: the scenario's own, what was set by the script, and what perfctl
// was given.
type environ struct {
	v   *VM
	own map[string]goja.Value
}

// Get returns a variable; one that nobody set is undefined.
func (e *environ) Get(key string) goja.Value {
	if x, ok := e.own[key]; ok {
		return x
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
	return true
}

// Has says whether a variable is set.
func (e *environ) Has(key string) bool { return e.Get(key) != nil }

// Delete removes what the script set.
func (e *environ) Delete(key string) bool {
	delete(e.own, key)
	return true
}

// Keys are the names that the script or its scenario set; those of the environment
// are found by name alone.
func (e *environ) Keys() []string {
	out := sortedKeys(e.own)
	if it := e.v.it; it != nil {
		out = append(out, sortedKeys(it.Env)...)
	}
	return out
}
