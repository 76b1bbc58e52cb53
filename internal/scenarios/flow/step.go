package flow

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets"
)

// node is what an arrival walks through. An error ends the arrival.
type node interface {
	run(ctx context.Context, w *worker) error
}

// action is what a step does at a target.
type action interface {
	// words are the places of its answers; none for an action without one.
	words() []string
	// bind gives it what it needs of a scenario that is set up.
	bind(ctx context.Context, s *scenario, of *step) error
	// do executes it; keep says whether the answer's body is wanted. The answer is
	// good until the worker's next step.
	do(ctx context.Context, w *worker, keep bool) (answer.Answer, error)
	// asks says what it asks for, as failures tell it: the file's words, with the fields
	// in them unfilled.
	asks() string
}

// step is an action with its name, its checks and its captures.
type step struct {
	name      string
	group     string
	pos       strictyaml.Pos
	part      string
	system    targets.Kind
	action    action
	checks    []*answer.Check
	captures  []answer.Capture
	continues bool
	keep      bool

	duration *metrics.Trend
	held     *metrics.Rate
}

// node reads one item of a list of steps.
func (f *parser) node(v strictyaml.Value) node {
	var (
		kind         string
		inner        strictyaml.Value
		others       = map[string]strictyaml.Value{}
		name, onFail string
		group        string
	)
	var fields []strictyaml.Field
	for _, k := range stepKinds {
		fields = append(fields, strictyaml.Optional(k, func(of strictyaml.Value) {
			if kind != "" {
				of.Add("a step is either %s or %s: write two steps", kind, k)
				return
			}
			kind, inner = k, of
		}).Either("kind").Help(stepHelp[k]))
	}
	for _, k := range []string{"check", "capture", "then", "else"} {
		fields = append(fields, strictyaml.Optional(k, func(of strictyaml.Value) { others[k] = of }).Help(stepHelp[k]))
	}
	fields = append(fields,
		strictyaml.Optional("name", readTag(&name)).Help("name under which the step is measured"),
		strictyaml.Optional("group", readTag(&group)).Help("name under which the step is measured together with others"),
		strictyaml.Optional("on_failure", func(of strictyaml.Value) { onFail, _ = of.Word("stop", "continue") }).
			Help("stop ends the arrival, continue goes on"))
	if !v.Map("a step", fields...) {
		f.declareAll(others)
		return nil
	}
	f.mayStandInside(kind, v, onFail)
	if kind == "" {
		v.Add("a step needs one of %s", strings.Join(stepKinds, ", "))
		f.declareAll(others)
		return nil
	}
	allowed := map[string][]string{"think": {}, "repeat": {}, "transaction": {}, "if": {"then", "else"}}
	may, control := allowed[kind]
	if !control {
		may = []string{"check", "capture"}
	}
	for k, of := range others {
		if !slices.Contains(may, k) {
			of.Add("%s does not belong to a step of %s", k, kind)
		}
	}
	if kind == "transaction" {
		return f.transaction(v, inner, name, group, onFail)
	}
	if control {
		if name != "" || group != "" || onFail != "" {
			v.Add("%s has no name, no group and no on_failure: they are its steps'", kind)
		}
		return f.control(kind, v, inner, others)
	}
	s := f.step(kind, v, inner, others, name, onFail)
	if s == nil {
		return nil
	}
	s.group = group
	return s
}

// declareAll makes the variables of a step that is at fault, so that the steps that
// use them are not blamed as well.
func (f *parser) declareAll(others map[string]strictyaml.Value) {
	if of, ok := others["capture"]; ok {
		of.EachKey(func(variable string) { f.declare(variable, of) })
	}
}

// readTag reads the name of a step or a group, which becomes a tag.
func readTag(into *string) strictyaml.Reader {
	return func(v strictyaml.Value) {
		strictyaml.String(into)(v)
		if strings.ContainsAny(*into, "{},:\"'") {
			v.Add("%q cannot be a name: it has one of { } , : or quotes", *into)
		}
	}
}

// tags returns the tags of the step's metrics.
func (s *step) tags(e *scenarios.Env) metrics.Tags {
	t := e.Tags(s.name)
	t.Group = s.group
	return t
}

// systemOf says at what a step of a kind does something.
var systemOf = map[string]targets.Kind{
	"http": targets.API, "sql": targets.Postgres, "publish": targets.RabbitMQ, "consume": targets.RabbitMQ, "redis": targets.Redis,
}

// step reads a step that does something at a target.
func (f *parser) step(kind string, v, inner strictyaml.Value, others map[string]strictyaml.Value, name, onFail string) *step {
	s := &step{name: name, pos: v.Pos(), part: f.part, system: systemOf[kind]}
	if s.name == "" {
		s.name = kind + "_" + strconv.Itoa(len(f.out.all)+1)
	}
	s.continues = f.goesOn(v, onFail)
	if s.action = f.action(kind, inner); s.action == nil {
		f.declareAll(others)
		return nil
	}
	f.out.all = append(f.out.all, s)
	if of, ok := others["check"]; ok {
		of.Entries("the checks", func(left string, _ strictyaml.Pos, right strictyaml.Value) { f.check(s, left, right) })
	}
	if of, ok := others["capture"]; ok {
		of.Entries("the captures", func(variable string, _ strictyaml.Pos, from strictyaml.Value) { f.capture(s, variable, from) })
	}
	if h, ok := s.action.(*httpAction); ok {
		h.plain = !slices.ContainsFunc(s.checks, func(c *answer.Check) bool { return c.OfStatus() })
	}
	return s
}

// goesOn says whether the arrival goes on where a step has failed.
func (f *parser) goesOn(v strictyaml.Value, onFail string) bool {
	switch onFail {
	case "", "stop":
	case "continue":
		return true
	default:
		v.Add("on_failure is stop or continue, not %q", onFail)
	}
	return false
}

// action reads what a step does.
func (f *parser) action(kind string, v strictyaml.Value) action {
	if f.part != "steps" && (kind == "publish" || kind == "consume") {
		v.Add("%s belongs to steps: in %s there are http, sql, transaction, redis, think, repeat and if", kind, f.part)
		return nil
	}
	switch kind {
	case "http":
		return f.http(v)
	case "sql":
		return f.sql(v)
	case "publish":
		return f.publish(v)
	case "consume":
		return f.consume(v)
	}
	return f.redis(v)
}

func (f *parser) check(s *step, left string, right strictyaml.Value) {
	right.Note(template.MayHoldFields)
	want, ok := right.Scalar()
	if !ok {
		return
	}
	c, err := answer.ParseCheck(left, want, s.action.words(), &f.fields)
	if err != nil {
		right.Add("check %s: %v", left, err)
		return
	}
	s.checks = append(s.checks, c)
	s.keep = s.keep || c.NeedsBody()
}

func (f *parser) capture(s *step, variable string, from strictyaml.Value) {
	place, ok := from.Scalar()
	if !ok {
		return
	}
	source, err := answer.ParseSource(place, s.action.words())
	if err != nil {
		from.Add("capture %s: %v", variable, err)
		return
	}
	if slot, ok := f.declare(variable, from); ok {
		s.captures = append(s.captures, answer.NewCapture(slot, source))
		s.keep = s.keep || source.NeedsBody()
	}
}
