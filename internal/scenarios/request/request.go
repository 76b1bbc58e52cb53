// Package request holds an HTTP request as a file describes it: its method, path,
// headers and body with fields, and how it is sent. When it is sent, and what its
// answer must be, is decided elsewhere.
package request

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/net/http/httpguts"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// Methods are the methods that a request may have.
var Methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// Words are the places of an HTTP answer.
var Words = []string{answer.Status, answer.Header, answer.Body, answer.JSON, answer.Match}

// DefaultStatuses are a success where a file names none.
var DefaultStatuses = []answer.Range{{From: 200, To: 399}}

type text = template.Text[*template.Scope]

// Request is one request, compiled.
type Request struct {
	method string
	path   text
	header []header
	body   text
	// json and form say what the body is.
	json, form bool
	// base and fixed are made by Bind: the address, and the request itself where
	// neither path nor headers have fields.
	base   *url.URL
	prefix string
	fixed  *http.Request
}

type header struct {
	name  string
	value text
}

// New returns a request. Headers are names and values by turns.
func New(fields *template.Fields, method, path string, headers [][2]string, body string) (*Request, error) {
	r := &Request{method: method}
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("path %q does not begin with /: it is below API_BASE_URL", path)
	}
	var err error
	if r.path, err = fields.CompileAt(path, template.AtTarget); err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	if err := r.checkPath(); err != nil {
		return nil, err
	}
	for _, h := range headers {
		t, err := compileHeader(fields, h[0], h[1])
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", h[0], err)
		}
		r.header = append(r.header, header{http.CanonicalHeaderKey(h[0]), t})
	}
	if r.body, err = fields.CompileAt(body, r.inBody); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	r.noteType()
	return r, nil
}

// compileHeader reads a header's value.
func compileHeader(fields *template.Fields, name, value string) (text, error) {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return text{}, fmt.Errorf("%q is not the name of a header", name)
	case !httpguts.ValidHeaderFieldValue(value):
		return text{}, errors.New("its value holds a line break or another control character")
	}
	return fields.Compile(value)
}

// checkPath says what is wrong with a path without fields.
func (r *Request) checkPath() error {
	constant, ok := r.path.Constant()
	if !ok {
		return nil
	}
	if _, err := parseTarget(constant); err != nil {
		return fmt.Errorf("%q cannot be a path: %w", constant, err)
	}
	return nil
}

// parseTarget reads a path and query, in which what may not stand in a request line
// is encoded.
func parseTarget(target string) (*url.URL, error) {
	if !template.IsTarget(target) {
		target = string(template.AppendTarget(nil, target))
	}
	if template.BadPercent(target) {
		return nil, errors.New("a % must be followed by two hexadecimal digits: write %25 for the sign itself")
	}
	u, err := url.ParseRequestURI(target)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return u, err
}

// noteType notes what the body must be.
func (r *Request) noteType() {
	for _, h := range r.header {
		if t, ok := h.value.Constant(); ok && h.name == "Content-Type" {
			r.json = r.json || strings.Contains(t, "json")
			r.form = r.form || strings.HasPrefix(t, "application/x-www-form-urlencoded")
		}
	}
}

// inBody is the place of a field in the body. What the body is may be known only
// after it was read.
func (r *Request) inBody(before string) template.Encoding {
	inJSON, inForm := template.InJSON(before), template.InForm(before)
	return template.Encoding{Filter: inJSON.Filter, Apply: func(dst, value []byte) []byte {
		switch {
		case r.json && inJSON.Apply != nil:
			return inJSON.Apply(dst, value)
		case r.form:
			return inForm.Apply(dst, value)
		}
		return append(dst, value...)
	}}
}

// Read returns the keys of a request in a file, which fill r.
func (r *Request) Read(fields *template.Fields) []strictyaml.Field {
	r.method = http.MethodGet
	return []strictyaml.Field{
		strictyaml.Optional("method", r.readMethod),
		strictyaml.Required("path", r.readPath(fields)),
		strictyaml.Optional("headers", r.readHeaders(fields)),
		strictyaml.Optional("body", TextAt(fields, &r.body, r.inBody)),
	}
}

// Text reads a text with fields.
func Text(fields *template.Fields, into *text) strictyaml.Reader {
	return TextAt(fields, into, nil)
}

// TextAt reads a text with fields whose values are encoded for where they land.
func TextAt(fields *template.Fields, into *text, place func(before string) template.Encoding) strictyaml.Reader {
	return func(v strictyaml.Value) {
		s, ok := v.Scalar()
		if !ok {
			return
		}
		t, err := fields.CompileAt(s, place)
		if err != nil {
			v.Add("%v", err)
			return
		}
		*into = t
	}
}

func (r *Request) readMethod(v strictyaml.Value) {
	s, ok := v.Scalar()
	if !ok {
		return
	}
	if r.method = strings.ToUpper(s); !slices.Contains(Methods, r.method) {
		v.Add("%q is not one of %s", s, strings.Join(Methods, ", "))
	}
}

func (r *Request) readPath(fields *template.Fields) strictyaml.Reader {
	return func(v strictyaml.Value) {
		s, ok := v.Scalar()
		if !ok {
			return
		}
		if !strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "{{") {
			v.Add("path must begin with /: it is below API_BASE_URL")
			return
		}
		var err error
		if r.path, err = fields.CompileAt(s, template.AtTarget); err == nil {
			err = r.checkPath()
		}
		if err != nil {
			v.Add("%v", err)
		}
	}
}

func (r *Request) readHeaders(fields *template.Fields) strictyaml.Reader {
	return func(v strictyaml.Value) {
		v.Entries("the headers", func(name string, _ strictyaml.Pos, value strictyaml.Value) {
			s, ok := value.Scalar()
			if !ok {
				return
			}
			t, err := compileHeader(fields, name, s)
			if err != nil {
				value.Add("%v", err)
				return
			}
			r.header = append(r.header, header{http.CanonicalHeaderKey(name), t})
		})
		r.noteType()
	}
}

// SampleJSON returns what is wrong with the body, where it is to be JSON and has no
// variables that only an arrival has.
func (r *Request) SampleJSON(s *template.Scope) error {
	if !r.json || r.body.Empty() {
		return nil
	}
	b, err := r.body.Append(nil, s)
	if err != nil {
		return nil //nolint:nilerr // it cannot be known yet
	}
	if !gjson.ValidBytes(b) {
		return fmt.Errorf("its Content-Type is JSON, and the body is not once its fields are filled in: %s", b)
	}
	return nil
}

// Bind gives the request its address.
func (r *Request) Bind(ctx context.Context, base *url.URL) error {
	r.base, r.prefix = base, strings.TrimSuffix(base.EscapedPath(), "/")
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
	var err error
	r.fixed, err = r.build(ctx, path, h)
	return err
}

// build makes the request. A path may be a whole address, as a server's Location,
// if it is of the API.
func (r *Request) build(ctx context.Context, path string, h http.Header) (*http.Request, error) {
	if rest, whole := strings.CutPrefix(path, r.base.Scheme+"://"+r.base.Host); whole {
		path = strings.TrimPrefix(rest, r.prefix)
	}
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("the path %q is not below API_BASE_URL: it does not begin with /", path)
	}
	ref, err := parseTarget(r.prefix + path)
	if err != nil {
		return nil, err
	}
	ref.Scheme, ref.Host, ref.User = r.base.Scheme, r.base.Host, r.base.User
	req := (&http.Request{
		Method: r.method, URL: ref, Host: ref.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if host := h.Get("Host"); host != "" {
		req.Host = host
	}
	return req, nil
}

// Sender is one worker's way to send requests.
type Sender struct {
	*httpapi.Exchange
	path, body, value []byte
}

// KindTemplate is the failure of a text that makes no request.
const KindTemplate work.Kind = "template"

// Send sends the request for an arrival, and reads the answer to its end; keep says
// whether the body is wanted. What it returns is good until the next call.
func (r *Request) Send(ctx context.Context, x *Sender, s *template.Scope, keep bool) (answer.Answer, error) {
	req := r.fixed
	var err error
	if req == nil {
		if req, err = r.render(ctx, x, s); err != nil {
			return answer.Answer{}, err
		}
	}
	if x.body, err = r.body.Append(x.body[:0], s); err != nil {
		return answer.Answer{}, err
	}
	resp, body, err := x.Send(ctx, req, x.body, keep) //nolint:bodyclose // Send read it to its end and closed it
	if err != nil {
		return answer.Answer{}, err
	}
	return answer.Answer{Status: resp.StatusCode, Body: body, Header: func(name string) (string, bool) {
		v := resp.Header.Values(name)
		return strings.Join(v, ", "), len(v) > 0
	}}, nil
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

// StatusFailure returns the failure of a status that is not expected, with the
// beginning of the body where it was kept.
func StatusFailure(a *answer.Answer) error {
	kind := work.Kind("status")
	switch a.Status / 100 {
	case 4:
		kind = "status_4xx"
	case 5:
		kind = "status_5xx"
	}
	return work.Fail(kind, statusError(a.Status))
}

type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("status %d %s", int(e), http.StatusText(int(e)))
}
