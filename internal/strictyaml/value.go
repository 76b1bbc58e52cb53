package strictyaml

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/perfctl/perfctl/internal/suggest"
)

const (
	nullTag  = "!!null"
	boolTag  = "!!bool"
	intTag   = "!!int"
	floatTag = "!!float"
	strTag   = "!!str"
	mergeTag = "!!merge"
)

// Value is a value of a file, at its place. Its methods add what is wrong with
// it to the collector of the file.
type Value struct {
	node *yaml.Node
	c    *Collector
	file string
	name string // what messages call it
	// at is where the value stands while a reader is described; nil while a file is read.
	at *place
}

// Pos returns where the value stands.
func (v Value) Pos() Pos { return Pos{v.file, v.node.Line, v.node.Column} }

// Add adds a problem of this value; format and args are those of fmt.Sprintf.
func (v Value) Add(format string, args ...any) {
	if v.at != nil {
		v.at.complained()
	}
	v.c.Add(v.Pos(), format, args...)
}

// Reader takes what it needs from a value.
type Reader func(Value)

// Field is a key that a mapping may have.
type Field struct {
	key      string
	required bool
	read     Reader
	// help and group are for Describe.
	help, group string
}

// Optional is a key that may be left out.
func Optional(key string, read Reader) Field { return Field{key: key, read: read} }

// Required is a key that must be there.
func Required(key string, read Reader) Field { return Field{key: key, required: true, read: read} }

// Map reads a mapping with these keys. what, as "a stage", names the mapping in
// messages. A key that is unknown, is there twice, or is required and missing is
// a problem. It returns whether v is a mapping and none was found, in it or in
// what it holds, so that the caller need not complain about what follows.
func (v Value) Map(what string, fields ...Field) bool {
	if v.at != nil {
		return v.describeMap(fields)
	}
	before := len(v.c.problems)
	found := make([]bool, len(fields))
	ok := v.each(what, func(key Value, value Value) {
		for i := range fields {
			if fields[i].key == key.node.Value {
				found[i] = true
				fields[i].read(value)
				return
			}
		}
		key.unknown(what, fields)
	})
	for i := range fields {
		if ok && fields[i].required && !found[i] {
			v.Add("%s needs the key %q", what, fields[i].key)
		}
	}
	return len(v.c.problems) == before
}

func (v Value) unknown(what string, fields []Field) {
	keys := make([]string, len(fields))
	for i := range fields {
		keys[i] = fields[i].key
	}
	if near, ok := suggest.Nearest(v.node.Value, keys); ok {
		v.Add("unknown key %q in %s; did you mean %q?", v.short(), what, near)
		return
	}
	v.Add("unknown key %q in %s; it may have %s", v.short(), what, strings.Join(keys, ", "))
}

// Entries reads a mapping whose keys are the user's own, in file order. what, as
// "the rates", names it in messages. A key that is there twice is a problem.
func (v Value) Entries(what string, read func(key string, at Pos, value Value)) {
	if v.at != nil {
		v.describeEntries(read)
		return
	}
	v.each(what, func(key Value, value Value) { read(key.node.Value, key.Pos(), value) })
}

// EachKey calls visit for each key of a mapping, and finds nothing wrong with a value
// that is none. It is for looking at what is at fault already.
func (v Value) EachKey(visit func(key string)) {
	if v.at != nil || v.node.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		visit(v.node.Content[i].Value)
	}
}

// each calls read for the entries that are sound, and returns whether v is a
// mapping at all.
func (v Value) each(what string, read func(key, value Value)) bool {
	if v.node.Kind != yaml.MappingNode {
		v.Add("%s must be a mapping of keys to values, not %s", what, v.kind())
		return false
	}
	lines := make(map[string]int, len(v.node.Content)/2)
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := Value{node: v.node.Content[i], c: v.c, file: v.file, name: "a key"}
		switch line, twice := lines[key.node.Value]; {
		case key.node.Kind != yaml.ScalarNode || key.node.ShortTag() == nullTag:
			key.Add("a key of %s must be a word, not %s", what, key.kind())
		case key.node.ShortTag() == mergeTag:
			key.Add("merge keys are not supported: write the keys of %s out", what)
		case twice:
			key.Add("the key %q is in %s twice, the first time in line %d", key.short(), what, line)
		default:
			lines[key.node.Value] = key.node.Line
			read(key, Value{node: v.node.Content[i+1], c: v.c, file: v.file, name: key.node.Value})
		}
	}
	return true
}

// List reads a sequence. what, as "the stages", names it in messages. It returns
// whether v is a sequence with nothing in it, which is the caller's to judge;
// anything but a sequence is a problem already.
func (v Value) List(what string, read func(i int, item Value)) (empty bool) {
	if v.at != nil {
		return v.describeList(what, read)
	}
	if v.node.Kind != yaml.SequenceNode {
		v.Add("%s must be a list, not %s", what, v.kind())
		return false
	}
	for i, n := range v.node.Content {
		read(i, Value{node: n, c: v.c, file: v.file, name: "an item of " + what})
	}
	return len(v.node.Content) == 0
}

// kind says in words what a value is.
func (v Value) kind() string {
	switch v.node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias: aliases are not supported, write the value out"
	}
	switch v.node.ShortTag() {
	case nullTag:
		return "empty"
	case boolTag:
		return "the boolean " + v.short()
	case intTag, floatTag:
		return "the number " + v.short()
	}
	return "the text " + `"` + v.short() + `"`
}

// short is the scalar, cut to what fits into a message.
func (v Value) short() string {
	const most = 40
	if r := []rune(v.node.Value); len(r) > most {
		return string(r[:most]) + "…"
	}
	return v.node.Value
}
