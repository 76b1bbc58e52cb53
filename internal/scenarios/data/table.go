// Package data holds the rows of a file that arrivals use: users, products, search
// words, as CSV, NDJSON or a JSON array. A file is checked once from end to end and
// never held: of every few rows the place is noted, and a row is read when it is
// used. What a row is used for is elsewhere.
package data

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/secrets"
)

// An Order says which row an arrival uses.
type Order string

// The orders.
const (
	// Sequential takes one row after the other, and begins again after the last.
	Sequential Order = "sequential"
	// Random draws a row; the run's seed and the arrival's number decide which.
	Random Order = "random"
	// Unique takes each row once, over all users and shards.
	Unique Order = "unique"
	// Sticky gives each user a row of its own, as far as there are as many; an arrival
	// that is no user's has the row that Sequential gives it.
	Sticky Order = "sticky"
)

// Orders are all of them.
var Orders = []string{string(Sequential), string(Random), string(Unique), string(Sticky)}

// stride is of how many rows the place of one is noted: half a byte for each row.
const stride = 16

// Table is a file of rows. It never changes and may be shared; see Cursor.
type Table struct {
	path    string
	columns []string
	// secret are the columns whose names are those of secrets.
	secret []int
	rows   int64
	places []place // of every stride-th row
	file   io.ReaderAt
	size   int64
	comma  byte // of CSV
	format format
}

// place is where a row stands.
type place struct{ offset, line int64 }

// format reads rows from a place on.
type format interface {
	// next reads a row into r; keep is false for one that is only to be skipped. At
	// the end of the file its error is io.EOF.
	next(r *reader, columns []string, keep bool) error
	// head reads the columns at the start of the file.
	head(r *reader) ([]string, error)
}

// mostTranscoded bounds a file in UTF-16, which is held in memory.
const mostTranscoded = 256 << 20

// opened are the tables that were opened, by file and state: a file is looked at several
// times before a run, and checked once. They stay open as long as the process.
var opened sync.Map

// Open checks a file and notes where its rows are. Its kind is told by its name:
// .csv and .tsv, .ndjson and .jsonl, .json for an array. Errors name file and line. A
// file that did not change since it was opened is not read again.
func Open(path string) (*Table, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	key := fmt.Sprint(path, info.Size(), info.ModTime().UnixNano())
	if t, ok := opened.Load(key); ok {
		return t.(*Table), nil
	}
	t, err := open(path)
	if err != nil {
		return nil, err
	}
	opened.Store(key, t)
	return t, nil
}

func open(path string) (t *Table, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("data: %s is a folder", path)
	}
	t = &Table{path: path, file: f, size: info.Size()}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		t.format = csv{}
	case ".tsv":
		t.format = csv{delimiter: '\t'}
	case ".ndjson", ".jsonl":
		t.format = lines{}
	case ".json":
		t.format = array{}
	default:
		return nil, fmt.Errorf("data: %s: a file of rows ends in .csv, .tsv, .ndjson, .jsonl or .json", path)
	}
	if err := t.transcode(); err != nil {
		return nil, err
	}
	return t, t.scan()
}

// transcode makes UTF-8 of UTF-16, as spreadsheets write it, and skips the mark at the
// start of UTF-8.
func (t *Table) transcode() error {
	var mark [3]byte
	n, _ := t.file.ReadAt(mark[:], 0)
	big := bytes.HasPrefix(mark[:n], []byte{0xfe, 0xff})
	switch {
	case n == 3 && mark == [3]byte{0xef, 0xbb, 0xbf}:
		t.file, t.size = io.NewSectionReader(t.file, 3, t.size-3), t.size-3
	case big || bytes.HasPrefix(mark[:n], []byte{0xff, 0xfe}):
		if t.size > mostTranscoded {
			return fmt.Errorf("data: %s is in UTF-16 and larger than %d MB: save it as UTF-8", t.path, mostTranscoded>>20)
		}
		raw := make([]byte, t.size)
		if _, err := t.file.ReadAt(raw, 0); err != nil && err != io.EOF {
			return fmt.Errorf("data: %w", err)
		}
		units := make([]uint16, 0, len(raw)/2)
		for i := 2; i+1 < len(raw); i += 2 {
			low, high := raw[i], raw[i+1]
			if big {
				low, high = high, low
			}
			units = append(units, uint16(low)|uint16(high)<<8)
		}
		text := []byte(string(utf16.Decode(units)))
		t.file, t.size = bytes.NewReader(text), int64(len(text))
	}
	return nil
}

// scan reads the file from end to end.
func (t *Table) scan() error {
	r := newReader(t.path)
	r.checking = true
	r.at(t, place{line: 1})
	var err error
	if t.columns, err = t.format.head(r); err != nil {
		return r.wrap(err)
	}
	t.comma = r.comma
	for i, name := range t.columns {
		if slices.Contains(t.columns[:i], name) {
			return r.wrap(fmt.Errorf("two columns are named %q", name))
		}
		if secrets.Name(name) {
			t.secret = append(t.secret, i)
		}
	}
	for {
		at := r.here()
		if err := t.format.next(r, t.columns, false); err == io.EOF { //nolint:errorlint // next returns it bare
			break
		} else if err != nil {
			return r.wrap(err)
		}
		if t.rows%stride == 0 {
			t.places = append(t.places, at)
		}
		t.rows++
	}
	if t.rows == 0 {
		return fmt.Errorf("data: %s has no rows", t.path)
	}
	return nil
}

// Columns returns the columns' names.
func (t *Table) Columns() []string { return t.columns }

// Rows returns how many rows there are.
func (t *Table) Rows() int64 { return t.rows }

// Path returns the file's name.
func (t *Table) Path() string { return t.path }

// streamRow is the random stream of the row of an arrival.
const streamRow = 0x726f77 << 16

// Row returns which row an arrival uses, from 0; Rows or more where a unique one is
// asked for and there is none left.
func (t *Table) Row(o Order, a *work.Arrival) int64 {
	n := max(a.N, 0)
	switch {
	case o == Unique:
		return n
	case o == Random:
		return int64(a.Uniform(streamRow) * float64(t.rows))
	case o == Sticky && a.User > 0:
		n = int64(a.User) - 1
	}
	return n % t.rows
}

// Cursor reads rows; one goroutine uses it.
type Cursor struct {
	t    *Table
	r    *reader
	next int64 // the row that the reader stands before
}

// Cursor returns a cursor.
func (t *Table) Cursor() *Cursor {
	c := &Cursor{t: t, r: newReader(t.path), next: -1}
	c.r.comma = t.comma
	return c
}

// Read returns the values of a row, in the order of the columns. They are good until
// the next call.
func (c *Cursor) Read(row int64) ([][]byte, error) {
	if row < 0 || row >= c.t.rows {
		return nil, fmt.Errorf("data: %s has %d rows, and no number %d", c.t.path, c.t.rows, row+1)
	}
	if c.next < 0 || row < c.next || row >= c.next+stride {
		c.r.at(c.t, c.t.places[row/stride])
		c.next = row - row%stride
	}
	for ; ; c.next++ {
		if err := c.t.format.next(c.r, c.t.columns, c.next == row); err != nil {
			c.next = -1
			return nil, c.r.wrap(err)
		}
		if c.next == row {
			c.next++
			return c.r.values, nil
		}
	}
}
