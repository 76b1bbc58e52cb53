// Package template holds texts with fields in double braces, {{like this}}:
// their syntax, their filters, and the fields that every arrival has. A text is
// compiled once and rendered for each arrival. What else a field may stand for is
// its user's.
package template

import (
	"errors"
	"fmt"
	"strings"
)

// Call is a field as it was written: {{name arg arg | filter}}.
type Call struct {
	Name string
	Args []string
}

// String returns the field as it was written, without its filters.
func (c Call) String() string {
	return "{{" + strings.Join(append([]string{c.Name}, c.Args...), " ") + "}}"
}

// Field appends what it stands for, taken from v. Its error is the arrival's.
type Field[V any] func(dst []byte, v V) ([]byte, error)

// Text is a compiled text. The zero Text is empty.
type Text[V any] struct {
	parts []part[V]
}

type part[V any] struct {
	literal []byte
	field   Field[V] // nil for a literal
}

// Compile reads a text. resolve finds the field that a call stands for; its error
// names what is wrong with the call.
func Compile[V any](text string, resolve func(Call) (Field[V], error)) (Text[V], error) {
	return CompileAt(text, resolve, nil)
}

// CompileAt is Compile for a text in which a value must be encoded for where it
// lands. place is given the literal text before a field, without the fields in it,
// and returns how the field's value is encoded there. It may be nil.
func CompileAt[V any](text string, resolve func(Call) (Field[V], error), place func(before string) Encoding) (Text[V], error) {
	var out Text[V]
	literal := ""
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "{{")
		if before != "" {
			out.parts = append(out.parts, part[V]{literal: []byte(before)})
			literal += before
		}
		if !found {
			return out, nil
		}
		inside, tail, closed := cutBraces(after)
		if !closed {
			return Text[V]{}, fmt.Errorf("%q has no }}", "{{"+after)
		}
		var at Encoding
		if place != nil {
			at = place(literal)
		}
		f, err := compileField(inside, resolve, at)
		if err != nil {
			return Text[V]{}, err
		}
		out.parts = append(out.parts, part[V]{field: f})
		rest = tail
	}
}

func compileField[V any](inside string, resolve func(Call) (Field[V], error), at Encoding) (Field[V], error) {
	head, names, err := splitField(inside)
	if err != nil {
		return nil, err
	}
	if len(head) == 0 {
		return nil, errors.New("{{}} names no field")
	}
	f, err := resolve(Call{head[0], head[1:]})
	if err != nil {
		return nil, err
	}
	encode := at.Apply
	for _, name := range names {
		if name == "raw" || name == at.Filter {
			encode = nil
		}
		apply, err := filter(name)
		if err != nil {
			return nil, fmt.Errorf("{{%s}}: %w", strings.TrimSpace(inside), err)
		}
		f = filtered(f, apply)
	}
	if encode != nil {
		f = filtered(f, encode)
	}
	return f, nil
}

// filtered returns a field whose value is transformed.
func filtered[V any](inner Field[V], apply func(dst, value []byte) []byte) Field[V] {
	return func(dst []byte, v V) ([]byte, error) {
		from := len(dst)
		dst, err := inner(dst, v)
		if err != nil {
			return dst, err
		}
		return apply(dst[:from], dst[from:]), nil
	}
}

// Append appends the text with its fields filled in.
func (t Text[V]) Append(dst []byte, v V) ([]byte, error) {
	for i := range t.parts {
		p := &t.parts[i]
		if p.field == nil {
			dst = append(dst, p.literal...)
			continue
		}
		var err error
		if dst, err = p.field(dst, v); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// Empty says whether the text is empty whatever its fields.
func (t Text[V]) Empty() bool { return len(t.parts) == 0 }

// Constant returns the text where it has no fields.
func (t Text[V]) Constant() (text string, ok bool) {
	var b strings.Builder
	for i := range t.parts {
		if t.parts[i].field != nil {
			return "", false
		}
		b.Write(t.parts[i].literal)
	}
	return b.String(), true
}

// Constant returns a text without fields, whatever braces are in it. It is not copied.
func Constant[V any](b []byte) Text[V] { return Text[V]{parts: []part[V]{{literal: b}}} }

// Join returns texts one behind the other.
func Join[V any](texts ...Text[V]) Text[V] {
	var out Text[V]
	for _, t := range texts {
		out.parts = append(out.parts, t.parts...)
	}
	return out
}

// Bytes returns the text where it is one piece without fields, and must not be
// written to.
func (t Text[V]) Bytes() (b []byte, ok bool) {
	if len(t.parts) != 1 || t.parts[0].field != nil {
		return nil, false
	}
	return t.parts[0].literal, true
}

// Literal returns a field that is always the same text.
func Literal[V any](text string) Field[V] {
	return func(dst []byte, _ V) ([]byte, error) { return append(dst, text...), nil }
}
