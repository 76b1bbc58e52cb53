package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Option describes one setting of a scenario.
type Option struct {
	// Key is its name below the scenario's.
	Key string
	// Default is its value where nobody sets it, as a user would write it.
	Default string
	// Help says what it does, with its unit.
	Help string
	// Type checks values and is one of Int, IntOr, Float, Duration, Bool, Enum,
	// Text, File.
	Type Type
	// PerStage says that a stage may change it.
	PerStage bool
}

// Type checks the text of a value. Its error says what is accepted.
type Type interface{ check(text string) error }

// Int accepts whole numbers from Min to Max.
type Int struct{ Min, Max int64 }

// IntOr accepts whole numbers from Min to Max, and one word.
type IntOr struct {
	Int
	Word string
}

// Float accepts finite numbers from Min to Max.
type Float struct{ Min, Max float64 }

// Duration accepts Go durations ("5ms", "1m30s") from Min to Max.
type Duration struct{ Min, Max time.Duration }

// Bool accepts true and false.
type Bool struct{}

// Enum accepts the words listed.
type Enum []string

// Text accepts any text that Valid accepts; a nil Valid accepts all.
type Text struct{ Valid func(string) error }

// File accepts the path of a file that Valid accepts, and nothing for none. What is
// in it belongs to what was run.
type File struct{ Valid func(path string) error }

func (t Int) check(s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < t.Min || n > t.Max {
		return fmt.Errorf("%q is not a whole number from %d to %d", s, t.Min, t.Max)
	}
	return nil
}

func (t IntOr) check(s string) error {
	if s == t.Word {
		return nil
	}
	if err := t.Int.check(s); err != nil {
		return fmt.Errorf("%w, nor %s", err, t.Word)
	}
	return nil
}

func (t Float) check(s string) error {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) || n < t.Min || n > t.Max {
		return fmt.Errorf("%q is not a number from %g to %g", s, t.Min, t.Max)
	}
	return nil
}

func (t Duration) check(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < t.Min || d > t.Max {
		return fmt.Errorf("%q is not a duration from %v to %v, as in 5ms or 1m30s", s, t.Min, t.Max)
	}
	return nil
}

func (Bool) check(s string) error {
	if s != "true" && s != "false" {
		return fmt.Errorf("%q is neither true nor false", s)
	}
	return nil
}

func (t Enum) check(s string) error {
	if !slices.Contains(t, s) {
		return fmt.Errorf("%q is not one of %s", s, strings.Join(t, ", "))
	}
	return nil
}

func (t File) check(path string) error {
	if path == "" {
		return nil
	}
	return t.Valid(path)
}

func (t Text) check(s string) error {
	if t.Valid == nil {
		return nil
	}
	return t.Valid(s)
}

// Values holds the checked settings of one scenario, for each stage.
type Values struct {
	stages []map[string]string
}

// Override is one value that somebody set.
type Override struct {
	Key, Value string
	// Stage is the number of the stage that it holds for, or -1 for all.
	Stage int
	// Place is where it was written, as file:line:col or a flag's name; it
	// leads the error.
	Place string
}

// NewValues checks the overrides against the definition and resolves every
// setting for every stage: later overrides win over earlier ones, and all over
// the defaults. All faults are returned.
func NewValues(d *Definition, stages int, overrides []Override) (*Values, []error) {
	v := &Values{stages: make([]map[string]string, max(stages, 1))}
	for i := range v.stages {
		v.stages[i] = map[string]string{}
		for _, o := range d.Settings {
			v.stages[i][o.Key] = o.Default
		}
	}
	var errs []error
	for _, o := range overrides {
		if err := v.set(d, o); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o.Place, err))
		}
	}
	return v, errs
}

func (v *Values) set(d *Definition, o Override) error {
	i := slices.IndexFunc(d.Settings, func(x Option) bool { return x.Key == o.Key })
	if i < 0 {
		return unknownOption(d, o.Key)
	}
	opt := d.Settings[i]
	if err := opt.Type.check(o.Value); err != nil {
		return fmt.Errorf("%s.%s: %w", d.Name, o.Key, err)
	}
	if o.Stage >= 0 && !opt.PerStage {
		return fmt.Errorf("%s.%s holds for a whole run and cannot change in a stage", d.Name, o.Key)
	}
	for s := range v.stages {
		if o.Stage < 0 || o.Stage == s {
			v.stages[s][o.Key] = o.Value
		}
	}
	return nil
}

// The readers below return the value of a setting in a stage. The key must be
// one of the definition's and of the type asked for.

// Text returns the value as written.
func (v *Values) Text(stage int, key string) string {
	s, ok := v.stages[stage][key]
	if !ok {
		panic("scenarios: no setting " + key)
	}
	return s
}

// Int returns a whole number.
func (v *Values) Int(stage int, key string) int {
	n, _ := strconv.ParseInt(v.Text(stage, key), 10, 64)
	return int(n)
}

// Float returns a number.
func (v *Values) Float(stage int, key string) float64 {
	n, _ := strconv.ParseFloat(v.Text(stage, key), 64)
	return n
}

// Duration returns a duration.
func (v *Values) Duration(stage int, key string) time.Duration {
	d, _ := time.ParseDuration(v.Text(stage, key))
	return d
}

// Bool returns a truth value.
func (v *Values) Bool(stage int, key string) bool { return v.Text(stage, key) == "true" }
