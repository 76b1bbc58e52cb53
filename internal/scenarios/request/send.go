package request

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// Bind gives the request its address.
func (r *Request) Bind(ctx context.Context, o *Origins) error {
	base, err := o.of(r.endpoint)
	if err != nil {
		return err
	}
	r.origins, r.base, r.prefix = o, base, strings.TrimSuffix(base.EscapedPath(), "/")
	if r.bodyType != "" && !r.gives("Content-Type") {
		r.header = append(r.header, header{"Content-Type", template.Constant[*template.Scope]([]byte(r.bodyType))})
	}
	if r.stream != nil && !r.gives("Accept") {
		r.header = append(r.header, header{"Accept", template.Constant[*template.Scope]([]byte("text/event-stream"))})
	}
	path, ok := r.path.Constant()
	if !ok {
		return nil
	}
	h := http.Header{}
	for _, x := range r.header {
		v, fixed := x.value.Constant()
		if !fixed {
			return nil
		}
		h.Add(x.name, v)
	}
	r.fixed, err = r.build(ctx, path, h)
	return err
}

func (r *Request) gives(name string) bool {
	for _, h := range r.header {
		if h.name == name {
			return true
		}
	}
	return false
}

// build makes the request.
func (r *Request) build(ctx context.Context, path string, h http.Header) (*http.Request, error) {
	u, err := r.locate(ctx, path)
	if err != nil {
		return nil, err
	}
	return newRequest(ctx, r.method, u, h), nil
}

func newRequest(ctx context.Context, method string, u *url.URL, h http.Header) *http.Request {
	req := (&http.Request{
		Method: method, URL: u, Host: u.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if host := h.Get("Host"); host != "" {
		req.Host = host
	}
	return req
}

// locate returns the address of a path. It may be a whole address itself, as a
// server's Location, if the guard lets its server be reached.
func (r *Request) locate(ctx context.Context, path string) (*url.URL, error) {
	if strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://") {
		u, err := parseTarget(path)
		if err != nil {
			return nil, err
		}
		if same(u, r.base) {
			u.User = r.base.User
			return u, nil
		}
		return u, r.origins.allowed(ctx, u)
	}
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("the path %q is not below API_BASE_URL: it does not begin with /", path)
	}
	// A server's Location holds the prefix already.
	if !r.address || r.prefix == "" || !strings.HasPrefix(path, r.prefix+"/") {
		path = r.prefix + path
	}
	u, err := parseTarget(path)
	if err != nil {
		return nil, err
	}
	u.Scheme, u.Host, u.User = r.base.Scheme, r.base.Host, r.base.User
	return u, nil
}

// Sender is one worker's way to send requests.
type Sender struct {
	*httpapi.Exchange
	// Redirects is how many redirects of a request are followed.
	Redirects int
	// Cookies, where it is not nil, are sent and kept.
	Cookies *Cookies
	// Phases, where it is not nil, counts and records the redirects that are followed,
	// for Stage. The last request of a chain is the caller's.
	Phases *httpapi.Phases
	Stage  int
	// Note, where it is not nil, is what the request is noted as.
	Note *work.Op

	path, body, value []byte
	set               []*http.Cookie
}

// The failures of a request.
const (
	// KindTemplate: a text makes no request.
	KindTemplate work.Kind = "template"
	// KindRedirect: a redirect that leads nowhere, or elsewhere than it may.
	KindRedirect work.Kind = "redirect"
)

// Send sends the request for an arrival, and reads the answer to its end; keep says
// whether the body is wanted. What it returns is good until the next call.
func (r *Request) Send(ctx context.Context, x *Sender, s *template.Scope, keep bool) (answer.Answer, error) {
	x.set = x.set[:0]
	req := r.fixed
	var err error
	if req == nil {
		if req, err = r.render(ctx, x, s); err != nil {
			return answer.Answer{}, err
		}
	}
	if x.Note != nil {
		x.Note.Asks(req.Method, req.URL.Path)
		req = traced(req, x.Note)
	}
	body, whole := r.body.Bytes()
	if !whole {
		if x.body, err = r.body.Append(x.body[:0], s); err != nil {
			return answer.Answer{}, err
		}
		body = x.body
	}
	if r.stream != nil {
		return r.stream.read(ctx, x, s, x.sign(req), body)
	}
	resp, kept, err := x.chain(ctx, r.origins, req, body, keep) //nolint:bodyclose // it was read to its end and closed
	x.Exchange.Note(x.Note, resp)
	if err != nil {
		return answer.Answer{}, err
	}
	if encoding := resp.Header.Get("Content-Encoding"); keep && encoding != "" && len(kept) > 0 {
		if kept, err = httpapi.Decode(encoding, kept); err != nil {
			return answer.Answer{}, err
		}
	}
	got := x.answer(resp, kept)
	got.Method, got.Path, got.Head = req.Method, req.URL.Path, x.Head(resp)
	return got, nil
}

// traced returns the request with the header that makes its server's spans part of the
// arrival's trace, where it is traced.
func traced(req *http.Request, note *work.Op) *http.Request {
	parent := note.TraceParent()
	if parent == "" || req.Header.Get("Traceparent") != "" {
		return req
	}
	req = req.WithContext(req.Context()) // a copy
	req.Header = req.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Traceparent", parent)
	return req
}

// answer makes an answer of what came.
func (x *Sender) answer(resp *http.Response, body []byte) answer.Answer {
	return answer.Answer{Status: resp.StatusCode, Body: body,
		Header: func(name string) (string, bool) {
			v := resp.Header.Values(name)
			return strings.Join(v, ", "), len(v) > 0
		},
		Cookie: func(name string) (string, bool) {
			for i := len(x.set) - 1; i >= 0; i-- {
				if x.set[i].Name == name {
					return x.set[i].Value, true
				}
			}
			return "", false
		}}
}

// sign returns the request with the cookies that belong to it.
func (x *Sender) sign(req *http.Request) *http.Request {
	if x.Cookies == nil || x.Cookies.jar == nil {
		return req
	}
	if h := x.Cookies.header(req.URL, req.Header); len(h) > 0 {
		req = req.WithContext(req.Context()) // a copy
		req.Header = h
	}
	return req
}

// keep keeps the cookies of an answer.
func (x *Sender) keep(u *url.URL, resp *http.Response) {
	if len(resp.Header["Set-Cookie"]) == 0 {
		return
	}
	list := resp.Cookies()
	x.set = append(x.set, list...)
	if x.Cookies != nil {
		x.Cookies.add(u, list)
	}
}

func (r *Request) render(ctx context.Context, x *Sender, s *template.Scope) (*http.Request, error) {
	h := make(http.Header, len(r.header))
	var err error
	for _, d := range r.header {
		if x.value, err = d.value.Append(x.value[:0], s); err != nil {
			return nil, err
		}
		v := string(x.value)
		if !httpguts.ValidHeaderFieldValue(v) {
			return nil, work.Fail(KindTemplate, fmt.Errorf("header %s: the value %q holds a line break or another control character", d.name, v))
		}
		h[d.name] = append(h[d.name], v)
	}
	if x.path, err = r.path.Append(x.path[:0], s); err != nil {
		return nil, err
	}
	req, err := r.build(ctx, string(x.path), h)
	return req, work.Fail(KindTemplate, err)
}

// StatusFailure returns the failure of a status that is not expected.
func StatusFailure(a *answer.Answer) error {
	kind := work.Kind("status")
	switch a.Status / 100 {
	case 3:
		kind = "status_3xx"
	case 4:
		kind = "status_4xx"
	case 5:
		kind = "status_5xx"
	}
	e := statusError{status: a.Status, asked: strings.TrimSpace(a.Method + " " + a.Path)}
	if utf8.Valid(trimRune(a.Head)) {
		e.said = string(bytes.TrimSpace(trimRune(a.Head)))
	}
	if a.Status/100 == 3 && a.Header != nil {
		to, _ := a.Header("Location")
		e.to, _, _ = strings.Cut(to, "?") // what follows may be a secret
	}
	return work.Fail(kind, e)
}
