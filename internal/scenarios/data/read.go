package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
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
