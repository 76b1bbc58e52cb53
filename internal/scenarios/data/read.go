package data

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tidwall/gjson"
)

// reader reads a file from a place on and knows the line that it is in.
type reader struct {
	path    string
	section io.SectionReader
	buf     *bufio.Reader
	offset  int64
	line    int64
	began   int64 // the line in which the record began
	values  [][]byte
	text    []byte
	ends    []int
	comma   byte
	// checking says that rows are looked at that nobody uses, and marks which columns
	// one of them has.
	checking bool
	marks    []bool
}

func newReader(path string) *reader { return &reader{path: path, buf: bufio.NewReaderSize(nil, 4096)} }

// at moves the reader to a place.
func (r *reader) at(t *Table, p place) {
	r.section = *io.NewSectionReader(t.file, p.offset, t.size-p.offset)
	r.buf.Reset(&r.section)
	r.offset, r.line = p.offset, p.line
}

func (r *reader) here() place { return place{r.offset, r.line} }

func (r *reader) byte() (byte, error) {
	b, err := r.buf.ReadByte()
	if err != nil {
		return 0, err
	}
	r.offset++
	if b == '\n' {
		r.line++
	}
	return b, nil
}

func (r *reader) peek() byte {
	b, err := r.buf.Peek(1)
	if err != nil {
		return 0
	}
	return b[0]
}

func (r *reader) wrap(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file ends in the middle of a row")
	}
	return fmt.Errorf("data: %s:%d: %w", r.path, r.line, err)
}

// csv reads rows as of RFC 4180, with , or ; or a tab between values: the first line
// says which. Quotes may stand within a value that does not begin with one.
type csv struct{ delimiter byte }

func (c csv) head(r *reader) ([]string, error) {
	if r.comma = c.delimiter; r.comma == 0 {
		r.comma = ','
		first, _ := r.buf.Peek(4096)
		first, _, _ = bytes.Cut(first, []byte{'\n'})
		if bytes.Count(first, []byte{';'}) > bytes.Count(first, []byte{','}) {
			r.comma = ';'
		}
	}
	if err := r.record(r.comma); err != nil {
		if err == io.EOF { //nolint:errorlint // record returns it bare
			return nil, errors.New("the first line must name the columns")
		}
		return nil, err
	}
	var out []string
	for _, v := range r.fields() {
		name := string(bytes.TrimSpace(v))
		if name == "" {
			return nil, fmt.Errorf("column %d has no name: the first line must name the columns", len(out)+1)
		}
		out = append(out, name)
	}
	return out, nil
}

func (c csv) next(r *reader, columns []string, keep bool) error {
	if err := r.record(r.comma); err != nil {
		return err
	}
	if len(r.ends) != len(columns) {
		r.line = r.began
		return fmt.Errorf("a row of %d values, and there are %d columns", len(r.ends), len(columns))
	}
	if keep {
		r.fields()
	}
	return nil
}

// fields cuts the record's text.
func (r *reader) fields() [][]byte {
	r.values = r.values[:0]
	from := 0
	for _, end := range r.ends {
		r.values = append(r.values, r.text[from:end])
		from = end
	}
	return r.values
}

// record reads one record of CSV; empty lines are skipped.
func (r *reader) record(comma byte) error {
	r.text, r.ends = r.text[:0], r.ends[:0]
	b, err := r.byte()
	for err == nil && (b == '\n' || b == '\r') {
		b, err = r.byte()
	}
	if err != nil {
		return err
	}
	r.began = r.line
	for {
		start := r.line
		if b == '"' {
			if b, err = r.quoted(); err != nil {
				r.line = start
				return errors.New("a quote is not closed")
			}
		}
		for ; err == nil && b != comma && b != '\n'; b, err = r.byte() {
			if b == '\r' && r.peek() == '\n' {
				continue
			}
			r.text = append(r.text, b)
		}
		r.ends = append(r.ends, len(r.text))
		if err != nil || b == '\n' {
			return nil //nolint:nilerr // the end of the file ends a record
		}
		if b, err = r.byte(); err != nil {
			r.ends = append(r.ends, len(r.text))
			return nil //nolint:nilerr // the last value is empty
		}
	}
}

// quoted reads up to the closing quote, and returns what follows it; the end of the
// file counts as the end of a line.
func (r *reader) quoted() (byte, error) {
	for {
		b, err := r.byte()
		if err != nil {
			return 0, err
		}
		if b == '"' {
			if b, err = r.byte(); err != nil {
				return '\n', nil //nolint:nilerr // the end of the file ends a line
			}
			if b != '"' {
				return b, nil
			}
		}
		r.text = append(r.text, b)
	}
}

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
