package flow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/data"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

type text = template.Text[*template.Scope]

// program is a file, compiled.
type program struct {
	description string
	vars        []assignment
	setup       []node
	steps       []node
	teardown    []node
	// names are the variables; the first of them, up to lasting, are captured in
	// the set-up and hold for every arrival.
	names   *template.Names
	data    data.Rows
	lasting int
	// all are the steps of all kinds, in the order of the file.
	all          []*step
	transactions []*transaction
	kinds        []targets.Kind
}

// assignment gives a variable its value at the start of an arrival.
type assignment struct {
	slot int
	text text
}

// parser reads a file.
type parser struct {
	fields template.Fields
	out    *program
	// part is the part of the file that is being read, "setup", "steps" or
	// "teardown".
	part string
	// inside says that the steps of a transaction are being read.
	inside bool
	// inboxes are the queues consumed from, by the text of what identifies them.
	inboxes []*inboxSpec
	// queues leads the names of the queues of the run's own.
	queues string
}

func newParser(a *template.Arrivals) *parser {
	names := &template.Names{}
	f := &parser{out: &program{names: names}, queues: a.Run}
	f.fields = template.Fields{Arrivals: a, Names: names, Also: f.queueField}
	return f
}

// blank returns a parser for looking at a file before there is a run.
func blank() *parser { return newParser(&template.Arrivals{}) }

// parse reads the text of a file. The error is an *strictyaml.Errors with every
// problem.
func (f *parser) parse(file string, data []byte) (*program, error) {
	if err := strictyaml.Parse(file, data, f.read(file)); err != nil {
		return nil, err
	}
	return f.out, nil
}

// Describe returns what a file of steps may hold.
func Describe() strictyaml.Description {
	return strictyaml.Describe(func(root strictyaml.Value, c *strictyaml.Collector) { blank().read("")(root, c) })
}

// shapeSteps is the name of the shape of a list of steps.
const shapeSteps = "steps"

// read returns what reads the file.
func (f *parser) read(file string) func(strictyaml.Value, *strictyaml.Collector) {
	return func(root strictyaml.Value, _ *strictyaml.Collector) {
		var vars, setup, steps, teardown, rows strictyaml.Value
		keep := func(into *strictyaml.Value) strictyaml.Reader { return func(v strictyaml.Value) { *into = v } }
		has := map[string]bool{}
		note := func(key, help string, into *strictyaml.Value) strictyaml.Field {
			read := func(v strictyaml.Value) { has[key] = true; keep(into)(v) }
			if key == "steps" {
				return strictyaml.Required(key, read).Help(help)
			}
			return strictyaml.Optional(key, read).Help(help)
		}
		if !root.Map("a flow",
			strictyaml.Optional("description", strictyaml.String(&f.out.description)),
			note("data", data.Help, &rows),
			note("setup", "steps executed once, before the first arrival; what they capture holds for all", &setup),
			note("vars", "variables, evaluated at the start of each arrival", &vars),
			note("steps", "steps, executed in turn", &steps),
			note("teardown", "steps executed once, after the run", &teardown)) {
			return
		}
		// What an arrival may use is known in this order, whatever the file's.
		if has["data"] {
			f.out.data.Read(file)(rows)
			f.fields.Others = f.out.data.Names()
		}
		if has["setup"] {
			f.out.setup = f.nodes("setup", setup)
		}
		f.out.lasting = len(f.out.names.All())
		if has["vars"] {
			vars.Entries("the vars", f.readVar)
		}
		f.out.steps = f.nodes("steps", steps)
		if has["teardown"] {
			f.out.teardown = f.nodes("teardown", teardown)
		}
	}
}

// nodes reads one part of the file.
func (f *parser) nodes(part string, v strictyaml.Value) []node {
	f.part = part
	return f.list("the "+part, v)
}

func (f *parser) readVar(name string, at strictyaml.Pos, v strictyaml.Value) {
	v.Note(template.MayHoldFields)
	s, ok := v.Scalar()
	if !ok {
		return
	}
	t, err := f.fields.Compile(s)
	if err != nil {
		v.Add("%v", err)
		f.declare(name, v)
		return
	}
	if slot, ok := f.declare(name, v); ok {
		f.out.vars = append(f.out.vars, assignment{slot, t})
	}
}

var validName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// declare makes a variable.
func (f *parser) declare(name string, v strictyaml.Value) (slot int, ok bool) {
	switch {
	case !validName.MatchString(name):
		v.Add("%q cannot be a variable's name: letters, digits and _, not a digit first", name)
	case template.Reserved(name) || slices.Contains(reserved, name):
		v.Add("%q cannot be a variable's name: {{%[1]s}} is an arrival's field", name)
	default:
		return f.fields.Names.Declare(name), true
	}
	return 0, false
}

// reserved are the fields of a flow's own.
var reserved = []string{"turn", "queue"}

// queueField finds the fields that only a flow has.
func (f *parser) queueField(c template.Call) template.Field[*template.Scope] {
	switch {
	case len(c.Args) == 0 && f.out.data.Column(c.Name) >= 0:
		return template.Column(f.out.data.Column(c.Name))
	case c.Name == "turn" && len(c.Args) == 0:
		return func(dst []byte, s *template.Scope) ([]byte, error) {
			return fmt.Append(dst, s.Turn&turnMask), nil
		}
	case c.Name == "queue" && len(c.Args) == 1:
		return template.Literal[*template.Scope](queueName(f.queues, c.Args[0]))
	}
	return nil
}

// queueName is the name of a queue of the run's own.
func queueName(run, name string) string { return queuePrefix + run + "." + name }

// queuePrefix begins the name of every queue that the scenario makes.
const queuePrefix = rabbitmq.QueuePrefix + "flow."

// need notes that a target is needed.
func (f *parser) need(k targets.Kind) {
	if !slices.Contains(f.out.kinds, k) {
		f.out.kinds = append(f.out.kinds, k)
	}
}

// stepKinds are the keys that say what a step does.
var stepKinds = []string{"http", "sql", "transaction", "publish", "consume", "redis", "think", "repeat", "if"}

// stepHelp says what they and their companions are for.
var stepHelp = map[string]string{
	"http":        "send a request",
	"sql":         "execute a statement",
	"transaction": "statements on one connection, committed together or not at all",
	"publish":     "publish a message, done at its confirm",
	"consume":     "wait for a message",
	"redis":       "execute a command, or several in one round trip",
	"think":       "pause: a duration, min and max, or the mean of an exponential distribution",
	"repeat":      "execute steps several times, or until an expression holds",
	"if":          "execute then where an expression holds, else where it does not",
	"check":       answer.CheckHelp,
	"capture":     "variables, each with the place in the answer that it is taken from",
	"then":        "steps executed where the expression of if holds",
	"else":        "steps executed where the expression of if does not hold",
}

// list reads a list of steps.
func (f *parser) list(what string, v strictyaml.Value) []node {
	var out []node
	if v.Named(shapeSteps) {
		return nil
	}
	if v.List(what, func(_ int, item strictyaml.Value) {
		if n := f.node(item); n != nil {
			out = append(out, n)
		}
	}) {
		v.Add("%s are empty: a step is one of %s", what, strings.Join(stepKinds, ", "))
	}
	return out
}
