package tasks

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/suggest"
)

// The fields of a body.
const (
	fieldID = iota
	fieldNumber
	fieldRandom
	fieldPriority
	fieldWork
	fieldDue
	fieldSent
	fieldRun
	fieldReplyTo
	fieldFill
	literal
)

var fields = []string{"id", "n", "random", "priority", "work_ms", "due_ms", "sent_ms", "run", "reply_to", "fill"}

// fieldNames lists the fields as they are written.
func fieldNames() string {
	return "{{" + strings.Join(fields[:len(fields)-1], "}}, {{") + "}}"
}

// streamBody is the random stream of {{random}}.
const streamBody = 0x7461736b03

// bodyText is a body with fields, compiled once: rendering it appends its
// parts and looks nothing up.
type bodyText []bodyPart

type bodyPart struct {
	field int
	text  []byte // of a literal, and of what is the same for every task
}

// compileBody reads the text of a body. The error names what is wrong.
func compileBody(text string) (bodyText, error) {
	var out bodyText
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "{{")
		if before != "" {
			out = append(out, bodyPart{literal, []byte(before)})
		}
		if !found {
			return out, nil
		}
		name, tail, closed := strings.Cut(after, "}}")
		if !closed {
			return nil, fmt.Errorf("%q has no }}", "{{"+after)
		}
		name = strings.TrimSpace(name)
		field := slices.Index(fields, name)
		if field < 0 {
			if near, ok := suggest.Nearest(name, fields); ok {
				return nil, fmt.Errorf("{{%s}} is no field of a task; did you mean {{%s}}?", name, near)
			}
			return nil, fmt.Errorf("{{%s}} is no field of a task; there are %s and {{fill}}", name, fieldNames())
		}
		out = append(out, bodyPart{field: field})
		rest = tail
	}
}

func validBody(text string) error {
	_, err := compileBody(text)
	return err
}

// fixed returns the body with what is the same for every task filled in:
// run, reply queue, and filler that brings it to about size bytes.
func (b bodyText) fixed(run, replyTo string, size int) bodyText {
	out := slices.Clone(b)
	fills := 0
	for i := range out {
		switch p := &out[i]; p.field {
		case fieldRun:
			*p = bodyPart{literal, []byte(run)}
		case fieldReplyTo:
			*p = bodyPart{literal, []byte(replyTo)}
		case fieldFill:
			fills++
		}
	}
	if fills == 0 {
		return out
	}
	sample := out.render(nil, &bodyValues{arrival: &work.Arrival{}})
	fill := bytes.Repeat([]byte("x"), max(size-len(sample), 0)/fills)
	for i := range out {
		if out[i].field == fieldFill {
			out[i] = bodyPart{literal, fill}
		}
	}
	return out
}

// bodyValues are the values of a task's fields.
type bodyValues struct {
	arrival   *work.Arrival
	run       uint64
	work      time.Duration
	priority  uint8
	due, sent time.Time
}

// render appends the body of a task.
func (b bodyText) render(dst []byte, v *bodyValues) []byte {
	for i := range b {
		switch p := &b[i]; p.field {
		case fieldID:
			dst = idText(dst, v.run, v.arrival.N)
		case fieldNumber:
			dst = strconv.AppendInt(dst, v.arrival.N, 10)
		case fieldRandom:
			// A JSON number holds 53 bits for certain.
			dst = strconv.AppendUint(dst, v.arrival.Random(streamBody)>>11, 10)
		case fieldPriority:
			dst = strconv.AppendUint(dst, uint64(v.priority), 10)
		case fieldWork:
			dst = strconv.AppendFloat(dst, float64(v.work)/float64(time.Millisecond), 'f', 3, 64)
		case fieldDue:
			dst = strconv.AppendInt(dst, v.due.UnixMilli(), 10)
		case fieldSent:
			dst = strconv.AppendInt(dst, v.sent.UnixMilli(), 10)
		default:
			dst = append(dst, p.text...)
		}
	}
	return dst
}
