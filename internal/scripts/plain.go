package scripts

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"
	"github.com/evanw/esbuild/pkg/api"

	"github.com/perfctl/perfctl/internal/scenarios/script"
	"github.com/perfctl/perfctl/internal/scenarios/script/options"
)

// plain is a script whose default function is read as the steps of a flow: requests,
// checks, pauses and groups, one after the other.
type plain struct {
	source string
	// names are the values that names stand for, functions those of functions.
	names     map[string]ast.Expression
	functions map[string]ast.Node
	// from is where addresses begin: {{env NAME}} or http://HOST; origin what stands for it
	// where nothing else is said.
	from, origin string
	steps        []*plainStep
	// byName finds the step whose answer a name stands for.
	byName map[string]*plainStep
	group  string
	left   []string
	// broken says that something was met that decides what is sent.
	broken bool
}

// plainStep is a request, or a pause.
type plainStep struct {
	name, group, method, path, body string
	think                           string
	headers, form, checks           [][2]string
}

var exported = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`(?m)^import .*$`), ""},
	{regexp.MustCompile(`(?m)^export default (async )?function ?\w*\(`), "${1}function __default("},
	{regexp.MustCompile(`(?m)^export default `), "const __default = "},
	{regexp.MustCompile(`(?m)^export (const|let|var|function|async function|class) `), "$1 "},
	{regexp.MustCompile(`(?m)^export \{[^}]*\};?$`), ""},
}

// readPlain reads a script's source. What is not plain is in left.
func readPlain(path string, o *options.Options) (*plain, error) {
	text, err := script.Source(path)
	if err != nil {
		return nil, fmt.Errorf("read the script: %w", err)
	}
	loader := api.LoaderJS
	if strings.HasSuffix(path, "ts") {
		loader = api.LoaderTS
	}
	r := api.Transform(string(text), api.TransformOptions{Loader: loader, Target: api.ES2020, LogLevel: api.LogLevelSilent, Charset: api.CharsetUTF8})
	p := &plain{source: string(r.Code), names: map[string]ast.Expression{}, functions: map[string]ast.Node{}, byName: map[string]*plainStep{}}
	for _, x := range exported {
		p.source = x.re.ReplaceAllString(p.source, x.to)
	}
	program, err := parser.ParseFile(nil, path, p.source, 0, parser.WithDisableSourceMaps)
	if err != nil || len(r.Errors) > 0 {
		p.leave("its text, which is not read here", "")
		return p, nil //nolint:nilerr // the script is kept as it is
	}
	p.declared(program.Body)
	for i := range o.Scenarios {
		if o.Scenarios[i].Exec != "default" {
			p.leave("the scenario "+o.Scenarios[i].Name+" runs "+o.Scenarios[i].Exec+": a flow has one list of steps", "")
		}
	}
	for _, name := range []string{"setup", "teardown", "handleSummary"} {
		if p.functions[name] != nil {
			p.leave(name+": write it as setup or teardown steps of a flow", "")
		}
	}
	if f := p.functions["__default"]; f != nil {
		p.body(f)
	} else {
		p.leave("the default function is not in the script's own file", "")
	}
	return p, nil
}

// leave notes what decides what is sent, and is not carried over.
func (p *plain) leave(what, code string) {
	p.broken = true
	p.miss(what, code)
}

// miss notes what is not carried over.
func (p *plain) miss(what, code string) {
	if code = comment(code); len(code) > 80 {
		code = code[:77] + "..."
	}
	if code != "" {
		what += ": " + code
	}
	if !slices.Contains(p.left, what) {
		p.left = append(p.left, what)
	}
}

func (p *plain) plain() bool { return !p.broken && len(p.steps) > 0 }

// code is the text of a part of the script.
func (p *plain) code(n ast.Node) string {
	from, to := int(n.Idx0())-1, int(n.Idx1())-1
	if from < 0 || to > len(p.source) || from > to {
		return ""
	}
	return p.source[from:to]
}

// declared notes what the script declares outside functions.
func (p *plain) declared(list []ast.Statement) {
	for _, s := range list {
		switch x := s.(type) {
		case *ast.LexicalDeclaration:
			p.bind(x.List)
		case *ast.VariableStatement:
			p.bind(x.List)
		case *ast.FunctionDeclaration:
			p.functions[x.Function.Name.Name.String()] = x.Function
		case *ast.EmptyStatement, *ast.ExpressionStatement:
		default:
			p.leave("outside functions", p.code(s))
		}
	}
}

func (p *plain) bind(list []*ast.Binding) {
	for _, b := range list {
		name, ok := b.Target.(*ast.Identifier)
		if !ok || b.Initializer == nil {
			continue
		}
		switch f := b.Initializer.(type) {
		case *ast.FunctionLiteral:
			p.functions[name.Name.String()] = f
		case *ast.ArrowFunctionLiteral:
			p.functions[name.Name.String()] = f
		default:
			p.names[name.Name.String()] = f
		}
	}
}

// body reads a function's statements in turn.
func (p *plain) body(f ast.Node) {
	var list []ast.Statement
	switch x := f.(type) {
	case *ast.FunctionLiteral:
		if x.Async || x.Generator {
			p.leave("an async function", "")
		}
		list = x.Body.List
	case *ast.ArrowFunctionLiteral:
		if x.Async {
			p.leave("an async function", "")
		}
		switch b := x.Body.(type) {
		case *ast.BlockStatement:
			list = b.List
		case *ast.ExpressionBody:
			p.call("", b.Expression)
			return
		}
	}
	for _, s := range list {
		p.statement(s)
	}
}

func (p *plain) statement(s ast.Statement) {
	var list []*ast.Binding
	switch x := s.(type) {
	case *ast.ExpressionStatement:
		p.call("", x.Expression)
	case *ast.LexicalDeclaration:
		list = x.List
	case *ast.VariableStatement:
		list = x.List
	case *ast.EmptyStatement:
	default:
		p.leave("a statement that is more than a request, a check, a pause or a group", p.code(s))
	}
	for _, b := range list {
		name, ok := b.Target.(*ast.Identifier)
		if !ok || b.Initializer == nil {
			p.leave("a declaration", p.code(b))
			continue
		}
		if _, ok := b.Initializer.(*ast.CallExpression); ok {
			p.call(name.Name.String(), b.Initializer)
			continue
		}
		p.names[name.Name.String()] = b.Initializer
	}
}

// text writes the flow.
func (p *plain) text(path string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made of %s by perfctl init --from. In a flow a check that does not hold fails\n# its arrival, and a pause is in no response time.\nsteps:\n", comment(path))
	for _, s := range p.steps {
		if s.think != "" {
			fmt.Fprintf(&b, "  - think: %s\n", s.think)
			continue
		}
		fmt.Fprintf(&b, "  - name: %s\n", quoted(s.name))
		if s.group != "" {
			fmt.Fprintf(&b, "    group: %s\n", quoted(s.group))
		}
		fmt.Fprintf(&b, "    http:\n      method: %s\n      path: %s\n", s.method, quoted(s.path))
		entries(&b, "      headers", s.headers)
		entries(&b, "      form", s.form)
		if s.body != "" {
			fmt.Fprintf(&b, "      body: %s\n", quoted(s.body))
		}
		entries(&b, "    check", s.checks)
	}
	return b.String()
}

func entries(b *strings.Builder, key string, list [][2]string) {
	if len(list) == 0 {
		return
	}
	b.WriteString(key + ":\n")
	indent := strings.Repeat(" ", len(key)-len(strings.TrimLeft(key, " "))+2)
	for _, e := range list {
		fmt.Fprintf(b, "%s%s: %s\n", indent, quoted(e[0]), quoted(e[1]))
	}
}

var variable = regexp.MustCompile(`\{\{env ([A-Za-z_][A-Za-z0-9_]*)\}\}`)

// variables are the names that the flow asks for, besides where addresses begin.
func (p *plain) variables(flow string) (out []string) {
	for _, m := range variable.FindAllStringSubmatch(flow, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// base is what API_BASE_URL must be.
func (p *plain) base() string {
	if p.origin != "" {
		return p.origin
	}
	return "http://localhost:3000"
}
