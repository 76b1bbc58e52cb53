package vm

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/dop251/goja"
)

// maxData bounds a file that a script opens, in bytes.
const maxData = 1 << 30

// open reads a file beside the script; each is read once for all users.
func (v *VM) open(dir string, name, mode goja.Value) goja.Value {
	if v.phase != phaseInit {
		v.throw("open is only possible outside functions, so that files are read before the first iteration")
	}
	if nothing(name) || name.String() == "" {
		v.throw("open needs the name of a file")
	}
	path := strings.TrimPrefix(name.String(), "file://")
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	data, err := v.s.file(path)
	if err != nil {
		v.throw(fmt.Sprintf("open %q: %v", name.String(), err))
	}
	if !nothing(mode) && mode.String() == "b" {
		return v.rt.ToValue(v.rt.NewArrayBuffer(append([]byte(nil), data...)))
	}
	if !nothing(mode) && mode.String() != "" {
		v.throw(fmt.Sprintf("open %q: the mode %q is none; there is \"b\" for bytes", name.String(), mode.String()))
	}
	return v.rt.ToValue(strings.ToValidUTF8(string(data), "\uFFFD"))
}

func (s *Script) file(path string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.files[path]; ok {
		return b, nil
	}
	b, err := s.host.ReadFile(path)
	if err == nil && len(b) > maxData {
		err = fmt.Errorf("the file has more than %d bytes", maxData)
	}
	if err != nil {
		return nil, err
	}
	s.files[path] = b
	return b, nil
}

// Files are the files that the script opened, with what was in them.
func (s *Script) Files() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string][]byte, len(s.files))
	for k, b := range s.files {
		out[k] = b
	}
	return out
}

// sharedArray is the data that all users read and none changes.
type sharedArray struct {
	once  sync.Once
	items []json.RawMessage
	err   error
}

func (s *Script) array(name string) *sharedArray {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.arrays[name]
	if a == nil {
		a = &sharedArray{}
		s.arrays[name] = a
	}
	return a
}

// dataModule is the module k6/data.
func (v *VM) dataModule() *goja.Object {
	return v.object(map[string]any{"SharedArray": v.newSharedArray})
}

func (v *VM) newSharedArray(c goja.ConstructorCall) *goja.Object {
	if v.phase != phaseInit {
		v.throw("a SharedArray is made outside functions")
	}
	name := c.Argument(0)
	if nothing(name) || name.String() == "" {
		v.throw("a SharedArray needs a name that is not empty")
	}
	f, ok := goja.AssertFunction(c.Argument(1))
	if !ok {
		v.throw("a SharedArray needs a function that returns its array")
	}
	a := v.s.array(name.String())
	a.once.Do(func() { a.fill(v, f) })
	if a.err != nil {
		v.throw(fmt.Sprintf("SharedArray %q: %v", name.String(), a.err))
	}
	return v.rt.NewDynamicArray(&arrayView{v, a})
}

// fill runs the function that returns the data, once for all users.
func (a *sharedArray) fill(v *VM, f goja.Callable) {
	out, err := f(goja.Undefined())
	if err != nil {
		a.err = v.explain(err)
		return
	}
	o, ok := out.(*goja.Object)
	if !ok || o.ClassName() != "Array" {
		a.err = fmt.Errorf("its function returns no array")
		return
	}
	a.err = v.try(func() {
		n := int(o.Get("length").ToInteger())
		a.items = make([]json.RawMessage, n)
		for i := range n {
			text := v.stringify(o.Get(itoa(i)))
			if text == "" {
				text = "null"
			}
			a.items[i] = json.RawMessage(text)
		}
	})
}

// arrayView is a user's view of shared data: an item is made where it is read.
type arrayView struct {
	v *VM
	a *sharedArray
}

// Len returns the number of items.
func (x *arrayView) Len() int { return len(x.a.items) }

// Get makes an item.
func (x *arrayView) Get(i int) goja.Value {
	if i < 0 || i >= len(x.a.items) {
		return goja.Undefined()
	}
	return x.v.frozen(x.v.parse(string(x.a.items[i])))
}

// Set refuses: the data is shared.
func (x *arrayView) Set(int, goja.Value) bool {
	x.v.throw("a SharedArray cannot be changed")
	return false
}

// SetLen refuses likewise.
func (x *arrayView) SetLen(int) bool {
	x.v.throw("a SharedArray cannot be changed")
	return false
}

// frozen makes an object that cannot be changed, so that no user takes it for its own.
func (v *VM) frozen(x goja.Value) goja.Value {
	o, ok := x.(*goja.Object)
	if !ok {
		return x
	}
	for _, k := range o.Keys() {
		v.frozen(o.Get(k))
	}
	f, _ := goja.AssertFunction(v.rt.Get("Object").ToObject(v.rt).Get("freeze"))
	if _, err := f(goja.Undefined(), o); err != nil {
		panic(err)
	}
	return o
}
