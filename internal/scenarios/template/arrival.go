package template

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/keys"
	"github.com/perfctl/perfctl/internal/suggest"
)

// Arrivals makes the fields that every arrival has. All that is random follows
// from the run's seed, the arrival's number and the place of the field in the
// order of compilation, so that a run can be repeated. A UUID follows from the
// run's identity as well: what an earlier run left must not be met again.
type Arrivals struct {
	// Run is the run's identity.
	Run string
	// Clock is the run's clock.
	Clock work.Clock
	// Stages are the names of the run's stages.
	Stages []string
	// Setting returns a setting by the name of the environment, for {{env NAME}}.
	// It may be nil.
	Setting func(name string) (string, bool)

	compiled uint64 // random fields so far
}

// arrivalFields are the names, each with its arguments, for help and errors.
var arrivalFields = []struct{ name, args, help string }{
	{"n", "", "number of the arrival among the scenario's, from 0"},
	{"k", "", "number of the arrival among all of the run's, from 0"},
	{"run", "", "the run's identity, 10 letters and digits"},
	{"stage", "", "name of the stage"},
	{"worker", "", "number of the worker, from 0"},
	{"random", "[LOW HIGH]", "random whole number from LOW to HIGH, both included; from 0 to 2^53-1 without them"},
	{"float", "[LOW HIGH]", "random number from LOW up to HIGH; from 0 up to 1 without them"},
	{"key", "COUNT [DISTRIBUTION]", "number from 0 up to COUNT, drawn uniform, zipf, latest or hotspot"},
	{"uuid", "", "random UUID, version 4, another one in every run"},
	{"hex", "LENGTH", "so many random hexadecimal digits"},
	{"text", "LENGTH", "so many random letters and digits"},
	{"choice", "WORD …", "one of the words"},
	{"fill", "LENGTH", "so many letters x"},
	{"now", "", "the time, as in 2026-01-02T15:04:05.000Z"},
	{"now_ms", "", "the time, in milliseconds since 1970"},
	{"due_ms", "", "when the arrival was due, in milliseconds since 1970"},
	{"env", "NAME", "the setting NAME of the environment or of --env-file"},
}

// MayHoldFields is what a description of a text with fields says of it.
const MayHoldFields = "may hold fields, as in {{n}}"

// ArrivalFields returns the arrival's fields as a user writes them, each with what
// it stands for.
func ArrivalFields() [][2]string {
	out := make([][2]string, len(arrivalFields))
	for i, f := range arrivalFields {
		out[i] = [2]string{strings.TrimSpace(f.name + " " + f.args), f.help}
	}
	return out
}

// ErrUnknown says that a call names no field.
var ErrUnknown = errors.New("is no field")

// Unknown returns the error for a call that names no field of the arrival and none
// of the names besides.
func Unknown(c Call, besides []string) error {
	names := besides
	for _, f := range arrivalFields {
		names = append(names[:len(names):len(names)], f.name)
	}
	if near, ok := suggest.Nearest(c.Name, names); ok {
		return fmt.Errorf("{{%s}} %w; did you mean {{%s}}?", c.Name, ErrUnknown, near)
	}
	return fmt.Errorf("{{%s}} %w; there are %s", c.Name, ErrUnknown, strings.Join(names, ", "))
}

// Field returns the field of an arrival that a call stands for. Its error wraps
// ErrUnknown where the name is none of an arrival's.
func (s *Arrivals) Field(c Call) (Field[*Scope], error) {
	at := -1
	for i, f := range arrivalFields {
		if f.name == c.Name {
			at = i
		}
	}
	if at < 0 {
		return nil, Unknown(c, nil)
	}
	f, err := s.field(c)
	if err != nil {
		want := strings.TrimSpace(arrivalFields[at].name + " " + arrivalFields[at].args)
		return nil, fmt.Errorf("%s: %w; it is written {{%s}}", c, err, want)
	}
	return f, nil
}

// streamFields is the first random stream of fields.
const streamFields = 0x74706c00 << 16

func (s *Arrivals) field(c Call) (Field[*Scope], error) {
	if len(c.Args) == 0 {
		if f := s.plain(c.Name); f != nil {
			return f, nil
		}
	}
	if c.Name == "env" {
		return s.setting(c.Args)
	}
	s.compiled++
	stream := streamFields + s.compiled
	if c.Name == "uuid" {
		h := fnv.New64a()
		_, _ = h.Write([]byte(s.Run)) // never fails
		return randomUUID(work.Mix(h.Sum64(), stream, 0)), arguments(c, 0, 0)
	}
	return random(c, stream)
}

// plain returns the fields without arguments that are not random.
func (s *Arrivals) plain(name string) Field[*Scope] {
	integer := func(get func(*Scope) int64) Field[*Scope] {
		return func(dst []byte, v *Scope) ([]byte, error) { return strconv.AppendInt(dst, get(v), 10), nil }
	}
	switch name {
	case "n":
		return integer(func(v *Scope) int64 { return v.Arrival.N })
	case "k":
		return integer(func(v *Scope) int64 { return v.Arrival.K })
	case "worker":
		return integer(func(v *Scope) int64 { return int64(v.Arrival.Worker) })
	case "now_ms":
		return integer(func(*Scope) int64 { return s.Clock.Time(s.Clock.Now()).UnixMilli() })
	case "due_ms":
		return integer(func(v *Scope) int64 { return s.Clock.Time(v.Arrival.Due).UnixMilli() })
	case "run":
		return Literal[*Scope](s.Run)
	case "now":
		return func(dst []byte, _ *Scope) ([]byte, error) {
			return s.Clock.Time(s.Clock.Now()).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00"), nil
		}
	case "stage":
		return func(dst []byte, v *Scope) ([]byte, error) {
			if i := v.Arrival.Stage; i >= 0 && i < len(s.Stages) {
				dst = append(dst, s.Stages[i]...)
			}
			return dst, nil
		}
	}
	return nil
}

func (s *Arrivals) setting(args []string) (Field[*Scope], error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%d names where one was expected", len(args))
	}
	if s.Setting == nil {
		return Literal[*Scope](""), nil
	}
	v, ok := s.Setting(args[0])
	if !ok {
		return nil, fmt.Errorf("%[1]s is set neither in the environment nor in a file of --env-file: give it with -e %[1]s=VALUE", args[0])
	}
	return Literal[*Scope](v), nil
}

// random returns the fields that are drawn.
func random(c Call, stream uint64) (Field[*Scope], error) {
	switch c.Name {
	case "random":
		return randomInt(c, stream)
	case "float":
		return randomFloat(c, stream)
	case "key":
		return randomKey(c, stream)
	case "choice":
		words := c.Args
		return func(dst []byte, v *Scope) ([]byte, error) {
			return append(dst, words[int(work.Unit(v.Draw(stream))*float64(len(words)))]...), nil
		}, arguments(c, 1, 1000)
	case "hex", "text", "fill":
		if err := arguments(c, 1, 1); err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(c.Args[0])
		if err != nil || n < 0 || n > 1<<20 {
			return nil, fmt.Errorf("%q is not a length from 0 to %d", c.Args[0], 1<<20)
		}
		if c.Name == "fill" {
			return Literal[*Scope](strings.Repeat("x", n)), nil
		}
		alphabet := "0123456789abcdef"
		if c.Name == "text" {
			alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		}
		return randomLetters(alphabet, n, stream), nil
	}
	return nil, arguments(c, 0, 0)
}

func arguments(c Call, low, high int) error {
	switch n := len(c.Args); {
	case n < low:
		return fmt.Errorf("%d arguments are too few", n)
	case n > high:
		return fmt.Errorf("%d arguments are too many", n)
	}
	return nil
}

// maxExact is the highest whole number up to which a JSON number holds every one.
const maxExact = 1<<53 - 1

func randomInt(c Call, stream uint64) (Field[*Scope], error) {
	low, high := int64(0), int64(maxExact)
	if len(c.Args) > 0 {
		if len(c.Args) != 2 {
			return nil, arguments(c, 2, 2)
		}
		var err1, err2 error
		low, err1 = strconv.ParseInt(c.Args[0], 10, 64)
		high, err2 = strconv.ParseInt(c.Args[1], 10, 64)
		if err1 != nil || err2 != nil || low > high || low < -maxExact || high > maxExact {
			return nil, errors.New("want two whole numbers, the lower one first")
		}
	}
	span := float64(high-low) + 1
	return func(dst []byte, v *Scope) ([]byte, error) {
		return strconv.AppendInt(dst, low+int64(work.Unit(v.Draw(stream))*span), 10), nil
	}, nil
}

func randomFloat(c Call, stream uint64) (Field[*Scope], error) {
	low, high := 0.0, 1.0
	if len(c.Args) > 0 {
		if len(c.Args) != 2 {
			return nil, arguments(c, 2, 2)
		}
		var err1, err2 error
		low, err1 = strconv.ParseFloat(c.Args[0], 64)
		high, err2 = strconv.ParseFloat(c.Args[1], 64)
		if err1 != nil || err2 != nil || !(low <= high) || high-low > 1e300 {
			return nil, errors.New("want two numbers, the lower one first")
		}
	}
	return func(dst []byte, v *Scope) ([]byte, error) {
		return strconv.AppendFloat(dst, low+work.Unit(v.Draw(stream))*(high-low), 'g', -1, 64), nil
	}, nil
}

// maxKeys bounds the time that a distribution takes to prepare.
const maxKeys = 100_000_000

func randomKey(c Call, stream uint64) (Field[*Scope], error) {
	if err := arguments(c, 1, 2); err != nil {
		return nil, err
	}
	count, err := strconv.ParseInt(c.Args[0], 10, 64)
	if err != nil || count < 1 || count > maxKeys {
		return nil, fmt.Errorf("%q is not a count from 1 to %d", c.Args[0], maxKeys)
	}
	d := keys.Uniform
	if len(c.Args) == 2 {
		if !slices.Contains(keys.Names[:], c.Args[1]) {
			return nil, fmt.Errorf("%q is not one of %s", c.Args[1], strings.Join(keys.Names[:], ", "))
		}
		d = keys.ByName(c.Args[1])
	}
	r := keys.New(count)
	return func(dst []byte, v *Scope) ([]byte, error) {
		bits := v.Draw(stream)
		return strconv.AppendInt(dst, r.Pick(d, work.Unit(bits), work.Unit(work.Mix(bits, 1, stream))), 10), nil
	}, nil
}

func randomLetters(alphabet string, n int, stream uint64) Field[*Scope] {
	return func(dst []byte, v *Scope) ([]byte, error) {
		bits := v.Draw(stream)
		for i := range n {
			dst = append(dst, alphabet[int(work.Unit(work.Mix(bits, uint64(i), 0))*float64(len(alphabet)))])
		}
		return dst, nil
	}
}

// randomUUID returns a field of the form of RFC 9562, version 4.
func randomUUID(stream uint64) Field[*Scope] {
	return func(dst []byte, v *Scope) ([]byte, error) {
		a := v.Draw(stream)
		b := work.Mix(a, 2, stream)
		a = a&^0xf000 | 0x4000
		b = b&^(3<<62) | 2<<62
		const hex = "0123456789abcdef"
		for i := range 32 {
			if i == 8 || i == 12 || i == 16 || i == 20 {
				dst = append(dst, '-')
			}
			bits := a
			if i >= 16 {
				bits = b
			}
			dst = append(dst, hex[bits>>(60-4*(i%16))&15])
		}
		return dst, nil
	}
}
