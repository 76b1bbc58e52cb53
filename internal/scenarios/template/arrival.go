package template

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/engine/work"
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
