package vm

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/dop251/goja"
	"golang.org/x/net/html"
)

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
