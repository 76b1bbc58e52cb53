package vm

import (
	"net/http"
	"net/url"
	"sync"

	"github.com/dop251/goja"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	plain "github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// kindInvalidURL is the failure of a request that was never made.
const kindInvalidURL work.Kind = "invalid_url"

// httpModule is the module k6/http.
func (v *VM) httpModule() *goja.Object {
	entries := map[string]any{
		"get": v.short(http.MethodGet, false), "head": v.short(http.MethodHead, false),
		"post": v.short(http.MethodPost, true), "put": v.short(http.MethodPut, true), "patch": v.short(http.MethodPatch, true),
		"del": v.short(http.MethodDelete, true), "options": v.short(http.MethodOptions, true),
		"request": func(c goja.FunctionCall) goja.Value {
			return v.do(c.Argument(0).String(), c.Argument(1), c.Argument(2), c.Argument(3))
		},
		"asyncRequest": v.asyncRequest,
		"batch":        v.batch, "file": v.file, "expectedStatuses": v.expectedStatuses, "url": v.urlTemplate,
		"setResponseCallback": func(c goja.FunctionCall) goja.Value {
			v.statuses = v.callback(c.Argument(0))
			return goja.Undefined()
		},
		"cookieJar": func(goja.FunctionCall) goja.Value {
			v.mustRun("a cookie jar of the user's")
			return v.jarObject(nil)
		},
		"CookieJar": v.newJar,
	}
	for _, version := range []string{"1_0", "1_1", "1_2", "1_3"} {
		entries["TLS_"+version] = "tls" + version[:1] + "." + version[2:]
	}
	return v.told(v.object(entries), "k6/http")
}

// short is the function of one method.
func (v *VM) short(method string, body bool) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		if body {
			return v.do(method, c.Argument(0), c.Argument(1), c.Argument(2))
		}
		return v.do(method, c.Argument(0), goja.Undefined(), c.Argument(1))
	}
}

// mustRun refuses what is only possible in a function.
func (v *VM) mustRun(what string) {
	if v.phase == phaseInit {
		v.throw(what + " is not possible outside functions: what stands there is executed once for each user before the run")
	}
}

// do sends a request and returns its response.
func (v *VM) do(method string, to, body, params goja.Value) goja.Value {
	v.mustRun("a request")
	r, err := v.build(method, to, body, params)
	if err != nil {
		return v.unsent(method, to, err)
	}
	if v.s.limiter != nil {
		v.slow()
	}
	s := sender{v.s, v.exchange, v.it}
	o := s.send(v.ctx, r)
	v.note(o)
	return v.responseOf(o)
}

// slow waits for the script's own bound on requests a second.
func (v *VM) slow() {
	at := v.s.limiter.Reserve()
	if err := v.pause(at.Delay()); err != nil {
		panic(v.rt.NewGoError(err))
	}
}

// unsent is the response of a request that could not be made.
func (v *VM) unsent(method string, to goja.Value, err error) goja.Value {
	text := "undefined"
	if to != nil {
		text = to.String()
	}
	o := &outcome{req: &request{method: method, to: &target{text: text}, expect: usual}}
	o.hops = append(o.one[:0], hop{method: method, url: text, err: work.Fail(kindInvalidURL, err)})
	v.note(o)
	return v.responseOf(o)
}

// asyncRequest sends a request and returns a promise that is settled already: what
// the script does meanwhile comes after it.
func (v *VM) asyncRequest(c goja.FunctionCall) goja.Value {
	p, resolve, reject := v.rt.NewPromise()
	var out goja.Value
	if err := v.rt.Try(func() { out = v.do(c.Argument(0).String(), c.Argument(1), c.Argument(2), c.Argument(3)) }); err != nil {
		_ = reject(err.Value())
	} else {
		_ = resolve(out)
	}
	return v.rt.ToValue(p)
}

// note records what became of a request.
func (v *VM) note(o *outcome) {
	for i := range o.hops {
		v.s.recorder.request(v, o, &o.hops[i], i == len(o.hops)-1)
	}
	h := o.last()
	if h.err == nil {
		return
	}
	if v.ctx.Err() != nil {
		panic(v.rt.NewGoError(v.ctx.Err()))
	}
	v.warn("failed "+string(work.KindOf(h.err)), "a request failed: "+h.method+" "+h.url+": "+h.err.Error())
	if v.s.settings.Throw {
		panic(v.rt.NewGoError(h.err))
	}
}

// request records one exchange.
func (r *Recorder) request(v *VM, o *outcome, h *hop, last bool) {
	held := h.err == nil && (o.req.expect.none || o.req.expect.hold(h.status))
	if last && !held && !o.req.expect.none && v.failure == nil {
		v.failure = h.err
		if h.err == nil {
			v.failure = plain.StatusFailure(&answer.Answer{Status: h.status, Method: h.method, Path: pathOf(h.url)})
		}
	}
	if v.phase != phaseRun {
		return
	}
	s := v.cache.request(v, o.req.name)
	if !o.req.expect.none {
		s.failed.Add(v.stage, !held)
	}
	if h.asked() {
		s.phases.CountTimings(v.stage, h.timings)
	}
	if held {
		s.phases.RecordTimings(v.stage, h.timings)
	}
	if len(r.bySelection) > 0 {
		r.selectRequest(v, o, h, held)
	}
}

// selectRequest records an exchange for the thresholds that select it.
func (r *Recorder) selectRequest(v *VM, o *outcome, h *hop, held bool) {
	s := sample{own: o.req.tags, get: func(k string) (string, bool) { return h.tag(o, k, held) }}
	stage := v.stage
	if !o.req.expect.none {
		r.each(v, ReqFailed.Name, s, func(x *selected) { x.rate.Add(stage, !held) })
	}
	if h.asked() {
		r.each(v, httpapi.Reqs.Name, s, func(x *selected) { x.count.Add(stage, 1) })
	}
	if h.err != nil {
		return
	}
	t := h.timings
	// A failed answer is in no trend, except for a threshold that asks for such.
	for _, p := range [...]struct {
		name string
		d    func() (int64, bool)
	}{
		{httpapi.Duration.Name, func() (int64, bool) { return int64(t.Duration), true }},
		{httpapi.Waiting.Name, func() (int64, bool) { return int64(t.Waiting), true }},
		{httpapi.Sending.Name, func() (int64, bool) { return int64(t.Sending), true }},
		{httpapi.Receiving.Name, func() (int64, bool) { return int64(t.Receiving), true }},
		{httpapi.Blocked.Name, func() (int64, bool) { return int64(t.Blocked), true }},
		{httpapi.Connecting.Name, func() (int64, bool) { return int64(t.Connecting), true }},
		{httpapi.Handshaking.Name, func() (int64, bool) { return int64(t.Handshaking), true }},
	} {
		if !r.selects(p.name) {
			continue
		}
		n, _ := p.d()
		r.each(v, p.name, s, func(x *selected) {
			if held || x.asksForFailures() {
				x.trend.Record(stage, durationOf(n))
			}
		})
	}
}

// asksForFailures says whether a threshold is about answers that were not expected.
func (x *selected) asksForFailures() bool {
	_, status := x.tags["status"]
	return status || x.tags["expected_response"] == "false"
}

// asked says whether the request was made, be it answered or not: one without an address
// that can be read never was.
func (h *hop) asked() bool { return h.err == nil || work.KindOf(h.err) != kindInvalidURL }

// tag is a tag that every exchange has.
func (h *hop) tag(o *outcome, key string, held bool) (string, bool) {
	switch key {
	case "name":
		if o.req.name != "" {
			return o.req.name, true
		}
		return h.url, true
	case "url":
		return h.url, true
	case "method":
		return h.method, true
	case "status":
		return itoa(h.status), true
	case "proto":
		return h.proto, true
	case "expected_response":
		if held {
			return "true", true
		}
		return "false", true
	case "error_code":
		if n := errorCode(h); n != 0 {
			return itoa(n), true
		}
		return "", true
	}
	return "", false
}

// batchEntry is one request of a batch.
type batchEntry struct {
	key string
	r   *request
	bad goja.Value
}

// batch sends several requests side by side.
func (v *VM) batch(c goja.FunctionCall) goja.Value {
	v.mustRun("a batch of requests")
	list, ok := c.Argument(0).(*goja.Object)
	if !ok {
		panic(v.rt.NewTypeError("batch needs an array or an object of requests"))
	}
	entries := make([]batchEntry, 0, 8)
	for _, k := range list.Keys() {
		entries = append(entries, v.entry(k, list.Get(k)))
	}
	outcomes := v.sendAll(entries)
	var out *goja.Object
	if list.ClassName() == "Array" {
		out = v.rt.NewArray()
	} else {
		out = v.rt.NewObject()
	}
	for i, e := range entries {
		x := e.bad
		if x == nil {
			v.note(outcomes[i])
			x = v.responseOf(outcomes[i])
		}
		_ = out.Set(e.key, x)
	}
	return out
}

// entry reads one request of a batch: an address, [method, url, body, params] or
// an object of these.
func (v *VM) entry(key string, x goja.Value) batchEntry {
	method, to, body, params := "GET", x, goja.Undefined(), goja.Undefined()
	if o, ok := x.(*goja.Object); ok && o.ClassName() == "Array" {
		get := func(i string) goja.Value {
			if y := o.Get(i); y != nil {
				return y
			}
			return goja.Undefined()
		}
		method, to, body, params = get("0").String(), get("1"), get("2"), get("3")
	} else if ok && o.Get("url") != nil && o.Get("name") == nil {
		if m := o.Get("method"); !nothing(m) {
			method = m.String()
		}
		to = o.Get("url")
		if y := o.Get("body"); y != nil {
			body = y
		}
		if y := o.Get("params"); y != nil {
			params = y
		}
	}
	r, err := v.build(method, to, body, params)
	if err != nil {
		return batchEntry{key: key, bad: v.unsent(method, to, err)}
	}
	return batchEntry{key: key, r: r}
}

// sendAll sends the requests of a batch within its bounds.
func (v *VM) sendAll(entries []batchEntry) []*outcome {
	out := make([]*outcome, len(entries))
	all := make(chan struct{}, max(v.s.settings.Batch, 1))
	hosts := map[string]chan struct{}{}
	for _, e := range entries {
		if e.r != nil && hosts[e.r.to.u.Host] == nil {
			hosts[e.r.to.u.Host] = make(chan struct{}, max(v.s.settings.BatchPerHost, 1))
		}
	}
	var wg sync.WaitGroup
	for i, e := range entries {
		if e.r == nil {
			continue
		}
		if v.s.limiter != nil {
			v.slow()
		}
		own := hosts[e.r.to.u.Host]
		all <- struct{}{}
		wg.Go(func() {
			own <- struct{}{}
			s := sender{v.s, httpapi.NewExchange(v.s.client, v.s.host.Clock), nil}
			out[i] = s.send(v.ctx, e.r)
			<-own
			<-all
		})
	}
	wg.Wait()
	return out
}

// urlTemplate is the tag function http.url: the address with its values, and the
// name without them.
func (v *VM) urlTemplate(c goja.FunctionCall) goja.Value {
	parts, ok := c.Argument(0).(*goja.Object)
	if !ok {
		panic(v.rt.NewTypeError("http.url stands before a template, as in http.url`http://host/items/${id}`"))
	}
	n := int(parts.Get("length").ToInteger())
	address, name := "", ""
	for i := range n {
		text := parts.Get(itoa(i)).String()
		address += text
		name += text
		if i+1 < n {
			address += c.Argument(i + 1).String()
			name += "${}"
		}
	}
	return v.object(map[string]any{"url": address, "name": name})
}

// pathOf is the path of an address, without what may be secret in it.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Path
}
