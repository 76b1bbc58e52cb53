package vm

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/dop251/goja"
	"golang.org/x/net/html"
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
	chain("filter", func(s sel) sel { return s }, sel.Filter)
	chain("not", func(s sel) sel { return s }, sel.Not)
	chain("has", func(s sel) sel { return s }, sel.Has)
	chain("nextUntil", sel.NextAll, sel.NextUntil)
	chain("prevUntil", sel.PrevAll, sel.PrevUntil)
	chain("parentsUntil", sel.Parents, sel.ParentsUntil)
	chain("contents", sel.Contents, nil)
	chain("first", sel.First, nil)
	chain("last", sel.Last, nil)
	v.selectionValues(set)
	v.elementMethods(set)
	v.selectionLists(set)
	return o
}

type setMethod func(name string, f func(s *selection, c goja.FunctionCall) any)

// selectionValues are the methods that return texts and numbers.
func (v *VM) selectionValues(set setMethod) {
	set("text", func(s *selection, _ goja.FunctionCall) any { return s.sel.Text() })
	set("html", func(s *selection, _ goja.FunctionCall) any {
		text, err := s.sel.Html()
		if err != nil {
			return goja.Undefined()
		}
		return text
	})
	set("size", func(s *selection, _ goja.FunctionCall) any { return s.sel.Length() })
	set("is", func(s *selection, c goja.FunctionCall) any { return s.sel.Is(c.Argument(0).String()) })
	set("attr", func(s *selection, c goja.FunctionCall) any {
		if x, ok := s.sel.Attr(c.Argument(0).String()); ok {
			return x
		}
		if d := c.Argument(1); !goja.IsUndefined(d) {
			return d
		}
		return goja.Undefined()
	})
	set("data", func(s *selection, c goja.FunctionCall) any {
		if x, ok := s.sel.Attr("data-" + c.Argument(0).String()); ok {
			return x
		}
		return goja.Undefined()
	})
	set("val", func(s *selection, _ goja.FunctionCall) any { return fieldValue(s.sel) })
	set("index", func(s *selection, _ goja.FunctionCall) any { return s.sel.Index() })
}

// fieldValue is the value of a form's field.
func fieldValue(s *goquery.Selection) any {
	switch goquery.NodeName(s) {
	case "select":
		chosen := s.Find("option[selected]")
		if chosen.Length() == 0 {
			chosen = s.Find("option").First()
		}
		if x, ok := chosen.Attr("value"); ok {
			return x
		}
		return chosen.Text()
	case "textarea", "option", "button":
		if x, ok := s.Attr("value"); ok {
			return x
		}
		return s.Text()
	}
	if x, ok := s.Attr("value"); ok {
		return x
	}
	return goja.Undefined()
}

// selectionLists are the methods that go through elements.
func (v *VM) selectionLists(set setMethod) {
	set("eq", func(s *selection, c goja.FunctionCall) any {
		return v.selected(s.sel.Eq(int(c.Argument(0).ToInteger())), s.url)
	})
	set("slice", func(s *selection, c goja.FunctionCall) any {
		from, to := int(c.Argument(0).ToInteger()), s.sel.Length()
		if x := c.Argument(1); !nothing(x) {
			to = min(int(x.ToInteger()), to)
		}
		return v.selected(s.sel.Slice(min(max(from, 0), to), to), s.url)
	})
	set("get", func(s *selection, c goja.FunctionCall) any {
		if x := c.Argument(0); !nothing(x) {
			if i := int(x.ToInteger()); i >= 0 && i < s.sel.Length() {
				return v.selected(s.sel.Eq(i), s.url)
			}
			return goja.Undefined()
		}
		return v.list(s)
	})
	set("toArray", func(s *selection, _ goja.FunctionCall) any { return v.list(s) })
	set("each", func(s *selection, c goja.FunctionCall) any {
		v.eachOf(s, c.Argument(0), func(goja.Value) {})
		return c.This
	})
	set("map", func(s *selection, c goja.FunctionCall) any {
		out := []any{}
		v.eachOf(s, c.Argument(0), func(x goja.Value) { out = append(out, x) })
		return v.rt.NewArray(out...)
	})
	set("serialize", func(s *selection, _ goja.FunctionCall) any { return fields(s.sel).Encode() })
	set("serializeObject", func(s *selection, _ goja.FunctionCall) any {
		o := v.rt.NewObject()
		f := fields(s.sel)
		for _, k := range sortedKeys(f) {
			_ = o.Set(k, f.Get(k))
		}
		return o
	})
	set("serializeArray", func(s *selection, _ goja.FunctionCall) any {
		var out []any
		f := fields(s.sel)
		for _, k := range sortedKeys(f) {
			for _, x := range f[k] {
				out = append(out, v.object(map[string]any{"name": k, "value": x}))
			}
		}
		return v.rt.NewArray(out...)
	})
}

func (v *VM) list(s *selection) goja.Value {
	out := make([]any, s.sel.Length())
	for i := range out {
		out[i] = v.selected(s.sel.Eq(i), s.url)
	}
	return v.rt.NewArray(out...)
}

// eachOf calls a function with the number and the element.
func (v *VM) eachOf(s *selection, fn goja.Value, with func(goja.Value)) {
	f, ok := goja.AssertFunction(fn)
	if !ok {
		panic(v.rt.NewTypeError("each and map need a function"))
	}
	for i := range s.sel.Length() {
		x := v.selected(s.sel.Eq(i), s.url)
		out, err := f(x, v.rt.ToValue(i), x)
		if err != nil {
			panic(err)
		}
		with(out)
	}
}

// fields are the values that a form would send.
func fields(form *goquery.Selection) url.Values {
	out := url.Values{}
	all := form.Find("input, select, textarea")
	if all.Length() == 0 {
		all = form.Filter("input, select, textarea")
	}
	all.Each(func(_ int, f *goquery.Selection) {
		name, ok := f.Attr("name")
		if !ok || name == "" {
			return
		}
		if _, off := f.Attr("disabled"); off {
			return
		}
		switch kind := strings.ToLower(f.AttrOr("type", "")); kind {
		case "checkbox", "radio":
			if _, on := f.Attr("checked"); on {
				out.Add(name, f.AttrOr("value", "on"))
			}
			return
		case "submit", "button", "image", "reset", "file":
			return
		}
		if x, ok := fieldValue(f).(string); ok {
			out.Add(name, x)
		} else if goquery.NodeName(f) == "input" {
			out.Add(name, "")
		}
	})
	return out
}

// options reads the argument of clickLink and submitForm.
func (v *VM) pick(c goja.FunctionCall, usual string) (css string, params goja.Value, args *goja.Object) {
	css, params, args = usual, goja.Undefined(), v.rt.NewObject()
	if o, ok := c.Argument(0).(*goja.Object); ok {
		args = o
		if x := o.Get("selector"); !nothing(x) {
			css = x.String()
		}
		if x := o.Get("formSelector"); !nothing(x) {
			css = x.String()
		}
		if x := o.Get("params"); !nothing(x) {
			params = x
		}
	}
	return css, params, args
}

// page is the body of a response as a document, and its address.
func (v *VM) page(c goja.FunctionCall) (*goquery.Document, *url.URL) {
	r := v.this(c)
	node, err := html.Parse(bytes.NewReader(r.o.body))
	if err != nil {
		v.throw("html: " + err.Error())
	}
	at, err := url.Parse(r.o.last().url)
	if err != nil {
		v.throw(err.Error())
	}
	return goquery.NewDocumentFromNode(node), at
}

func (v *VM) resolve(at *url.URL, ref string) goja.Value {
	u, err := at.Parse(ref)
	if err != nil {
		v.throw("the address " + ref + " of the page: " + err.Error())
	}
	return v.rt.ToValue(u.String())
}

func (v *VM) clickLink(c goja.FunctionCall) goja.Value {
	css, params, _ := v.pick(c, "a[href]")
	doc, at := v.page(c)
	link := v.find(doc.Selection, css).First()
	if link.Length() == 0 {
		v.throw("clickLink: nothing on the page is selected by " + css)
	}
	href, ok := link.Attr("href")
	if !ok {
		v.throw("clickLink: what " + css + " selects has no href")
	}
	return v.do("GET", v.resolve(at, href), goja.Undefined(), params)
}

func (v *VM) submitForm(c goja.FunctionCall) goja.Value {
	css, params, args := v.pick(c, "form")
	doc, at := v.page(c)
	form := v.find(doc.Selection, css).First()
	if form.Length() == 0 {
		v.throw("submitForm: nothing on the page is selected by " + css)
	}
	values := fields(form)
	button := "[type=\"submit\"]"
	if x := args.Get("submitSelector"); !nothing(x) {
		button = x.String()
	}
	if b := v.find(form, button).First(); b.AttrOr("name", "") != "" {
		values.Set(b.AttrOr("name", ""), b.AttrOr("value", ""))
	}
	if o, ok := args.Get("fields").(*goja.Object); ok {
		for _, k := range o.Keys() {
			values.Set(k, o.Get(k).String())
		}
	}
	to := form.AttrOr("action", at.String())
	if strings.ToUpper(form.AttrOr("method", "GET")) == "GET" {
		u, err := at.Parse(to)
		if err != nil {
			v.throw("the action of the form: " + err.Error())
		}
		u.RawQuery = values.Encode()
		return v.do("GET", v.rt.ToValue(u.String()), goja.Undefined(), params)
	}
	body := v.rt.NewObject()
	for _, k := range sortedKeys(values) {
		if len(values[k]) == 1 {
			_ = body.Set(k, values[k][0])
			continue
		}
		_ = body.Set(k, v.rt.ToValue(values[k]))
	}
	return v.do("POST", v.resolve(at, to), body, params)
}
