package vm

import (
	"slices"
	"strings"

	"github.com/dop251/goja"

	"github.com/perfctl/perfctl/internal/suggest"
)

// neverMind are names that the language itself asks for.
var neverMind = []string{"then", "toJSON", "toString", "toLocaleString", "valueOf", "constructor", "length", "inspect", "hasOwnProperty", "isPrototypeOf",
	"propertyIsEnumerable", "__proto__", "__esModule", "__file", "__statuses", "__jar", "__key", "default"}

// warn logs a warning once, with the place in the script that is being executed.
func (v *VM) warn(key, text string) {
	if v.s.heard(key) {
		return
	}
	if at := v.here(); at != "" {
		text = at + ": " + text
	}
	v.s.host.Log.Warn(text)
}

// heard says whether a warning was given before, and notes that it was now. Beyond a
// thousand of them everything was.
func (s *Script) heard(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.warned[key] || len(s.warned) >= 1000 {
		return true
	}
	s.warned[key] = true
	return false
}

// here is the place in the script that is being executed; empty for none.
func (v *VM) here() string {
	var frames [12]goja.StackFrame
	for _, f := range v.rt.CaptureCallStack(len(frames), frames[:0]) {
		if p := f.Position(); p.Line > 0 && p.Filename != "" && !strings.HasPrefix(p.Filename, "<") && !strings.Contains(p.Filename, "jslib:") {
			return place(p.Filename, p.Line, p.Column)
		}
	}
	return ""
}

// unknown is what stands behind an object of perfctl's, so that a name that it has not
// is told to the script's author, who would else read undefined without a word.
type unknown struct {
	v     *VM
	of    string
	names []string
}

// told makes an object of perfctl's report names that it does not have.
func (v *VM) told(o *goja.Object, of string) *goja.Object {
	u := &unknown{v: v, of: of, names: o.Keys()}
	_ = o.SetPrototype(v.rt.NewDynamicObject(u))
	return o
}

// Get reports a name that is not there.
func (u *unknown) Get(key string) goja.Value {
	if !slices.Contains(neverMind, key) {
		u.v.absent(u.of, key, u.names)
	}
	return nil
}

// absent warns of a name that is not there.
func (v *VM) absent(of, key string, names []string) {
	if v.s.program == nil {
		return
	}
	text := "a script reads " + key + " of " + of + ", which has no such property: it is undefined"
	if near, ok := suggest.Nearest(key, names); ok {
		text += "; did you mean " + near + "?"
	} else {
		text += "; there are " + strings.Join(names, ", ")
	}
	v.warn("read "+of+" "+key, text)
}

// Set keeps nothing: a name that is set belongs to the object itself.
func (u *unknown) Set(string, goja.Value) bool { return true }

// Has says that there is no such name.
func (u *unknown) Has(string) bool { return false }

// Delete has nothing to remove.
func (u *unknown) Delete(string) bool { return true }

// Keys are none.
func (u *unknown) Keys() []string { return nil }
