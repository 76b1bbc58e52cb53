package vm

import (
	"errors"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dop251/goja"
	"github.com/tidwall/gjson"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func durationOf(n int64) time.Duration { return time.Duration(n) }

// response is what a script sees of an answer: each property is made where it is
// read, since most never are.
type response struct {
	v                               *VM
	o                               *outcome
	text, headers, cookies, timings goja.Value
	changed                         map[string]goja.Value
}

// responseNames are the properties of a response, methods the functions.
var (
	responseNames = []string{"body", "cookies", "error", "error_code", "headers", "ocsp", "proto", "remote_ip", "remote_port", "request",
		"status", "status_text", "timings", "tls_cipher_suite", "tls_version", "url"}
	responseMethods = []string{"clickLink", "html", "json", "submitForm"}
)

func (v *VM) responseOf(o *outcome) goja.Value {
	obj := v.rt.NewDynamicObject(&response{v: v, o: o})
	if v.proto.response == nil {
		v.proto.response = v.object(map[string]any{
			"json": v.responseJSON, "html": v.responseHTML, "clickLink": v.clickLink, "submitForm": v.submitForm,
		})
	}
	_ = obj.SetPrototype(v.proto.response)
	return obj
}

// this is the response that a method is called on.
func (v *VM) this(c goja.FunctionCall) *response {
	if o, ok := c.This.(*goja.Object); ok {
		if r, ok := o.Export().(*response); ok {
			return r
		}
	}
	panic(v.rt.NewTypeError("this is a method of a response"))
}

// Get makes a property.
func (r *response) Get(key string) goja.Value {
	if x, ok := r.changed[key]; ok {
		return x
	}
	v, h := r.v, r.o.last()
	switch key {
	case "status":
		return v.rt.ToValue(h.status)
	case "body":
		return r.body()
	case "timings":
		if r.timings == nil {
			r.timings = v.timingsOf(h)
		}
		return r.timings
	case "headers":
		if r.headers == nil {
			r.headers = v.headersOf(h.header)
		}
		return r.headers
	case "cookies":
		if r.cookies == nil {
			r.cookies = v.cookiesOf(h.header)
		}
		return r.cookies
	case "url":
		return v.rt.ToValue(h.url)
	case "status_text":
		if h.status == 0 {
			return v.rt.ToValue("")
		}
		return v.rt.ToValue(itoa(h.status) + " " + http.StatusText(h.status))
	case "proto":
		return v.rt.ToValue(h.proto)
	case "error":
		if h.err == nil {
			return v.rt.ToValue("")
		}
		return v.rt.ToValue(errorText(h.err))
	case "error_code":
		return v.rt.ToValue(errorCode(h))
	case "request":
		return v.requestOf(r.o, h)
	case "remote_ip", "remote_port", "tls_version", "tls_cipher_suite", "ocsp":
		v.warn("response "+key, "a script reads "+key+" of a response, which perfctl does not tell: it is empty")
		return v.rt.ToValue("")
	}
	if !slices.Contains(responseMethods, key) && !slices.Contains(neverMind, key) {
		v.absent("a response", key, append(slices.Clone(responseNames), responseMethods...))
	}
	return nil
}

// Set keeps what a script puts there.
func (r *response) Set(key string, x goja.Value) bool {
	if r.changed == nil {
		r.changed = map[string]goja.Value{}
	}
	r.changed[key] = x
	return true
}

// Has says whether there is such a property.
func (r *response) Has(key string) bool {
	_, own := r.changed[key]
	return own || slices.Contains(responseNames, key)
}

// Delete removes nothing but what a script put there.
func (r *response) Delete(key string) bool {
	delete(r.changed, key)
	return true
}

// Keys are the names of the properties that are told.
func (r *response) Keys() []string {
	return []string{"body", "cookies", "error", "error_code", "headers", "proto", "request", "status", "status_text", "timings", "url"}
}

func (r *response) body() goja.Value {
	if r.text != nil {
		return r.text
	}
	switch {
	case r.o.req.keep == keepNone:
		r.text = goja.Null()
	case r.o.last().status == 0:
		r.text = goja.Null()
	case r.o.req.keep == keepBytes:
		r.text = r.v.rt.ToValue(r.v.rt.NewArrayBuffer(r.o.body))
	default:
		r.text = r.v.rt.ToValue(strings.ToValidUTF8(string(r.o.body), "\uFFFD"))
	}
	return r.text
}

func millis(d time.Duration) float64 { return float64(d) / 1e6 }

// timing is what a script sees of a request's phases, in milliseconds.
type timing struct {
	v *VM
	h *hop
}

var timingNames = []string{"blocked", "connecting", "tls_handshaking", "sending", "waiting", "receiving", "duration", "looking_up"}

func (v *VM) timingsOf(h *hop) goja.Value { return v.rt.NewDynamicObject(&timing{v, h}) }

// Get returns a phase.
func (x *timing) Get(key string) goja.Value {
	t := &x.h.timings
	var d time.Duration
	switch key {
	case "duration":
		d = t.Duration
	case "waiting":
		d = t.Waiting
	case "sending":
		d = t.Sending
	case "receiving":
		d = t.Receiving
	case "blocked":
		d = t.Blocked
	case "connecting":
		d = t.Connecting
	case "tls_handshaking":
		d = t.Handshaking
	case "looking_up":
	default:
		if !slices.Contains(neverMind, key) {
			x.v.absent("timings", key, timingNames)
		}
		return nil
	}
	return x.v.rt.ToValue(millis(d))
}

// Set refuses.
func (x *timing) Set(string, goja.Value) bool { return false }

// Has says whether there is such a phase.
func (x *timing) Has(key string) bool { return slices.Contains(timingNames, key) }

// Delete refuses.
func (x *timing) Delete(string) bool { return false }

// Keys are the phases.
func (x *timing) Keys() []string { return timingNames }

func (v *VM) headersOf(h http.Header) goja.Value {
	o := v.rt.NewObject()
	for _, k := range sortedKeys(h) {
		_ = o.Set(k, strings.Join(h[k], ", "))
	}
	return o
}

func sortedKeys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (v *VM) cookiesOf(h http.Header) goja.Value {
	o := v.rt.NewObject()
	for _, c := range (&http.Response{Header: h}).Cookies() {
		expires := int64(0)
		if !c.Expires.IsZero() {
			expires = c.Expires.UnixMilli()
		}
		entry := v.object(map[string]any{
			"name": c.Name, "value": c.Value, "domain": c.Domain, "path": c.Path, "http_only": c.HttpOnly,
			"httpOnly": c.HttpOnly, "secure": c.Secure, "max_age": c.MaxAge, "maxAge": c.MaxAge, "expires": expires,
		})
		if list, ok := o.Get(c.Name).(*goja.Object); ok {
			_ = list.Set(itoa(int(list.Get("length").ToInteger())), entry)
			continue
		}
		_ = o.Set(c.Name, v.rt.NewArray(entry))
	}
	return o
}

func (v *VM) requestOf(o *outcome, h *hop) goja.Value {
	headers := v.rt.NewObject()
	for _, k := range sortedKeys(h.sent) {
		_ = headers.Set(k, v.rt.ToValue(h.sent[k]))
	}
	cookies := v.rt.NewObject()
	for _, c := range (&http.Request{Header: h.sent}).Cookies() {
		entry := v.object(map[string]any{"name": c.Name, "value": c.Value, "replace": o.req.replace[c.Name]})
		if list, ok := cookies.Get(c.Name).(*goja.Object); ok {
			_ = list.Set(itoa(int(list.Get("length").ToInteger())), entry)
			continue
		}
		_ = cookies.Set(c.Name, v.rt.NewArray(entry))
	}
	return v.told(v.object(map[string]any{
		"method": h.method, "url": h.url, "headers": headers, "body": string(o.req.body), "cookies": cookies,
	}), "request of a response")
}

// responseJSON is the body as JSON, or the part of it that a selector names.
func (v *VM) responseJSON(c goja.FunctionCall) goja.Value {
	r := v.this(c)
	if r.o.req.keep == keepNone {
		v.throw("the body is null so we can't transform it to JSON - this likely was because of a request error getting the response, or of discarded bodies: ask for it with {responseType: \"text\"}")
	}
	if len(r.o.body) == 0 {
		v.throw("cannot parse json: the body is empty" + because(r.o.last()))
	}
	selector := c.Argument(0)
	if nothing(selector) {
		f := v.parser()
		out, err := f(goja.Undefined(), r.body())
		if err != nil {
			text := err.Error()
			if ex, ok := errors.AsType[*goja.Exception](err); ok {
				text = ex.Value().String() // and not the stack, which is perfctl's
			}
			v.throw("cannot parse json: " + text + "; the body begins " + begin(r.o.body))
		}
		return out
	}
	if !gjson.ValidBytes(r.o.body) {
		v.throw("cannot parse json: the body begins " + begin(r.o.body))
	}
	got := gjson.GetBytes(r.o.body, selector.String())
	if !got.Exists() {
		return goja.Undefined()
	}
	return v.parse(got.Raw)
}

func because(h *hop) string {
	if h.err != nil {
		return ": " + errorText(h.err)
	}
	return ""
}

func begin(body []byte) string {
	if len(body) > 60 {
		body = body[:60]
	}
	return "\"" + strings.ToValidUTF8(string(body), "?") + "\""
}

func (v *VM) parser() goja.Callable {
	if v.proto.parse == nil {
		v.proto.parse, _ = goja.AssertFunction(v.rt.Get("JSON").ToObject(v.rt).Get("parse"))
	}
	return v.proto.parse
}

// errorText is a failure without its kind, as scripts print it.
func errorText(err error) string {
	if f, ok := errors.AsType[*work.Failure](err); ok {
		return f.Err.Error()
	}
	return err.Error()
}

// errorCode is the number that k6's documentation gives an error.
func errorCode(h *hop) int {
	err := h.err
	if err == nil {
		if h.status >= 400 {
			return 1000 + h.status
		}
		return 0
	}
	var dns *net.DNSError
	switch {
	case work.KindOf(err) == kindInvalidURL:
		return 1020
	case errors.As(err, &dns) && dns.IsNotFound:
		return 1101
	case errors.As(err, &dns):
		return 1100
	case work.KindOf(err) == "not_allowed":
		return 1110
	case work.KindOf(err) == work.KindTimeout, errors.Is(err, os.ErrDeadlineExceeded):
		return 1050
	case errors.Is(err, syscall.ECONNREFUSED):
		return 1212
	case errors.Is(err, syscall.EPIPE):
		return 1201
	case errors.Is(err, syscall.ECONNRESET):
		return 1220
	case work.KindOf(err) == "tls":
		return 1300
	}
	return 1000
}
