package template

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// Scope is what a text is rendered for.
type Scope struct {
	Arrival *work.Arrival
	// Turn tells apart several renderings for one arrival, as in a loop.
	Turn uint64
	// Vars are the variables of a Names, by slot.
	Vars []Value
	// Row holds the values of the arrival's row of data, by column.
	Row [][]byte
}

// Draw returns the random 64 bits of a field for an arrival.
func (s *Scope) Draw(stream uint64) uint64 {
	if s.Turn != 0 {
		stream = work.Mix(stream, s.Turn, 0)
	}
	return s.Arrival.Random(stream)
}

// Sort is what a value is.
type Sort uint8

// The sorts of values.
const (
	// Unset: nothing gave it a value yet.
	Unset Sort = iota
	// Plain is a text that an expression sees as the number or the truth value
	// that it looks like.
	Plain
	// String is a text.
	String
	// Number is a number, Bool true or false, in text form.
	Number
	Bool
	// Null is the value null; its text is empty.
	Null
)

// Value is the value of a variable.
type Value struct {
	Sort Sort
	// Text is the value as text. Its memory is used again by Set.
	Text []byte
}

// Set gives the value a new text.
func (v *Value) Set(s Sort, text []byte) {
	v.Sort, v.Text = s, append(v.Text[:0], text...)
}

// Any returns the value as an expression sees it: nil, a string, a float64 or a
// bool.
func (v *Value) Any() any {
	switch v.Sort {
	case Plain, Number:
		if len(v.Text) > 0 && (v.Text[0] == '-' || v.Text[0] >= '0' && v.Text[0] <= '9') {
			if n, err := strconv.ParseFloat(string(v.Text), 64); err == nil {
				return n
			}
		}
		if b := string(v.Text); b == "true" || b == "false" {
			return b == "true"
		}
	case Bool:
		return string(v.Text) == "true"
	case Unset, Null:
		return nil
	}
	return string(v.Text)
}

// Names are the variables of a text, in the order of their slots.
type Names struct{ names []string }

// Declare returns the slot of a name, a new one where there is none.
func (n *Names) Declare(name string) int {
	if slot, ok := n.Slot(name); ok {
		return slot
	}
	n.names = append(n.names, name)
	return len(n.names) - 1
}

// Slot returns the slot of a name that was declared.
func (n *Names) Slot(name string) (int, bool) {
	i := slices.Index(n.names, name)
	return i, i >= 0
}

// All returns every name, by slot.
func (n *Names) All() []string { return n.names }

// Fields are what the texts of one file may hold: an arrival's fields and its own
// variables.
type Fields struct {
	Arrivals *Arrivals
	Names    *Names
	// Also, where it is not nil, finds further fields; a nil one is none.
	Also func(Call) Field[*Scope]
	// Others are the names of those, for errors.
	Others []string
}

// Compile reads a text.
func (f *Fields) Compile(text string) (Text[*Scope], error) {
	return Compile(text, f.resolve)
}

// CompileAt reads a text whose values are encoded for where they land.
func (f *Fields) CompileAt(text string, place func(before string) Encoding) (Text[*Scope], error) {
	return CompileAt(text, f.resolve, place)
}

func (f *Fields) resolve(c Call) (Field[*Scope], error) {
	if slot, ok := f.Names.Slot(c.Name); ok && len(c.Args) == 0 {
		return variable(c.Name, slot), nil
	}
	if f.Also != nil {
		if field := f.Also(c); field != nil {
			return field, nil
		}
	}
	if !Reserved(c.Name) {
		return nil, Unknown(c, slices.Concat(f.Names.All(), f.Others))
	}
	return f.Arrivals.Field(c)
}

// Column returns the field of a column of the arrival's row.
func Column(column int) Field[*Scope] {
	return func(dst []byte, s *Scope) ([]byte, error) {
		if column >= len(s.Row) {
			return dst, nil // before there is a run, as for a sample
		}
		return append(dst, s.Row[column]...), nil
	}
}

// Reserved says whether a name is that of an arrival's field, and so cannot be a
// variable's.
func Reserved(name string) bool {
	for _, f := range arrivalFields {
		if f.name == name {
			return true
		}
	}
	return false
}

func variable(name string, slot int) Field[*Scope] {
	unset := work.Fail(KindUnset, fmt.Errorf("{{%s}} has no value: the step that captures it was not executed", name))
	return func(dst []byte, s *Scope) ([]byte, error) {
		v := &s.Vars[slot]
		if v.Sort == Unset {
			return dst, unset
		}
		return append(dst, v.Text...), nil
	}
}

// KindUnset is the failure of a text that uses a variable without a value.
const KindUnset work.Kind = "unset_variable"
