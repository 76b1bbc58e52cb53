package strictyaml

import (
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// Description is what a reader takes.
type Description struct {
	Root *Shape
	// Named are the shapes that others refer to.
	Named map[string]*Shape
}

// Describe finds what a reader takes, by letting it read. The values that it is handed
// hold nothing: they note what it asks of them. Where a reader looks at what a value is,
// or takes one of several keys, it is run again with each, until all was seen. It must
// not mind that texts are empty and numbers 0.
func Describe(read func(root Value, c *Collector)) Description {
	t := &tour{shapes: map[string]*Shape{}, namedShapes: map[string]*Shape{}, known: map[string]bool{}}
	t.pending = []map[string]int{{}}
	for len(t.pending) > 0 {
		t.chosen, t.pending = t.pending[0], t.pending[1:]
		t.places = t.places[:0]
		var c Collector
		read(t.value("", "the file", nil, &c, ""), &c)
		for _, p := range t.places {
			if p.kind != unknownKind && !p.touched {
				p.shape.takes(p.kind)
			}
		}
	}
	return Description{t.shapes[""], t.namedShapes}
}

// kind is what a value is taken for.
type kind int

const (
	unknownKind kind = iota - 1
	aScalar
	aList
	aMap
	aNull
	kinds // how many there are
)

// tour is one call of Describe.
type tour struct {
	// shapes are what was found, by place; namedShapes those with a name.
	shapes, namedShapes map[string]*Shape
	// known are the decisions that were met, pending the choices of the runs to come,
	// chosen those of this one.
	known   map[string]bool
	pending []map[string]int
	chosen  map[string]int
	// places are those of this run.
	places []*place
}

// place is where a value stands that only notes what is asked of it.
type place struct {
	tour   *tour
	path   string
	shape  *Shape
	within []string // the names of the shapes that it is in
	kind   kind
	// touched says that something was asked or said of it, listed that its list was.
	touched, listed bool
	keyPattern      string
	keys            []string
}

func (t *tour) value(path, name string, within []string, c *Collector, file string) Value {
	if t.shapes[path] == nil {
		t.shapes[path] = &Shape{}
	}
	p := &place{tour: t, path: path, shape: t.shapes[path], within: within, kind: unknownKind}
	t.places = append(t.places, p)
	return Value{node: &yaml.Node{Kind: yaml.ScalarNode, Tag: strTag}, c: c, file: file, name: name, at: p}
}

// child returns the value at a place below.
func (v Value) child(step, name string) Value {
	return v.at.tour.value(v.at.path+step, name, v.at.within, v.c, v.file)
}

// decide returns which of n ways this run takes, and leaves the others to later ones.
func (t *tour) decide(what string, n int) int {
	if way, ok := t.chosen[what]; ok {
		return way
	}
	if !t.known[what] {
		t.known[what] = true
		for way := 1; way < n; way++ {
			later := maps.Clone(t.chosen)
			later[what] = way
			t.pending = append(t.pending, later)
		}
	}
	t.chosen[what] = 0
	return 0
}

// is says whether the value is to be of a kind in this run.
func (p *place) is(k kind) bool {
	if p.kind == unknownKind {
		p.kind = kind(p.tour.decide("kind of "+p.path, int(kinds)))
	}
	return p.kind == k
}

// may says whether the value can be of a kind in this run; that it was asked counts.
func (p *place) may(k kind) bool {
	p.touched = true
	return p.kind == unknownKind || p.kind == k
}

// scalar notes what a reader takes of a scalar.
func (p *place) scalar(note func(*Shape)) {
	if p.may(aScalar) {
		note(p.shape)
	}
}

func (p *place) named(name string) (done bool) {
	p.shape.Ref = name
	if slices.Contains(p.within, name) {
		p.touched = true
		return true
	}
	if p.tour.namedShapes[name] == nil {
		p.tour.namedShapes[name] = &Shape{}
	}
	p.path, p.shape = "#"+name, p.tour.namedShapes[name]
	p.within = append(slices.Clone(p.within), name)
	return false
}

// describeMap lets each key of a mapping be read.
func (v Value) describeMap(fields []Field) bool {
	if !v.at.may(aMap) {
		return false
	}
	groups := map[string][]string{}
	for _, f := range fields {
		if f.group != "" {
			groups[f.group] = append(groups[f.group], f.key)
		}
	}
	for _, f := range fields {
		below := v.child("."+f.key, f.key)
		v.at.key(f, below.at.shape)
		if of := groups[f.group]; f.group != "" && of[v.at.tour.decide(f.group+" of "+v.at.path, len(of))] != f.key {
			continue
		}
		f.read(below)
	}
	return true
}

// key notes a key.
func (p *place) key(f Field, below *Shape) {
	if p.shape.Map == nil {
		p.shape.Map = &MapShape{}
	}
	m := p.shape.Map
	if below.Help == "" {
		below.Help = f.help
	}
	for i := range m.Keys {
		if m.Keys[i].Name == f.key {
			m.Keys[i].Required = m.Keys[i].Required && f.required
			return
		}
	}
	m.Keys = append(m.Keys, Key{f.key, f.required, below})
}

// describeEntries lets the value of one key of the user's own be read, or of each where
// they are known.
func (v Value) describeEntries(read func(key string, at Pos, value Value)) {
	if !v.at.may(aMap) {
		return
	}
	for _, k := range v.at.keys {
		below := v.child("."+k, k)
		v.at.key(Optional(k, nil), below.at.shape)
		read(k, Pos{}, below)
	}
	if v.at.keys != nil {
		return
	}
	below := v.child("{}", "value")
	if v.at.shape.Map == nil {
		v.at.shape.Map = &MapShape{}
	}
	v.at.shape.Map.Values, v.at.shape.Map.KeyPattern = below.at.shape, v.at.keyPattern
	read("key", Pos{}, below)
}

// describeList lets one item be read. The list counts as empty after that: who says
// that something is wrong with it then wants one that is not.
func (v Value) describeList(what string, read func(i int, item Value)) (empty bool) {
	if !v.at.may(aList) {
		return false
	}
	item := v.child("[]", "an item of "+what)
	if v.at.shape.List == nil {
		v.at.shape.List = &ListShape{}
	}
	v.at.shape.List.Item, v.at.listed = item.at.shape, true
	read(0, item)
	return true
}

// complained notes that a reader found something wrong.
func (p *place) complained() {
	p.touched = true
	if p.listed {
		p.shape.List.Some = true
	}
}

// appendNew appends what is not there yet.
func appendNew(list []string, more ...string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// String returns the kinds of a shape for messages of tests.
func (s *Shape) String() string {
	if s == nil {
		return "nothing"
	}
	out := ""
	for _, k := range []struct {
		name string
		is   bool
	}{{"any", s.Any}, {"null", s.Null}, {"text", s.Text}, {"number", s.Number}, {"bool", s.Bool}, {"duration", s.Duration},
		{"rate", s.Rate}, {"integer", s.Integer}, {"list", s.List != nil}, {"map", s.Map != nil}, {"→" + s.Ref, s.Ref != ""}} {
		if k.is {
			out += " " + k.name
		}
	}
	if s.Integer {
		out += " " + strconv.FormatInt(s.Low, 10) + "…" + strconv.FormatInt(s.High, 10)
	}
	return out
}
