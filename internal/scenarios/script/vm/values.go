package vm

import (
	"strconv"

	"github.com/dop251/goja"
)

func itoa(n int) string { return strconv.Itoa(n) }

// splitMix is the generator behind Math.random: SplitMix64 (Steele, Lea and Flood,
// OOPSLA 2014).
type splitMix struct{ state uint64 }

func (r *splitMix) seed(n uint64) { r.state = n }

func (r *splitMix) float() float64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>11) * 0x1p-53
}

// throw throws an error with the text at the script.
func (v *VM) throw(text string) {
	ctor := v.rt.Get("Error")
	o, err := v.rt.New(ctor, v.rt.ToValue(text))
	if err != nil {
		panic(v.rt.ToValue(text))
	}
	panic(o)
}

// stringify is JSON.stringify of a value, with its further arguments.
func (v *VM) stringify(x goja.Value, more ...goja.Value) string {
	f, _ := goja.AssertFunction(v.rt.Get("JSON").ToObject(v.rt).Get("stringify"))
	out, err := f(goja.Undefined(), append([]goja.Value{x}, more...)...)
	if err != nil {
		panic(err)
	}
	if goja.IsUndefined(out) {
		return ""
	}
	return out.String()
}

func (v *VM) parse(text string) goja.Value {
	if v.proto.parse == nil {
		v.proto.parse, _ = goja.AssertFunction(v.rt.Get("JSON").ToObject(v.rt).Get("parse"))
	}
	out, err := v.proto.parse(goja.Undefined(), v.rt.ToValue(text))
	if err != nil {
		panic(err)
	}
	return out
}

func nothing(x goja.Value) bool { return x == nil || goja.IsUndefined(x) || goja.IsNull(x) }

// bytesOf is the bytes of a string, an ArrayBuffer or a typed array.
func (v *VM) bytesOf(x goja.Value) []byte {
	if nothing(x) {
		return nil
	}
	switch e := x.Export().(type) {
	case string:
		return []byte(e)
	case goja.ArrayBuffer:
		return e.Bytes()
	case []byte:
		return e
	}
	if o, ok := x.(*goja.Object); ok {
		if b, ok := v.viewed(o); ok {
			return b
		}
	}
	return []byte(x.String())
}

// viewed is the bytes of a typed array or a DataView.
func (v *VM) viewed(o *goja.Object) ([]byte, bool) {
	buffer := o.Get("buffer")
	if nothing(buffer) {
		return nil, false
	}
	b, ok := buffer.Export().(goja.ArrayBuffer)
	if !ok {
		return nil, false
	}
	from, n := o.Get("byteOffset").ToInteger(), o.Get("byteLength").ToInteger()
	return b.Bytes()[from : from+n], true
}

// isBinary says whether a value is an ArrayBuffer or a view of one.
func (v *VM) isBinary(x goja.Value) bool {
	o, ok := x.(*goja.Object)
	if !ok {
		return false
	}
	switch o.Export().(type) {
	case goja.ArrayBuffer, []byte:
		return true
	}
	_, ok = v.viewed(o)
	return ok
}

// object makes an object of names and functions or values.
func (v *VM) object(entries map[string]any) *goja.Object {
	o := v.rt.NewObject()
	for k, x := range entries {
		_ = o.Set(k, x)
	}
	return o
}

// getter defines a property that is computed where it is read.
func (v *VM) getter(o *goja.Object, name string, f func() any) {
	_ = o.DefineAccessorProperty(name, v.rt.ToValue(func(goja.FunctionCall) goja.Value { return v.rt.ToValue(f()) }), nil, goja.FLAG_TRUE, goja.FLAG_TRUE)
}

// try runs what may throw.
func (v *VM) try(f func()) error {
	if ex := v.rt.Try(f); ex != nil {
		return ex
	}
	return nil
}
