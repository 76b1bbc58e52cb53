package vm

import (
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/dop251/goja"
)

// selectionLists are the methods that go through elements.
func (v *VM) selectionLists(set setMethod) {
	set("eq", func(s *selection, c goja.FunctionCall) any {
		return v.selected(s.sel.Eq(int(c.Argument(0).ToInteger())), s.url)
	})
	set("slice", func(s *selection, c goja.FunctionCall) any {
		n := s.sel.Length()
		from, to := fromEnd(c.Argument(0).ToInteger(), n), n
		if x := c.Argument(1); !nothing(x) {
			to = fromEnd(x.ToInteger(), n)
		}
		return v.selected(s.sel.Slice(min(from, to), to), s.url)
	})
	set("get", func(s *selection, c goja.FunctionCall) any {
		if x := c.Argument(0); !nothing(x) {
			if one := s.sel.Eq(int(x.ToInteger())); one.Length() > 0 {
				return v.selected(one, s.url)
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
	set("serialize", func(s *selection, _ goja.FunctionCall) any {
		var b strings.Builder
		for _, f := range fieldList(s.sel) {
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			b.WriteString(url.QueryEscape(f.name) + "=" + url.QueryEscape(f.value))
		}
		return b.String()
	})
	set("serializeObject", func(s *selection, _ goja.FunctionCall) any {
		o := v.rt.NewObject()
		for _, f := range fieldList(s.sel) {
			_ = o.Set(f.name, f.value)
		}
		return o
	})
	set("serializeArray", func(s *selection, _ goja.FunctionCall) any {
		var out []any
		for _, f := range fieldList(s.sel) {
			out = append(out, v.object(map[string]any{"name": f.name, "value": f.value}))
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

// fromEnd is a place in a list of n, counted from its end where it is below 0.
func fromEnd(i int64, n int) int {
	if i < 0 {
		i += int64(n)
	}
	return int(min(max(i, 0), int64(n)))
}

// formField is one value of a form.
type formField struct{ name, value string }

// fields are the values that a form would send.
func fields(form *goquery.Selection) url.Values {
	out := url.Values{}
	for _, f := range fieldList(form) {
		out.Add(f.name, f.value)
	}
	return out
}

// fieldList are the values that a form would send, as they stand in the page.
func fieldList(form *goquery.Selection) (out []formField) {
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
				out = append(out, formField{name, f.AttrOr("value", "on")})
			}
			return
		case "submit", "button", "image", "reset", "file":
			return
		}
		if _, several := f.Attr("multiple"); several && goquery.NodeName(f) == "select" {
			f.Find("option[selected]").Each(func(_ int, o *goquery.Selection) {
				x, _ := fieldValue(o).(string)
				out = append(out, formField{name, x})
			})
			return
		}
		if x, ok := fieldValue(f).(string); ok {
			out = append(out, formField{name, x})
		} else if goquery.NodeName(f) == "input" {
			out = append(out, formField{name, ""})
		}
	})
	return out
}
