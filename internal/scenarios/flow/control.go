package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// The failures of control steps.
const (
	// KindExpression: an expression could not be evaluated, as of a text compared
	// with a number.
	KindExpression work.Kind = "expression"
	// KindUntil: a repeat ended without what it waits for.
	KindUntil work.Kind = "until"
)

// control reads a step that steers others.
func (f *parser) control(kind string, v, inner strictyaml.Value, others map[string]strictyaml.Value) node {
	switch kind {
	case "think":
		return f.think(inner)
	case "repeat":
		return f.repeat(v, inner)
	}
	then, has := others["then"]
	if !has {
		v.Add("if needs then, a list of steps")
		return nil
	}
	b := &branch{}
	b.condition = f.expression(inner)
	b.then = f.list("then", then)
	if of, ok := others["else"]; ok {
		b.otherwise = f.list("else", of)
	}
	return b
}

// branch executes one list of steps or another.
type branch struct {
	condition       *condition
	then, otherwise []node
}

func (b *branch) run(ctx context.Context, w *worker) error {
	ok, err := b.condition.holds(w)
	if err != nil {
		return err
	}
	if ok {
		return walk(ctx, w, b.then)
	}
	return walk(ctx, w, b.otherwise)
}

// think waits.
type think struct {
	low, high, mean time.Duration
	stream          uint64
}

// streamThink is the first random stream of think times.
const streamThink = 0x666c6f77 << 16

func (f *parser) think(v strictyaml.Value) node {
	t := &think{stream: streamThink + uint64(v.Pos().Line)}
	if !v.IsMap() {
		strictyaml.Duration(&t.low)(v)
		t.high = t.low
		return t
	}
	if !v.Map("think",
		strictyaml.Optional("min", strictyaml.Duration(&t.low)), strictyaml.Optional("max", strictyaml.Duration(&t.high)),
		strictyaml.Optional("mean", strictyaml.Duration(&t.mean))) {
		return nil
	}
	if (t.mean > 0) == (t.high > 0) || t.low > t.high {
		v.Add("think is a duration, or min and max, or the mean of an exponential distribution")
	}
	return t
}

func (t *think) run(ctx context.Context, w *worker) error {
	d := t.low
	u := work.Unit(w.scope.Draw(t.stream))
	if t.mean > 0 {
		d = time.Duration(-math.Log1p(-u) * float64(t.mean))
	} else if t.high > t.low {
		d += time.Duration(u * float64(t.high-t.low))
	}
	return w.pause(ctx, d)
}

// repeat executes steps several times.
type repeat struct {
	times int64
	every time.Duration
	until *condition
	steps []node
	pos   strictyaml.Pos
}

// maxTimes bounds a repeat.
const maxTimes = 100_000

// The turn of a scope holds the counts of nested repeats, the innermost lowest.
const (
	turnBits = 20
	turnMask = 1<<turnBits - 1
)

func (f *parser) repeat(v, inner strictyaml.Value) node {
	r := &repeat{pos: v.Pos()}
	var until, steps strictyaml.Value
	hasUntil := false
	if !inner.Map("repeat",
		strictyaml.Required("times", strictyaml.Int(&r.times, 1, maxTimes)).Help("how often at most"),
		strictyaml.Optional("every", strictyaml.Duration(&r.every)).Help("pause between two times"),
		strictyaml.Optional("until", func(of strictyaml.Value) { until, hasUntil = of, true }).Help("ends it where it holds"),
		strictyaml.Required("steps", func(of strictyaml.Value) { steps = of })) {
		return nil
	}
	r.steps = f.list("the steps of a repeat", steps)
	if hasUntil { // which may use what the steps capture
		r.until = f.expression(until)
	}
	return r
}

func (r *repeat) run(ctx context.Context, w *worker) error {
	outer := w.scope.Turn
	defer func() { w.scope.Turn = outer }()
	for i := range r.times {
		if i > 0 {
			pause := w.pause
			if r.until != nil { // what is waited for is the target's to do
				pause = w.wait
			}
			if err := pause(ctx, r.every); err != nil {
				return err
			}
		}
		w.scope.Turn = outer<<turnBits | uint64(i)
		if err := walk(ctx, w, r.steps); err != nil {
			return err
		}
		if r.until == nil {
			continue
		}
		if ok, err := r.until.holds(w); ok || err != nil {
			return err
		}
	}
	if r.until != nil {
		return work.Fail(KindUntil, fmt.Errorf("repeat (%s:%d): %d times without %s", r.pos.File, r.pos.Line, r.times, r.until.text))
	}
	return nil
}

// condition is an expression over variables and the arrival's numbers.
type condition struct {
	text    string
	pos     strictyaml.Pos
	program *vm.Program
	// names are the variables that it uses, with their slots.
	names []string
	slots []int
	n     bool // it uses n, k, turn or stage
}

// numbers are what an expression may use besides variables.
var numbers = []string{"n", "k", "turn", "stage"}

func (f *parser) expression(v strictyaml.Value) *condition {
	v.Note(`an expression, as in state == "done" && n % 2 == 0`)
	s, ok := v.Scalar()
	if !ok {
		return nil
	}
	c := &condition{text: s, pos: v.Pos()}
	env := types.Map{}
	for slot, name := range f.fields.Names.All() {
		env[name] = types.Any
		if mentions(s, name) {
			c.names, c.slots = append(c.names, name), append(c.slots, slot)
		}
	}
	for _, name := range numbers {
		env[name] = types.Any
		c.n = c.n || mentions(s, name)
	}
	var err error
	if c.program, err = expr.Compile(s, expr.Env(env), expr.AsBool()); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		v.Add("%s: %s; an expression is written as in state == \"done\" && n %% 2 == 0", s, line)
		return nil
	}
	return c
}

// mentions says whether a text holds a name as a word of its own.
func mentions(text, name string) bool {
	return regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`).MatchString(text)
}

func (c *condition) holds(w *worker) (bool, error) {
	clear(w.env)
	for i, name := range c.names {
		w.env[name] = w.scope.Vars[c.slots[i]].Any()
	}
	if c.n {
		a := w.scope.Arrival
		w.env["n"], w.env["k"], w.env["turn"], w.env["stage"] = a.N, a.K, int64(w.scope.Turn&turnMask), w.stageName(a.Stage)
	}
	got, err := w.vm.Run(c.program, w.env)
	if err == nil {
		if ok, is := got.(bool); is {
			return ok, nil
		}
		err = errors.New("it is neither true nor false")
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return false, work.Fail(KindExpression, fmt.Errorf("%s:%d: %s: %s", c.pos.File, c.pos.Line, c.text, line))
}
