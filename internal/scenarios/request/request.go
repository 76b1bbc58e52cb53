// Package request holds an HTTP request as a file describes it: its method, path,
// headers and body with fields, and how it is sent. When it is sent, and what its
// answer must be, is decided elsewhere.
package request

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/net/http/httpguts"

	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// Methods are the methods that a request may have.
var Methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// Words are the places of an HTTP answer.
var Words = []string{answer.Status, answer.Header, answer.Cookie, answer.Body, answer.JSON, answer.Match}

// DefaultStatuses are a success where a file names none. A redirect is none: to a page
// for logging in, say, it means that nothing was done.
var DefaultStatuses = []answer.Range{{From: 200, To: 299}, {From: http.StatusNotModified, To: http.StatusNotModified}}

// DefaultStatusText is DefaultStatuses as a setting.
const DefaultStatusText = "2xx, 304"

type text = template.Text[*template.Scope]

// Request is one request, compiled.
type Request struct {
	method string
	// shown is the path as the file has it, without its query.
	shown  string
	path   text
	header []header
	body   text
	// json and form say what the body is.
	json, form bool
	// bodyType is the Content-Type of a body that has one of its own, where the file
	// gives none.
	bodyType string
	// endpoint names the server; empty for that of API_BASE_URL.
	endpoint string
	// address says that the path begins with a field, and may be a whole address.
	address bool
	// base and fixed are made by Bind: the address, and the request itself where
	// neither path nor headers have fields.
	origins *Origins
	base    *url.URL
	prefix  string
	fixed   *http.Request
	// stream says how a stream of events is read; nil for any other answer.
	stream *stream
}

type header struct {
	name  string
	value text
}

// New returns a request. Headers are names and values by turns.
func New(fields *template.Fields, method, path string, headers [][2]string, body string) (*Request, error) {
	r := &Request{method: method}
	if !isPath(path) {
		return nil, fmt.Errorf("path %q does not begin with /: it is below API_BASE_URL", path)
	}
	r.address = strings.HasPrefix(path, "{{")
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

// isPath says whether a text is a path, a whole address, or begins with a field that
// may be one.
func isPath(s string) bool {
	for _, p := range []string{"/", "{{", "http://", "https://"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
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
	origin := ""
	if scheme, rest, whole := strings.Cut(target, "://"); whole && !strings.Contains(scheme, "/") {
		at := strings.IndexAny(rest, "/?")
		if at < 0 {
			at = len(rest)
		}
		origin, target = scheme+"://"+rest[:at], rest[at:]
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
	}
	if template.BadPercent(target) {
		return nil, errors.New("a % must be followed by two hexadecimal digits: write %25 for the sign itself")
	}
	if !template.IsTarget(target) {
		target = string(template.AppendTarget(nil, target))
	}
	u, err := url.ParseRequestURI(origin + target)
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
	return append(r.bodyKeys(fields),
		strictyaml.Optional("method", r.readMethod).Help("GET if left out"),
		strictyaml.Optional("endpoint", strictyaml.String(&r.endpoint)).Help("name of another server, of the setting endpoints"),
		strictyaml.Required("path", r.readPath(fields)).Help("path and query below API_BASE_URL, or a whole address that may be reached"),
		strictyaml.Optional("headers", r.readHeaders(fields)).Help("headers of the request"),
	)
}

// Text reads a text with fields.
func Text(fields *template.Fields, into *text) strictyaml.Reader {
	return TextAt(fields, into, nil)
}

// TextAt reads a text with fields whose values are encoded for where they land.
func TextAt(fields *template.Fields, into *text, place func(before string) template.Encoding) strictyaml.Reader {
	return func(v strictyaml.Value) {
		v.Note(template.MayHoldFields)
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

// Asks says what is asked for, as failures tell it: the method, and the path with its
// fields unfilled.
func (r *Request) Asks() string { return r.method + " " + r.shown }

func (r *Request) readMethod(v strictyaml.Value) {
	s, ok := v.Word(Methods...)
	if !ok {
		return
	}
	if r.method = strings.ToUpper(s); !slices.Contains(Methods, r.method) {
		v.Add("%q is not one of %s", s, strings.Join(Methods, ", "))
	}
}

func (r *Request) readPath(fields *template.Fields) strictyaml.Reader {
	return func(v strictyaml.Value) {
		v.Note(template.MayHoldFields)
		s, ok := v.Scalar()
		if !ok {
			return
		}
		if !isPath(s) {
			v.Add("path must begin with /: it is below API_BASE_URL")
			return
		}
		r.address = strings.HasPrefix(s, "{{")
		r.shown, _, _ = strings.Cut(s, "?") // what follows may be a secret
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
			value.Note(template.MayHoldFields)
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
