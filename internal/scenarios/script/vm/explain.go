package vm

import (
	"errors"
	"regexp"
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
	if at := firstPlace(ex.Stack()); at != "" {
		text += " (" + at + ")"
	}
	return &scriptError{text}
}

// firstPlace is the innermost place of a stack that is in the script; empty for none.
func firstPlace(stack []goja.StackFrame) string {
	for i := range stack {
		if p := stack[i].Position(); p.Line > 0 && p.Filename != "" && !strings.HasPrefix(p.Filename, "<") {
			return place(p.Filename, p.Line, p.Column)
		}
	}
	return ""
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

var stackPlace = regexp.MustCompile(`(?m)^\s*at (?:.*?\()?([^()\s]+:\d+:\d+)`)

// where takes the first place of the text of a stack.
func where(text string) string {
	if m := stackPlace.FindStringSubmatch(text); m != nil {
		return " (" + strings.TrimPrefix(m[1], "file://") + ")"
	}
	return ""
}
