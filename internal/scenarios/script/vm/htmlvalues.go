package vm

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/dop251/goja"
)

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
	set("is", func(s *selection, c goja.FunctionCall) any { return v.matching(s, c.Argument(0)).Length() > 0 })
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
		if x := c.Argument(0); !nothing(x) {
			if text, ok := s.sel.Attr("data-" + dashed(x.String())); ok {
				return v.typed(text)
			}
			return goja.Undefined()
		}
		return v.allData(s.sel.First())
	})
	set("val", func(s *selection, _ goja.FunctionCall) any { return v.fieldValues(s.sel.First()) })
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

// fieldValues is the value of a field as a script sees it: that of a select of several is
// an array.
func (v *VM) fieldValues(s *goquery.Selection) any {
	if _, several := s.Attr("multiple"); !several || goquery.NodeName(s) != "select" {
		return fieldValue(s)
	}
	out := []any{}
	s.Find("option[selected]").Each(func(_ int, o *goquery.Selection) { out = append(out, fieldValue(o)) })
	return v.rt.NewArray(out...)
}

var capital = regexp.MustCompile(`[A-Z]`)

// dashed is the name of an attribute of data: fooBar is data-foo-bar.
func dashed(name string) string {
	return capital.ReplaceAllStringFunc(name, func(s string) string { return "-" + strings.ToLower(s) })
}

// camel is the other way round.
func camel(name string) string {
	parts := strings.Split(name, "-")
	for i := 1; i < len(parts); i++ {
		if p := parts[i]; p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

// typed is a value of data, as jQuery reads it: numbers, truth values, null and JSON are
// what they say, all else is a text.
func (v *VM) typed(text string) any {
	switch text {
	case "true", "false":
		return text == "true"
	case "null":
		return goja.Null()
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && strconv.FormatFloat(n, 'f', -1, 64) == text {
		return n
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		if json.Valid([]byte(text)) {
			return v.parse(text)
		}
	}
	return text
}

// allData are the values of data of an element.
func (v *VM) allData(s *goquery.Selection) *goja.Object {
	o := v.rt.NewObject()
	if s.Length() == 0 {
		return o
	}
	for _, a := range s.Get(0).Attr {
		if name, ok := strings.CutPrefix(a.Key, "data-"); ok {
			_ = o.Set(camel(name), v.typed(a.Val))
		}
	}
	return o
}

// matching are the elements that a selector, a selection or a function chooses.
func (v *VM) matching(s *selection, by goja.Value) *goquery.Selection {
	if f, ok := goja.AssertFunction(by); ok {
		return s.sel.FilterFunction(func(i int, one *goquery.Selection) bool {
			x := v.selected(one, s.url)
			out, err := f(x, v.rt.ToValue(i), x)
			if err != nil {
				panic(err)
			}
			return out.ToBoolean()
		})
	}
	if o, ok := by.(*goja.Object); ok {
		return s.sel.FilterSelection(v.selectionOf(o).sel)
	}
	if nothing(by) {
		return s.sel.Slice(0, 0)
	}
	return s.sel.Filter(by.String())
}
