package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tidwall/gjson"
)

// lines reads an object of JSON from each line; empty lines are skipped.
type lines struct{}

func (lines) head(r *reader) ([]string, error) {
	first, _ := r.buf.Peek(4096)
	first = bytes.TrimLeft(first, "\r\n\t ")
	return keysOf(json.NewDecoder(bytes.NewReader(first)))
}

func (lines) next(r *reader, columns []string, keep bool) error {
	r.text, r.began = r.text[:0], r.line
	for {
		b, err := r.byte()
		if err != nil && len(bytes.TrimSpace(r.text)) == 0 {
			return io.EOF
		}
		if err != nil || b == '\n' {
			if len(bytes.TrimSpace(r.text)) > 0 {
				return r.object(columns, keep)
			}
			r.began = r.line
			continue
		}
		r.text = append(r.text, b)
	}
}

// array reads the objects of one array of JSON.
type array struct{}

func (array) head(r *reader) ([]string, error) {
	first, _ := r.buf.Peek(4096)
	d := json.NewDecoder(bytes.NewReader(first))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New("want an array of objects")
	}
	for {
		if b, err := r.byte(); err != nil || b == '[' {
			return keysOf(d)
		}
	}
}

func (array) next(r *reader, columns []string, keep bool) error {
	r.text = r.text[:0]
	depth, text := 0, false
	for {
		b, err := r.byte()
		switch {
		case err != nil && depth == 0:
			return errors.New("the array is not closed")
		case err != nil:
			return errors.New("the file ends in the middle of a row")
		case text:
			if r.text = append(r.text, b); b == '\\' {
				if b, err = r.byte(); err == nil {
					r.text = append(r.text, b)
				}
			} else if b == '"' {
				text = false
			}
			continue
		case depth == 0 && b == ']':
			return io.EOF
		case depth == 0 && (b == ',' || b == ' ' || b == '\n' || b == '\r' || b == '\t'):
			continue
		case depth == 0 && b != '{':
			return fmt.Errorf("a row must be an object, and one begins with %q", b)
		case b == '"':
			text = true
		case b == '{' || b == '[':
			if depth++; depth == 1 {
				r.began = r.line
			}
		case b == '}' || b == ']':
			depth--
		}
		if r.text = append(r.text, b); depth == 0 {
			return r.object(columns, keep)
		}
	}
}

// keysOf returns the keys of the object that a decoder comes to, in their order.
func keysOf(d *json.Decoder) ([]string, error) {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("the first row must be an object, within 4096 bytes")
	}
	var out []string
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("the first row: %w", err)
		}
		key, _ := t.(string)
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("the first row: %w", err)
		}
		out = append(out, key)
	}
	if len(out) == 0 {
		return nil, errors.New("the first row has no keys")
	}
	return out, nil
}

// object makes values of the object in the reader's text: strings without their
// quotes, everything else as it stands.
func (r *reader) object(columns []string, keep bool) error {
	if !keep && bytes.HasPrefix(bytes.TrimSpace(r.text), []byte{'{'}) && json.Valid(r.text) && (!r.checking || r.whole(columns)) {
		return nil
	}
	var row map[string]json.RawMessage
	if err := json.Unmarshal(r.text, &row); err != nil {
		r.line = r.began
		return fmt.Errorf("a row must be an object: %w", err)
	}
	r.values = r.values[:0]
	for _, name := range columns {
		raw, ok := row[name]
		if !ok {
			r.line = r.began
			return fmt.Errorf("the row has no %q, which the first one has", name)
		}
		var s string
		if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
			raw = []byte(s)
		}
		r.values = append(r.values, raw)
	}
	return nil
}

// whole says whether the object in the reader's text, which is valid, has every column.
func (r *reader) whole(columns []string) bool {
	r.marks = append(r.marks[:0], make([]bool, len(columns))...)
	gjson.ParseBytes(r.text).ForEach(func(key, _ gjson.Result) bool {
		if i := slices.Index(columns, key.String()); i >= 0 {
			r.marks[i] = true
		}
		return true
	})
	return !slices.Contains(r.marks, false)
}
