package vm

import (
	"errors"
	"strings"

	"github.com/dop251/goja"
)

// scriptError is an exception with the place where it was thrown.
type scriptError struct{ text string }

func (e *scriptError) Error() string { return e.text }

// explain rewords an engine's error: what was thrown, and where.
func (v *VM) explain(err error) error {
	var ex *goja.Exception
	if !errors.As(err, &ex) {
		return err
	}
	text := "thrown"
	if val := ex.Value(); val != nil {
		text = v.describe(val)
	}
	for _, f := range ex.Stack() {
		p := f.Position()
		if p.Line > 0 && p.Filename != "" && !strings.HasPrefix(p.Filename, "<") {
			return &scriptError{text + " (" + place(p.Filename, p.Line, p.Column) + ")"}
		}
	}
	return &scriptError{text}
}

// describe is a thrown value in words.
func (v *VM) describe(val goja.Value) (text string) {
	text = "thrown"
	_ = v.try(func() {
		if o, ok := val.(*goja.Object); ok && o.ClassName() != "Error" && o.Get("message") == nil {
			text = "thrown: " + v.stringify(val)
			return
		}
		text = strings.TrimPrefix(val.String(), "GoError: ")
	})
	return text
}

// place is a place of the script as its author knows it.
func place(file string, line, column int) string {
	return strings.TrimPrefix(file, "file://") + ":" + itoa(line) + ":" + itoa(column)
}

// where takes the first place of an interrupt's text.
func where(text string) string {
	if _, at, ok := strings.Cut(text, " at "); ok {
		at, _, _ = strings.Cut(at, "\n")
		return " at " + strings.TrimSpace(at)
	}
	return ""
}
