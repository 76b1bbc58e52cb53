package tasks

import (
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/template"
)

// taskFields are the fields of a body that only a task has.
var taskFields = []string{"id", "priority", "work_ms", "due_ms", "sent_ms", "reply_to", "fill"}

// fieldNames lists the fields as they are written, those of every arrival last.
func fieldNames() string {
	all := taskFields[: len(taskFields)-1 : len(taskFields)-1]
	for _, f := range template.ArrivalFields() {
		name, _, _ := strings.Cut(f[0], " ")
		if name != "fill" && name != "due_ms" {
			all = append(all, name)
		}
	}
	return "{{" + strings.Join(all, "}}, {{") + "}}"
}

// bodyText is a body with fields.
type bodyText = template.Text[*bodyValues]

// bodyValues are the values of a task's fields.
type bodyValues struct {
	scope     template.Scope
	run       uint64
	work      time.Duration
	priority  uint8
	due, sent time.Time
}

// bodyFields are what is the same for every task.
type bodyFields struct {
	arrivals *template.Arrivals
	replyTo  string
	// size is about how many bytes a body has that holds {{fill}}.
	size int
}

// compileBody reads the text of a body. The error names what is wrong.
func compileBody(text string, f bodyFields) (bodyText, error) {
	fills, filler := 0, ""
	resolve := func(c template.Call) (template.Field[*bodyValues], error) { return f.field(c, &fills, filler) }
	t, err := template.Compile(text, resolve)
	if err != nil || fills == 0 {
		return t, err
	}
	sample, err := t.Append(nil, &bodyValues{scope: template.Scope{Arrival: &work.Arrival{}}})
	if err != nil {
		return t, err
	}
	filler = strings.Repeat("x", max(f.size-len(sample), 0)/fills)
	return template.Compile(text, resolve)
}

func validBody(text string) error {
	_, err := compileBody(text, bodyFields{arrivals: &template.Arrivals{}})
	return err
}

// field returns the field that a call stands for; it counts the fills.
func (f *bodyFields) field(c template.Call, fills *int, filler string) (template.Field[*bodyValues], error) {
	if len(c.Args) == 0 {
		switch c.Name {
		case "reply_to":
			return template.Literal[*bodyValues](f.replyTo), nil
		case "fill":
			*fills++
			return template.Literal[*bodyValues](filler), nil
		}
		if own := taskField(c.Name); own != nil {
			return func(dst []byte, v *bodyValues) ([]byte, error) { return own(dst, v), nil }, nil
		}
	}
	if !template.Reserved(c.Name) {
		return nil, template.Unknown(c, taskFields)
	}
	general, err := f.arrivals.Field(c)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, v *bodyValues) ([]byte, error) { return general(dst, &v.scope) }, nil
}

// taskField returns the field of a task by its name, nil where there is none.
func taskField(name string) func(dst []byte, v *bodyValues) []byte {
	switch name {
	case "id":
		return func(dst []byte, v *bodyValues) []byte { return idText(dst, v.run, v.scope.Arrival.N) }
	case "priority":
		return func(dst []byte, v *bodyValues) []byte { return strconv.AppendUint(dst, uint64(v.priority), 10) }
	case "work_ms":
		return func(dst []byte, v *bodyValues) []byte {
			return strconv.AppendFloat(dst, float64(v.work)/float64(time.Millisecond), 'f', 3, 64)
		}
	case "due_ms":
		return func(dst []byte, v *bodyValues) []byte { return strconv.AppendInt(dst, v.due.UnixMilli(), 10) }
	case "sent_ms":
		return func(dst []byte, v *bodyValues) []byte { return strconv.AppendInt(dst, v.sent.UnixMilli(), 10) }
	}
	return nil
}
