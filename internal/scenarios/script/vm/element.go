package vm

import (
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/dop251/goja"
	"golang.org/x/net/html"
)

// elementMethods are those of the first element of a selection, as each and get hand
// it to a script.
func (v *VM) elementMethods(set setMethod) {
	first := func(s *selection) *html.Node {
		if s.sel.Length() == 0 {
			return &html.Node{}
		}
		return s.sel.Get(0)
	}
	attr := func(n *html.Node, name string) (string, bool) {
		for _, a := range n.Attr {
			if strings.EqualFold(a.Key, name) {
				return a.Val, true
			}
		}
		return "", false
	}
	set("nodeName", func(s *selection, _ goja.FunctionCall) any { return goquery.NodeName(s.sel) })
	set("nodeType", func(s *selection, _ goja.FunctionCall) any {
		return map[html.NodeType]int{html.ElementNode: 1, html.TextNode: 3, html.CommentNode: 8, html.DocumentNode: 9, html.DoctypeNode: 10}[first(s).Type]
	})
	set("textContent", func(s *selection, _ goja.FunctionCall) any { return s.sel.First().Text() })
	set("innerText", func(s *selection, _ goja.FunctionCall) any { return s.sel.First().Text() })
	set("innerHTML", func(s *selection, _ goja.FunctionCall) any {
		text, err := s.sel.First().Html()
		if err != nil {
			return goja.Undefined()
		}
		return text
	})
	set("outerHTML", func(s *selection, _ goja.FunctionCall) any {
		text, err := goquery.OuterHtml(s.sel.First())
		if err != nil {
			return goja.Undefined()
		}
		return text
	})
	set("getAttribute", func(s *selection, c goja.FunctionCall) any {
		if x, ok := attr(first(s), c.Argument(0).String()); ok {
			return x
		}
		return goja.Undefined()
	})
	set("hasAttribute", func(s *selection, c goja.FunctionCall) any {
		_, ok := attr(first(s), c.Argument(0).String())
		return ok
	})
	set("hasAttributes", func(s *selection, _ goja.FunctionCall) any { return len(first(s).Attr) > 0 })
	set("attributes", func(s *selection, _ goja.FunctionCall) any {
		o := v.rt.NewObject()
		for _, a := range first(s).Attr {
			_ = o.Set(a.Key, v.object(map[string]any{"name": a.Key, "value": a.Val}))
		}
		return o
	})
	for method, name := range map[string]string{"id": "id", "className": "class", "name": "name", "type": "type", "href": "href", "src": "src",
		"action": "action", "method": "method", "title": "title", "alt": "alt", "placeholder": "placeholder", "lang": "lang"} {
		set(method, func(s *selection, _ goja.FunctionCall) any { x, _ := attr(first(s), name); return x })
	}
	set("value", func(s *selection, _ goja.FunctionCall) any { return fieldValue(s.sel.First()) })
	for method, name := range map[string]string{"checked": "checked", "disabled": "disabled", "selected": "selected", "multiple": "multiple",
		"required": "required", "readOnly": "readonly", "hidden": "hidden"} {
		set(method, func(s *selection, _ goja.FunctionCall) any { _, ok := attr(first(s), name); return ok })
	}
	set("classList", func(s *selection, _ goja.FunctionCall) any {
		x, _ := attr(first(s), "class")
		return strings.Fields(x)
	})
	set("querySelector", func(s *selection, c goja.FunctionCall) any {
		if got := v.find(s.sel.First(), c.Argument(0).String()).First(); got.Length() > 0 {
			return v.selected(got, s.url)
		}
		return goja.Null()
	})
	set("querySelectorAll", func(s *selection, c goja.FunctionCall) any {
		return v.list(&selection{v, v.find(s.sel.First(), c.Argument(0).String()), s.url})
	})
	set("hasClass", func(s *selection, c goja.FunctionCall) any { return s.sel.HasClass(c.Argument(0).String()) })
}
