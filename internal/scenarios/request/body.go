package request

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// A request's body is a text (body), a file as it is (body_file), a form (form), or
// parts of both (multipart).

// maxUpload bounds a file that is sent, in bytes.
const maxUpload = 64 << 20

// bodyKeys returns the keys that give a request its body, of which there may be one.
func (r *Request) bodyKeys(fields *template.Fields) []strictyaml.Field {
	given := ""
	one := func(key string, read strictyaml.Reader) strictyaml.Field {
		return strictyaml.Optional(key, func(v strictyaml.Value) {
			if given != "" {
				v.Add("a request has either %s or %s", given, key)
				return
			}
			given = key
			read(v)
		}).Either("body")
	}
	return []strictyaml.Field{
		one("body", TextAt(fields, &r.body, r.inBody)).Help("body of the request"),
		one("body_file", func(v strictyaml.Value) {
			if data, ok := readUpload(v); ok {
				r.body = template.Constant[*template.Scope](data)
			}
		}).Help("file that is the body, as it is"),
		one("form", func(v strictyaml.Value) { r.readForm(fields, v) }).Help("names and values of a form"),
		one("multipart", func(v strictyaml.Value) { r.readParts(fields, v) }).Help("parts, each a text or a file, by their names"),
	}
}

// readUpload reads a file that is to be sent; its name is relative to the file that
// names it.
func readUpload(v strictyaml.Value) ([]byte, bool) {
	name := ""
	if strictyaml.String(&name)(v); name == "" {
		return nil, false
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(v.Pos().File), path)
	}
	data, err := scenarios.ReadUpTo(path, maxUpload)
	if err != nil {
		v.Add("%v", err)
		return nil, false
	}
	return data, true
}

// readForm reads names and values, encoded as browsers do it
// (application/x-www-form-urlencoded).
func (r *Request) readForm(fields *template.Fields, v strictyaml.Value) {
	r.form, r.bodyType = true, "application/x-www-form-urlencoded"
	var b strings.Builder
	v.Entries("the form", func(name string, _ strictyaml.Pos, value strictyaml.Value) {
		value.Note(template.MayHoldFields)
		s, ok := value.Scalar()
		if !ok {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(name) + "=" + template.Outside(s, url.QueryEscape))
	})
	t, err := fields.CompileAt(b.String(), template.InForm)
	if err != nil {
		v.Add("%v", err)
		return
	}
	r.body = t
}

// readParts reads the parts of a multipart/form-data body (RFC 7578).
func (r *Request) readParts(fields *template.Fields, v strictyaml.Value) {
	h := fnv.New128a()
	_, _ = fmt.Fprint(h, v.Pos()) // the boundary is the same in every run
	boundary := fmt.Sprintf("perfctl-%x", h.Sum(nil))
	r.bodyType = "multipart/form-data; boundary=" + boundary
	var all []text
	v.Entries("the parts", func(name string, _ strictyaml.Pos, value strictyaml.Value) {
		p := part{}
		if !p.read(fields, value) {
			return
		}
		head := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + string(appendQuoted(nil, []byte(name))) + `"`
		all = append(all, template.Constant[*template.Scope]([]byte(head)))
		if p.file {
			all = append(all, template.Constant[*template.Scope]([]byte(`; filename="`)), p.filename, template.Constant[*template.Scope]([]byte(`"`)))
		}
		if p.kind != "" {
			all = append(all, template.Constant[*template.Scope]([]byte("\r\nContent-Type: "+p.kind)))
		}
		all = append(all, template.Constant[*template.Scope]([]byte("\r\n\r\n")), p.value, template.Constant[*template.Scope]([]byte("\r\n")))
	})
	if len(all) == 0 {
		v.Add("multipart has no parts: it is a mapping of their names to texts or to {file: NAME}")
	}
	all = append(all, template.Constant[*template.Scope]([]byte("--"+boundary+"--\r\n")))
	r.body = template.Join(all...)
}

// part is a part of a multipart body.
type part struct {
	value, filename text
	kind            string
	file            bool
}

func (p *part) read(fields *template.Fields, v strictyaml.Value) bool {
	if !v.IsMap() {
		Text(fields, &p.value)(v)
		return true
	}
	has := 0
	named := false
	ok := v.Map("a part",
		strictyaml.Optional("file", func(of strictyaml.Value) {
			data, ok := readUpload(of)
			if has++; !ok {
				return
			}
			p.file, p.value = true, template.Constant[*template.Scope](data)
			if p.kind == "" {
				p.kind = "application/octet-stream"
			}
			if name, ok := of.Scalar(); ok && !named {
				p.filename = template.Constant[*template.Scope](appendQuoted(nil, []byte(filepath.Base(name))))
			}
		}).Help("file that is the part, as it is"),
		strictyaml.Optional("value", func(of strictyaml.Value) { has++; Text(fields, &p.value)(of) }).Help("text that is the part"),
		strictyaml.Optional("filename", func(of strictyaml.Value) {
			named, p.file = true, true
			of.Note(template.MayHoldFields)
			s, ok := of.Scalar()
			if !ok {
				return
			}
			var err error
			s = template.Outside(s, func(s string) string { return string(appendQuoted(nil, []byte(s))) })
			if p.filename, err = fields.CompileAt(s, func(string) template.Encoding { return template.Encoding{Apply: appendQuoted} }); err != nil {
				of.Add("%v", err)
			}
		}).Help("name that the server is told"),
		strictyaml.Optional("type", strictyaml.String(&p.kind)).Help("content type of the part"))
	if ok && has != 1 {
		v.Add("a part has either file or value")
		return false
	}
	return ok
}

// appendQuoted encodes a name within quotes as browsers do it (WHATWG HTML, multipart
// form data).
func appendQuoted(dst, value []byte) []byte {
	return append(dst, strings.NewReplacer("\"", "%22", "\r", "%0D", "\n", "%0A").Replace(string(value))...)
}
