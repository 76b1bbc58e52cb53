package data

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/secrets"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// Rows is what a file of steps or requests says of its data: which file, and which row
// an arrival uses.
type Rows struct {
	Table *Table
	Order Order
}

// Help says what the key data of a file is for.
const Help = "rows of a file, of which each arrival uses one: {{data.COLUMN}}"

// Read returns a reader of the key data of a file at path: {file, order}. The file of
// rows is found from the folder of that file.
func (r *Rows) Read(path string) strictyaml.Reader {
	return func(v strictyaml.Value) {
		var file string
		order := string(Sequential)
		if !v.Map("data",
			strictyaml.Required("file", strictyaml.String(&file)).
				Help("a .csv, .tsv, .ndjson, .jsonl or .json file, found from this file's folder"),
			strictyaml.Optional("order", func(of strictyaml.Value) {
				if s, ok := of.Word(Orders...); ok {
					order = s
				}
			}).Help("which row an arrival uses")) {
			return
		}
		if file == "" {
			v.Add("data needs the name of a file")
			return
		}
		if !slices.Contains(Orders, order) {
			v.Add("order is one of %s, not %.80q", strings.Join(Orders, ", "), order)
			return
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(path), file)
		}
		t, err := Open(file)
		if err != nil {
			v.Add("%v", err)
			return
		}
		r.Table, r.Order = t, Order(order)
	}
}

// Named returns the rows of a file that a setting names, with the order of another; of
// no file none.
func Named(file, order string) (*Rows, error) {
	if file == "" {
		return &Rows{}, nil
	}
	t, err := Open(file)
	if err != nil {
		return nil, err
	}
	return &Rows{Table: t, Order: Order(order)}, nil
}

// Into lets the texts of a file use the columns, where there are any.
func (r *Rows) Into(f *template.Fields) {
	if r.Table == nil {
		return
	}
	f.Others = r.Names()
	f.Also = func(c template.Call) template.Field[*template.Scope] {
		if len(c.Args) == 0 && r.Column(c.Name) >= 0 {
			return template.Column(r.Column(c.Name))
		}
		return nil
	}
}

// leastSecret is how long a value must be to be taken for a secret: shorter ones are
// part of too much else.
const leastSecret = 4

// Hide returns the error of an arrival without what its row has in columns whose names
// are those of secrets.
func (r *Rows) Hide(err error, row [][]byte) error {
	if err == nil || r.Table == nil || len(r.Table.secret) == 0 {
		return err
	}
	text := err.Error()
	hidden := text
	for _, c := range r.Table.secret {
		if c < len(row) && len(row[c]) >= leastSecret {
			hidden = strings.ReplaceAll(hidden, string(row[c]), secrets.Hidden)
		}
	}
	if hidden == text {
		return err
	}
	kind := work.KindOf(err)
	return work.Fail(kind, errors.New(strings.TrimPrefix(hidden, string(kind)+": ")))
}

// Prefix begins the name of a field that stands for a column.
const Prefix = "data."

// Column returns the column that a field's name stands for; -1 where it stands for none.
func (r *Rows) Column(name string) int {
	if r.Table == nil || !strings.HasPrefix(name, Prefix) {
		return -1
	}
	return slices.Index(r.Table.columns, strings.TrimPrefix(name, Prefix))
}

// Names returns the fields that there are.
func (r *Rows) Names() (out []string) {
	if r.Table != nil {
		for _, c := range r.Table.columns {
			out = append(out, Prefix+c)
		}
	}
	return out
}

// Enough returns an error where a run is to have more arrivals than there are rows to
// be used once each.
func (r *Rows) Enough(arrivals int64, openEnded bool) error {
	if r.Table == nil || r.Order != Unique || openEnded || arrivals <= r.Table.rows {
		return nil
	}
	return fmt.Errorf("the run has up to %d arrivals that use a row of %s once each, and it has %d rows: add rows, offer less, or choose another order than unique",
		arrivals, r.Table.path, r.Table.rows)
}

// Spent says that the rows for an arrival are used up; "" where they are not.
func (r *Rows) Spent(a *work.Arrival) string {
	if r.Table == nil || r.Order != Unique || a.N < r.Table.rows {
		return ""
	}
	return fmt.Sprintf("the %d rows of %s are used up", r.Table.rows, r.Table.path)
}

// Of returns the values of an arrival's row, nil without data.
func (r *Rows) Of(c *Cursor, a *work.Arrival) ([][]byte, error) {
	if r.Table == nil {
		return nil, nil
	}
	values, err := c.Read(r.Table.Row(r.Order, a))
	if err != nil {
		return nil, work.Fail(KindData, err)
	}
	return values, nil
}

// Cursor returns a cursor for one worker, nil without data.
func (r *Rows) Cursor() *Cursor {
	if r.Table == nil {
		return nil
	}
	return r.Table.Cursor()
}

// KindData is the failure of an arrival whose row cannot be read.
const KindData work.Kind = "data"
