package vm

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"

	"github.com/dop251/goja"
)

// newJar is the constructor CookieJar.
func (v *VM) newJar(goja.ConstructorCall) *goja.Object {
	j, _ := cookiejar.New(nil) // its error is always nil
	return v.jarObject(j)
}

// jarObject is what a script sees of a jar; nil for the user's own of the iteration.
func (v *VM) jarObject(own *cookiejar.Jar) *goja.Object {
	jar := func() *cookiejar.Jar {
		if own != nil {
			return own
		}
		return v.ownJar()
	}
	at := func(x goja.Value) *url.URL {
		t, err := v.target(x.String())
		if err != nil {
			v.throw(err.Error())
		}
		return t.u
	}
	remove := func(u *url.URL, names ...string) {
		for _, n := range names {
			for _, path := range paths(u.Path) {
				jar().SetCookies(u, []*http.Cookie{{Name: n, Path: path, MaxAge: -1}})
			}
		}
	}
	o := v.object(map[string]any{
		"cookiesForURL": func(c goja.FunctionCall) goja.Value {
			out := v.rt.NewObject()
			for _, k := range jar().Cookies(at(c.Argument(0))) {
				if list, ok := out.Get(k.Name).(*goja.Object); ok {
					_ = list.Set(itoa(int(list.Get("length").ToInteger())), k.Value)
					continue
				}
				_ = out.Set(k.Name, v.rt.NewArray(k.Value))
			}
			return out
		},
		"set": func(c goja.FunctionCall) goja.Value {
			k := &http.Cookie{Name: c.Argument(1).String(), Value: c.Argument(2).String()}
			v.cookieOptions(k, c.Argument(3))
			jar().SetCookies(at(c.Argument(0)), []*http.Cookie{k})
			return v.rt.ToValue(true)
		},
		"clear": func(c goja.FunctionCall) goja.Value {
			u := at(c.Argument(0))
			for _, k := range jar().Cookies(u) {
				remove(u, k.Name)
			}
			return goja.Undefined()
		},
		"delete": func(c goja.FunctionCall) goja.Value {
			remove(at(c.Argument(0)), c.Argument(1).String())
			return goja.Undefined()
		},
	})
	v.getter(o, "__jar", func() any { return jar() })
	return o
}

// paths are the paths that a cookie of an address may have.
func paths(p string) []string {
	out := []string{"", "/"}
	for i := 1; i < len(p); i++ {
		if p[i] == '/' {
			out = append(out, p[:i], p[:i+1])
		}
	}
	return append(out, p)
}

func (v *VM) cookieOptions(k *http.Cookie, x goja.Value) {
	if nothing(x) {
		return
	}
	o := x.ToObject(v.rt)
	for _, key := range o.Keys() {
		y := o.Get(key)
		switch key {
		case "domain":
			k.Domain = y.String()
		case "path":
			k.Path = y.String()
		case "expires":
			t, err := time.Parse(time.RFC1123, y.String())
			if err != nil {
				v.throw("expires of a cookie: " + y.String() + " is no date such as Mon, 02 Jan 2026 15:04:05 GMT")
			}
			k.Expires = t
		case "max_age", "maxAge":
			k.MaxAge = int(y.ToInteger())
		case "secure":
			k.Secure = y.ToBoolean()
		case "http_only", "httpOnly":
			k.HttpOnly = y.ToBoolean()
		default:
			v.warn("cookie "+key, "a cookie has the option "+key+", which does nothing")
		}
	}
}
