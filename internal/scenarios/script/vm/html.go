package vm

import (
	"bytes"
	"slices"

	"github.com/PuerkitoBio/goquery"
	"github.com/dop251/goja"
)

// selection is what a script sees of elements of a page.
type selection struct {
	v   *VM
	sel *goquery.Selection
	url string
}

// htmlModule is the module k6/html.
func (v *VM) htmlModule() *goja.Object {
	return v.object(map[string]any{
		"parseHTML": func(c goja.FunctionCall) goja.Value { return v.parseHTML(v.bytesOf(c.Argument(0)), "") },
		"Selection": v.rt.NewObject(),
	})
}

func (v *VM) parseHTML(text []byte, at string) goja.Value {
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(text))
	if err != nil {
		v.throw("html: " + err.Error())
	}
	return v.selected(doc.Selection, at)
}

func (v *VM) responseHTML(c goja.FunctionCall) goja.Value {
	r := v.this(c)
	if r.o.req.keep == keepNone || r.o.last().err != nil {
		v.throw("html: the response has no body" + because(r.o.last()))
	}
	out := v.parseHTML(r.o.body, r.o.last().url)
	if x := c.Argument(0); !nothing(x) {
		s := v.selectionOf(out)
		return v.selected(v.find(s.sel, x.String()), s.url)
	}
	return out
}

func (v *VM) selected(s *goquery.Selection, at string) goja.Value {
	o := v.rt.NewDynamicObject(&selection{v, s, at})
	if v.proto.selection == nil {
		v.proto.selection = v.selectionMethods()
	}
	_ = o.SetPrototype(v.proto.selection)
	return o
}

func (v *VM) selectionOf(x goja.Value) *selection {
	if o, ok := x.(*goja.Object); ok {
		if s, ok := o.Export().(*selection); ok {
			return s
		}
	}
	panic(v.rt.NewTypeError("this is a method of a selection of a page"))
}

// find selects by a CSS selector; one that is none is an error of the script's.
func (v *VM) find(s *goquery.Selection, css string) (out *goquery.Selection) {
	defer func() {
		if p := recover(); p != nil {
			v.throw("html: " + css + " is no selector that can be read")
		}
	}()
	return s.Find(css)
}

// Get returns what is there besides the methods.
func (s *selection) Get(key string) goja.Value {
	if key == "length" {
		return s.v.rt.ToValue(s.sel.Length())
	}
	if m := s.v.proto.selection; m != nil && !slices.Contains(neverMind, key) && m.Get(key) == nil {
		s.v.absent("a selection of a page", key, m.Keys())
	}
	return nil
}

// Set refuses.
func (s *selection) Set(string, goja.Value) bool { return false }

// Has says whether there is such a property.
func (s *selection) Has(key string) bool { return key == "length" }

// Delete refuses.
func (s *selection) Delete(string) bool { return false }

// Keys are none: a selection is no list of properties.
func (s *selection) Keys() []string { return nil }

// selectionMethods are the methods of a selection, made once for a user.
func (v *VM) selectionMethods() *goja.Object {
	type sel = *goquery.Selection
	o := v.rt.NewObject()
	set := func(name string, f func(s *selection, c goja.FunctionCall) any) {
		_ = o.Set(name, func(c goja.FunctionCall) goja.Value { return v.rt.ToValue(f(v.selectionOf(c.This), c)) })
	}
	chain := func(name string, all func(sel) sel, some func(sel, string) sel) {
		set(name, func(s *selection, c goja.FunctionCall) any {
			if x := c.Argument(0); !nothing(x) && some != nil {
				if _, text := x.Export().(string); !text {
					panic(v.rt.NewTypeError(name + " of a selection takes a selector, a text"))
				}
				return v.selected(some(s.sel, x.String()), s.url)
			}
			return v.selected(all(s.sel), s.url)
		})
	}
	chain("find", func(s sel) sel { return s.Slice(0, 0) }, func(s sel, css string) sel { return v.find(s, css) })
	chain("children", sel.Children, sel.ChildrenFiltered)
	chain("parent", sel.Parent, sel.ParentFiltered)
	chain("parents", sel.Parents, sel.ParentsFiltered)
	chain("siblings", sel.Siblings, sel.SiblingsFiltered)
	chain("next", sel.Next, sel.NextFiltered)
	chain("nextAll", sel.NextAll, sel.NextAllFiltered)
	chain("prev", sel.Prev, sel.PrevFiltered)
	chain("prevAll", sel.PrevAll, sel.PrevAllFiltered)
	chain("closest", func(s sel) sel { return s }, sel.Closest)
	chain("has", func(s sel) sel { return s }, sel.Has)
	chain("nextUntil", sel.NextAll, sel.NextUntil)
	chain("prevUntil", sel.PrevAll, sel.PrevUntil)
	chain("parentsUntil", sel.Parents, sel.ParentsUntil)
	chain("contents", sel.Contents, nil)
	chain("first", sel.First, nil)
	chain("last", sel.Last, nil)
	set("filter", func(s *selection, c goja.FunctionCall) any { return v.selected(v.matching(s, c.Argument(0)), s.url) })
	set("not", func(s *selection, c goja.FunctionCall) any {
		return v.selected(s.sel.NotSelection(v.matching(s, c.Argument(0))), s.url)
	})
	v.selectionValues(set)
	v.elementMethods(set)
	v.selectionLists(set)
	return o
}

type setMethod func(name string, f func(s *selection, c goja.FunctionCall) any)
