package flow

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// amqpValue is the value of a message's header or of a queue's argument, which has a
// type in AMQP: a header exchange takes 5 and "5" for two things.
type amqpValue struct {
	// constant is the value where it has no field in it.
	constant any
	text     text
	// convert makes the value of a text that has fields.
	convert func(string) (any, error)
	list    []amqpValue
	table   map[string]amqpValue
}

// amqpTypes are the types that a text can be made into, by the key that asks for one.
var amqpTypes = map[string]func(string) (any, error){
	"text":      func(s string) (any, error) { return s, nil },
	"int":       func(s string) (any, error) { return strconv.ParseInt(s, 10, 64) },
	"float":     func(s string) (any, error) { return strconv.ParseFloat(s, 64) },
	"bool":      func(s string) (any, error) { return strconv.ParseBool(s) },
	"bytes":     func(s string) (any, error) { return []byte(s), nil },
	"timestamp": func(s string) (any, error) { return parseInstant(s) },
}

// parseInstant reads now, seconds since 1970, or RFC 3339.
func parseInstant(s string) (time.Time, error) {
	if s == "now" {
		return time.Now(), nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n, 0), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q is neither now, nor seconds since 1970, nor a time as in 2026-01-31T12:00:00Z", s)
	}
	return t, nil
}

// amqpValue reads a value. YAML's own types are kept; a text with fields is made into
// another type by {int: "{{n}}"} and the like.
func (f *parser) amqpValue(v strictyaml.Value) amqpValue {
	if v.Anything() {
		return amqpValue{}
	}
	switch {
	case v.IsNull():
		return amqpValue{}
	case v.IsList():
		var list []amqpValue
		v.List("a list", func(_ int, item strictyaml.Value) { list = append(list, f.amqpValue(item)) })
		return amqpValue{list: list}.fold()
	case v.IsMap():
		return f.amqpTable(v)
	case v.IsText():
		return f.amqpText(v, amqpTypes["text"])
	}
	s, _ := v.Scalar()
	if n, err := strconv.ParseInt(s, 0, 64); err == nil {
		return amqpValue{constant: n}
	}
	if b, err := strconv.ParseBool(s); err == nil {
		return amqpValue{constant: b}
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		v.Add("%q is no value that a message can carry", s)
	}
	return amqpValue{constant: n}
}

// amqpTable reads a table, or one value with its type.
func (f *parser) amqpTable(v strictyaml.Value) amqpValue {
	table := map[string]amqpValue{}
	var typed amqpValue
	kind := ""
	v.Entries("a table", func(key string, _ strictyaml.Pos, of strictyaml.Value) {
		convert, known := amqpTypes[key]
		if known && !of.IsMap() && !of.IsList() {
			kind, typed = key, f.amqpText(of, convert)
		}
		table[key] = f.amqpValue(of)
	})
	if kind != "" && len(table) == 1 {
		return typed
	}
	return amqpValue{table: table}.fold()
}

// amqpText reads a text that becomes a value of some type.
func (f *parser) amqpText(v strictyaml.Value, convert func(string) (any, error)) amqpValue {
	out := amqpValue{convert: convert}
	request.Text(&f.fields, &out.text)(v)
	if constant, ok := out.text.Constant(); ok {
		value, err := convert(constant)
		if err != nil {
			v.Add("%v", err)
		}
		if _, instant := value.(time.Time); instant && constant == "now" {
			return out // another one for each message
		}
		return amqpValue{constant: value}
	}
	return out
}

// isConstant says whether the value is the same in every arrival.
func (a amqpValue) isConstant() bool { return a.convert == nil && a.list == nil && a.table == nil }

// fold makes a constant of a list or a table that holds constants alone.
func (a amqpValue) fold() amqpValue {
	if slices.ContainsFunc(a.list, func(x amqpValue) bool { return !x.isConstant() }) {
		return a
	}
	for _, x := range a.table {
		if !x.isConstant() {
			return a
		}
	}
	value, err := a.of(nil)
	if err != nil {
		return a
	}
	return amqpValue{constant: value}
}

// of returns the value for the worker's arrival.
func (a *amqpValue) of(w *worker) (any, error) {
	switch {
	case a.list != nil:
		out := make([]any, len(a.list))
		for i := range a.list {
			var err error
			if out[i], err = a.list[i].of(w); err != nil {
				return nil, err
			}
		}
		return out, nil
	case a.table != nil:
		out := make(amqp.Table, len(a.table))
		for _, k := range slices.Sorted(maps.Keys(a.table)) { // random fields are drawn in one order
			x := a.table[k]
			var err error
			if out[k], err = x.of(w); err != nil {
				return nil, err
			}
		}
		return out, nil
	case a.convert == nil:
		return a.constant, nil
	}
	var err error
	if w.text, err = a.text.Append(w.text[:0], &w.scope); err != nil {
		return nil, err
	}
	value, err := a.convert(string(w.text))
	if err != nil {
		return nil, work.Fail(request.KindTemplate, err)
	}
	return value, nil
}
