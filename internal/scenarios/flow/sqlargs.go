package flow

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// argument is the value of a statement's parameter. It is sent in text form, which
// the server reads as the parameter's type.
type argument struct {
	form form
	text text
	// asJSON is a list as JSON, which it is where the parameter is of that type.
	asJSON text
	// slot is the variable that the argument is as a whole, -1 for none: null stays
	// NULL.
	slot int
}

type form uint8

// The forms of an argument.
const (
	asText form = iota
	asNull
	asList
	asBytes
	asBase64
)

// bare is a text that is one variable.
var bare = regexp.MustCompile(`^\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}$`)

// argument reads an item of args.
func (f *parser) argument(v strictyaml.Value) argument {
	a := argument{slot: -1}
	switch {
	case v.IsNull():
		a.form = asNull
	case v.IsList():
		a.form = asList
		a.text = f.compile(v, arrayOf(v), inArray)
		a.asJSON = f.compile(v, jsonOf(v), template.InJSON)
	case v.IsMap():
		v.Map("an arg",
			strictyaml.Optional("json", func(of strictyaml.Value) { a.text = f.compile(of, jsonText(of), template.InJSON) }).
				Help("JSON, or a text with JSON in it"),
			strictyaml.Optional("bytes", func(of strictyaml.Value) { a.form = asBytes; request.Text(&f.fields, &a.text)(of) }).Help("the bytes of a text"),
			strictyaml.Optional("base64", func(of strictyaml.Value) { a.form = asBase64; f.base64(&a, of) }).Help("bytes in base64"))
		if a.text.Empty() && a.form == asText {
			v.Add("an arg is a value, a list, or one of {json: …}, {bytes: TEXT}, {base64: TEXT}")
		}
	default:
		request.Text(&f.fields, &a.text)(v)
		if s, ok := v.Scalar(); ok {
			if m := bare.FindStringSubmatch(s); m != nil {
				if slot, ok := f.fields.Names.Slot(m[1]); ok {
					a.slot = slot
				}
			}
		}
	}
	return a
}

func (f *parser) base64(a *argument, v strictyaml.Value) {
	request.Text(&f.fields, &a.text)(v)
	if constant, ok := a.text.Constant(); ok {
		if _, err := base64.StdEncoding.DecodeString(constant); err != nil {
			v.Add("base64: %v", err)
		}
	}
}

func (f *parser) compile(v strictyaml.Value, s string, place func(string) template.Encoding) text {
	t, err := f.fields.CompileAt(s, place)
	if err != nil {
		v.Add("%v", err)
	}
	return t
}

// arrayOf writes a list as PostgreSQL's array literal ("Array Input and Output
// Syntax"), each item in quotes.
func arrayOf(v strictyaml.Value) string {
	if v.Anything() {
		return ""
	}
	var items []string
	v.List("an arg", func(_ int, item strictyaml.Value) {
		switch {
		case item.IsNull():
			items = append(items, "NULL")
		case item.IsList():
			items = append(items, arrayOf(item))
		default:
			if s, ok := item.Scalar(); ok {
				items = append(items, `"`+template.Outside(s, func(s string) string { return string(appendArrayItem(nil, []byte(s))) })+`"`)
			}
		}
	})
	return "{ " + strings.Join(items, ",") + "}" // {{ would begin a field
}

// inArray is the place of a field in an array literal, in which it stands within
// quotes.
func inArray(string) template.Encoding { return template.Encoding{Apply: appendArrayItem} }

func appendArrayItem(dst, value []byte) []byte {
	s := string(value) // dst may share its memory
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return dst
}

// jsonText is a value as JSON; a text is JSON already, with fields in it.
func jsonText(v strictyaml.Value) string {
	if v.Anything() {
		return ""
	}
	if v.IsList() || v.IsMap() || v.IsNull() {
		return jsonOf(v)
	}
	s, _ := v.Scalar()
	return s
}

// jsonOf writes a value as JSON, and leaves the fields in its texts.
func jsonOf(v strictyaml.Value) string {
	if v.Anything() {
		return ""
	}
	switch {
	case v.IsNull():
		return "null"
	case v.IsList():
		var items []string
		v.List("a list", func(_ int, item strictyaml.Value) { items = append(items, jsonOf(item)) })
		return "[" + strings.Join(items, ",") + "]"
	case v.IsMap():
		var items []string
		v.Entries("an object", func(key string, _ strictyaml.Pos, of strictyaml.Value) {
			items = append(items, jsonString(key)+":"+jsonOf(of))
		})
		return "{" + strings.Join(items, ",") + "}"
	}
	s, _ := v.Scalar()
	if v.IsText() {
		return jsonString(s)
	}
	return s
}

func jsonString(s string) string {
	return `"` + template.Outside(s, func(s string) string { return string(template.AppendJSON(nil, []byte(s))) }) + `"`
}

// settle chooses how lists are written, now that the types of the parameters are
// known.
func settle(args []argument, types *pgconn.StatementDescription) {
	for i := range args {
		if args[i].form != asList || i >= len(types.ParamOIDs) {
			continue
		}
		if oid := types.ParamOIDs[i]; oid == pgtype.JSONOID || oid == pgtype.JSONBOID {
			args[i].form, args[i].text = asText, args[i].asJSON
		}
	}
}

// append appends the argument's text; null says that it is NULL.
func (a *argument) append(dst []byte, s *template.Scope) (out []byte, null bool, err error) {
	if a.form == asNull || a.slot >= 0 && s.Vars[a.slot].Sort == template.Null {
		return dst, true, nil
	}
	from := len(dst)
	if dst, err = a.text.Append(dst, s); err != nil {
		return dst, false, err
	}
	switch a.form {
	case asBytes:
		raw := string(dst[from:])
		dst = hex.AppendEncode(append(dst[:from], '\\', 'x'), []byte(raw))
	case asBase64:
		raw, err := base64.StdEncoding.DecodeString(string(dst[from:]))
		if err != nil {
			return dst, false, work.Fail(request.KindTemplate, fmt.Errorf("base64: %w", err))
		}
		dst = hex.AppendEncode(append(dst[:from], '\\', 'x'), raw)
	case asText, asNull, asList:
	}
	return dst, false, nil
}
