package vm

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"github.com/dop251/goja"

	"github.com/perfctl/perfctl/internal/suggest"
)

// paramNames are the parameters of a request.
var paramNames = []string{"auth", "compression", "cookies", "headers", "jar", "redirects", "responseCallback", "responseType", "tags", "timeout"}

// build reads a request of a script.
func (v *VM) build(method string, to, body, params goja.Value) (*request, error) {
	set := &v.s.settings
	r := &request{method: strings.ToUpper(method), follow: set.MaxRedirects, expect: v.statuses, timeout: 0}
	if r.expect == nil {
		r.expect = usual
	}
	if set.DiscardBodies {
		r.keep = keepNone
	}
	if err := v.address(r, to); err != nil {
		return nil, err
	}
	r.jar = v.ownJar()
	r.header = http.Header{}
	var compression string
	if !nothing(params) {
		o, ok := params.(*goja.Object)
		if !ok {
			panic(v.rt.NewTypeError("the parameters of a request are an object, not " + params.String()))
		}
		for _, k := range o.Keys() {
			x := o.Get(k)
			if k == "compression" {
				compression = x.String()
				continue
			}
			if !nothing(x) || k == "responseCallback" {
				v.param(r, k, x)
			}
		}
	}
	contentType := r.header.Get("Content-Type")
	if err := v.fillBody(r, body, contentType); err != nil {
		return nil, err
	}
	if compression != "" && len(r.body) > 0 {
		if err := r.pack(compression); err != nil {
			panic(v.rt.NewTypeError(err.Error()))
		}
	}
	if r.header["User-Agent"] == nil && set.UserAgent != "" {
		r.header["User-Agent"] = []string{set.UserAgent}
	}
	if r.to.user != nil && r.auth == "" && r.header["Authorization"] == nil {
		r.auth = "basic"
	}
	return r, nil
}

// address reads where a request goes: a text, or what http.url made.
func (v *VM) address(r *request, to goja.Value) (err error) {
	if nothing(to) {
		return fmt.Errorf("the request has no address: its URL is %s", to)
	}
	var text string
	if o, ok := to.(*goja.Object); ok && !nothing(o.Get("url")) {
		text, r.name = o.Get("url").String(), o.Get("name").String()
	} else {
		text = to.String()
	}
	if r.to, err = v.target(text); err != nil {
		return err
	}
	switch u := r.to.u; {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("the address %q begins with neither http:// nor https://", text)
	case u.Host == "":
		return fmt.Errorf("the address %q has no host", text)
	case v.s.blocked(u.Hostname()):
		return fmt.Errorf("the host %s is one of blockHostnames", u.Hostname())
	}
	return nil
}

// param reads one parameter.
func (v *VM) param(r *request, name string, x goja.Value) {
	switch name {
	case "headers":
		o := x.ToObject(v.rt)
		for _, k := range o.Keys() {
			if strings.EqualFold(k, "host") {
				r.host = o.Get(k).String()
				continue
			}
			if y := o.Get(k); !nothing(y) {
				r.header.Set(k, y.String())
			}
		}
	case "tags":
		r.tags = v.tagsOf(x, "request")
		if n, ok := r.tags["name"]; ok {
			r.name = n
		}
	case "timeout":
		r.timeout = v.timeout(x)
	case "redirects":
		r.follow = int(max(x.ToInteger(), 0))
	case "cookies":
		v.requestCookies(r, x)
	case "jar":
		if j, ok := x.ToObject(v.rt).Get("__jar").Export().(*cookiejar.Jar); ok {
			r.jar = j
		}
	case "auth":
		switch r.auth = x.String(); r.auth {
		case "basic", "digest":
		default:
			panic(v.rt.NewTypeError("auth: " + r.auth + " is not there; basic and digest are"))
		}
	case "responseType":
		switch t := x.String(); t {
		case "text":
			r.keep = keepText
		case "binary":
			r.keep = keepBytes
		case "none":
			r.keep = keepNone
		default:
			panic(v.rt.NewTypeError("responseType: " + t + " is none of text, binary and none"))
		}
	case "responseCallback":
		r.expect = v.callback(x)
	default:
		hint := "; there are " + strings.Join(paramNames, ", ")
		if near, ok := suggest.Nearest(name, paramNames); ok {
			hint = "; did you mean " + near + "?"
		}
		v.warn("param "+name, "a request has the parameter "+name+", which does nothing"+hint)
	}
}

// timeout reads a time: a number of milliseconds, or a text such as 10s.
func (v *VM) timeout(x goja.Value) time.Duration {
	if s, ok := x.Export().(string); ok {
		d, err := time.ParseDuration(s)
		if err == nil && d > 0 {
			return d
		}
		if x = v.rt.ToValue(x.ToFloat()); err != nil && x.ToFloat() != x.ToFloat() {
			panic(v.rt.NewTypeError("timeout: " + s + " is no time such as \"10s\", nor a number of milliseconds"))
		}
	}
	return time.Duration(x.ToFloat() * float64(time.Millisecond))
}

func (v *VM) requestCookies(r *request, x goja.Value) {
	o := x.ToObject(v.rt)
	r.replace = map[string]bool{}
	for _, k := range o.Keys() {
		c := &http.Cookie{Name: k}
		y := o.Get(k)
		if entry, ok := y.(*goja.Object); ok {
			c.Value = entry.Get("value").String()
			r.replace[k] = !nothing(entry.Get("replace")) && entry.Get("replace").ToBoolean()
		} else {
			c.Value = y.String()
		}
		r.cookies = append(r.cookies, c)
	}
}

// callback is what expectedStatuses made; null for no judgement.
func (v *VM) callback(x goja.Value) *statuses {
	if nothing(x) {
		return &statuses{none: true}
	}
	if o, ok := x.(*goja.Object); ok {
		if s, ok := o.Get("__statuses").Export().(*statuses); ok {
			return s
		}
	}
	panic(v.rt.NewTypeError("a response callback is what http.expectedStatuses returns, or null"))
}

// expectedStatuses makes the statuses that a request may be answered with.
func (v *VM) expectedStatuses(c goja.FunctionCall) goja.Value {
	s := &statuses{}
	for _, x := range c.Arguments {
		if o, ok := x.(*goja.Object); ok {
			if low, high := o.Get("min"), o.Get("max"); !nothing(low) && !nothing(high) {
				s.ranges = append(s.ranges, [2]int{int(low.ToInteger()), int(high.ToInteger())})
				continue
			}
			panic(v.rt.NewTypeError("expectedStatuses takes numbers and {min, max}"))
		}
		n := int(x.ToInteger())
		if n < 100 || n > 599 {
			panic(v.rt.NewTypeError("expectedStatuses takes numbers and {min, max}, not " + x.String()))
		}
		s.ranges = append(s.ranges, [2]int{n, n})
	}
	if len(s.ranges) == 0 {
		panic(v.rt.NewTypeError("expectedStatuses needs a status"))
	}
	return v.object(map[string]any{"__statuses": s})
}

// ownJar is the user's cookies, of this iteration.
func (v *VM) ownJar() *cookiejar.Jar {
	if v.jar == nil {
		v.jar, _ = cookiejar.New(nil) // its error is always nil
	}
	return v.jar
}

// blocked says whether the script's options block a host.
func (s *Script) blocked(host string) bool {
	for _, pattern := range s.settings.Blocked {
		rest, wild := strings.CutPrefix(pattern, "*")
		if host == pattern || wild && strings.HasSuffix(host, rest) {
			return true
		}
	}
	return false
}
