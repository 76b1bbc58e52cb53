package strictyaml

// Shape is what a reader takes, found by Describe: which kinds of values, and what may
// be within them. A value may be of each of the kinds that are set.
type Shape struct {
	// Help says what the value is for, Notes what its text may hold besides.
	Help  string
	Notes []string
	// Ref is the name of a shape of Description.Named that says all the rest.
	Ref string
	// Any is a value of any kind, Null none.
	Any, Null bool
	// Text, Number, Bool, Duration and Rate are scalars; Integer is a number within
	// Low … High.
	Text, Number, Bool, Duration, Rate, Integer bool
	Low, High                                   int64
	// Words are the only texts that are taken, Pattern the form of those that are; both
	// are empty where any text is.
	Words   []string
	Pattern string
	// List is a list, Map a mapping.
	List *ListShape
	Map  *MapShape
}

// ListShape is a list.
type ListShape struct {
	Item *Shape
	// Some says that an empty list is refused.
	Some bool
}

// MapShape is a mapping: with Keys and no others, or with keys of the user's own whose
// values are all alike.
type MapShape struct {
	Keys []Key
	// Values is nil where the keys are given.
	Values *Shape
	// KeyPattern is the form of the user's keys; empty for any.
	KeyPattern string
}

// Key is a key that a mapping may have.
type Key struct {
	Name     string
	Required bool
	Value    *Shape
}

// Key returns the shape behind a key, nil where there is no such key.
func (m *MapShape) Key(name string) *Shape {
	for i := range m.Keys {
		if m.Keys[i].Name == name {
			return m.Keys[i].Value
		}
	}
	return nil
}

// takes marks that any value of a kind is taken.
func (s *Shape) takes(k kind) {
	switch k {
	case unknownKind:
		s.Any = true
	case aScalar:
		s.Text, s.Number, s.Bool = true, true, true
	case aList:
		if s.List == nil {
			s.List = &ListShape{Item: &Shape{Any: true}}
		}
	case aMap:
		if s.Map == nil {
			s.Map = &MapShape{Values: &Shape{Any: true}}
		}
	case aNull:
		s.Null = true
	}
}

// integer marks that whole numbers are taken, the widest bounds of all readers.
func (s *Shape) integer(low, high int64) {
	if s.Integer {
		low, high = min(low, s.Low), max(high, s.High)
	}
	s.Integer, s.Low, s.High = true, low, high
}

// Help says what a key is for, for editors.
func (f Field) Help(text string) Field {
	f.help = text
	return f
}

// Either says that of the fields of one group a mapping has one: what its reader does
// may depend on which.
func (f Field) Either(group string) Field {
	f.group = group
	return f
}

// The methods below say to Describe what a reader asks of a value by itself. They do
// nothing while a file is read.

// Word returns a scalar that is to be one of a few words, which the caller holds it
// against.
func (v Value) Word(words ...string) (string, bool) {
	if v.at == nil {
		return v.Scalar()
	}
	v.at.scalar(func(s *Shape) {
		s.Text = true
		s.Words = appendNew(s.Words, words...)
	})
	return "", false
}

// Like says that a text is of a form, a regular expression.
func (v Value) Like(pattern string) {
	if v.at != nil {
		v.at.shape.Pattern = pattern
	}
}

// KeysLike says that the keys of a mapping are of a form, a regular expression.
func (v Value) KeysLike(pattern string) {
	if v.at != nil {
		v.at.keyPattern = pattern
	}
}

// Keys says which keys of the user's own Entries is to meet.
func (v Value) Keys(known ...string) {
	if v.at != nil {
		v.at.keys = known
	}
}

// Note says what a text may hold.
func (v Value) Note(text string) {
	if v.at != nil {
		v.at.shape.Notes = appendNew(v.at.shape.Notes, text)
	}
}

// Anything says that whatever is within the value is taken. It returns whether there is
// nothing to read, for the reader is only being described.
func (v Value) Anything() bool {
	if v.at == nil {
		return false
	}
	v.at.touched = true
	v.at.shape.takes(v.at.kind)
	return true
}

// Named gives what the value is a name, under which a reader that reads itself again
// further down, as of steps within steps, is described once. It returns whether that is
// done already, and there is nothing to read.
func (v Value) Named(name string) (done bool) { return v.at != nil && v.at.named(name) }
