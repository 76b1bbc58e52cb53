package scripts

import (
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

// check puts the conditions of a check beside the step whose answer they are about.
func (p *plain) check(c *ast.CallExpression) {
	var s *plainStep
	if id, ok := c.ArgumentList[0].(*ast.Identifier); ok {
		s = p.byName[id.Name.String()]
	}
	if call, ok := c.ArgumentList[0].(*ast.CallExpression); ok { // the request itself
		before := len(p.steps)
		p.call("", call)
		if len(p.steps) > before {
			s = p.steps[len(p.steps)-1]
		}
	}
	o, ok := p.object(c.ArgumentList[1])
	if s == nil || !ok {
		p.miss("a check that is not about the answer of a request here", p.code(c))
		return
	}
	for _, e := range o {
		if !p.condition(s, e.value) {
			p.miss("the check "+quoted(e.key), p.code(e.value))
		}
	}
}

// condition reads one condition on an answer.
func (p *plain) condition(s *plainStep, f ast.Expression) bool {
	fn, ok := f.(*ast.ArrowFunctionLiteral)
	if !ok || len(fn.ParameterList.List) != 1 {
		return false
	}
	param, ok := fn.ParameterList.List[0].Target.(*ast.Identifier)
	if !ok {
		return false
	}
	var x ast.Expression
	switch b := fn.Body.(type) {
	case *ast.ExpressionBody:
		x = b.Expression
	case *ast.BlockStatement:
		if len(b.List) == 1 {
			if r, ok := b.List[0].(*ast.ReturnStatement); ok {
				x = r.Argument
			}
		}
	}
	got := p.holds(param.Name.String(), x)
	s.checks = append(s.checks, got...)
	return got != nil
}

// holds is what a condition wants, as the checks of a step; nil for none of those.
func (p *plain) holds(of string, x ast.Expression) [][2]string {
	switch e := x.(type) {
	case *ast.BinaryExpression:
		if e.Operator == token.LOGICAL_AND {
			left, right := p.holds(of, e.Left), p.holds(of, e.Right)
			if left == nil || right == nil {
				return nil
			}
			return append(left, right...)
		}
		place, want, ok := p.compared(of, e)
		if !ok {
			return nil
		}
		switch e.Operator {
		case token.EQUAL, token.STRICT_EQUAL:
			return [][2]string{{place, want}}
		case token.GREATER:
			return [][2]string{{place + " above", want}}
		case token.LESS:
			return [][2]string{{place + " below", want}}
		}
	case *ast.CallExpression:
		dot, ok := e.Callee.(*ast.DotExpression)
		if !ok || dot.Identifier.Name != "includes" || len(e.ArgumentList) != 1 || p.place(of, dot.Left) != "body" {
			return nil
		}
		if want, ok := p.value(e.ArgumentList[0]); ok {
			return [][2]string{{"body contains", want}}
		}
	}
	return nil
}

func (p *plain) compared(of string, e *ast.BinaryExpression) (place, want string, ok bool) {
	if place = p.place(of, e.Left); place == "" {
		return "", "", false
	}
	want, ok = p.value(e.Right)
	return place, want, ok
}

// place is what of an answer an expression stands for, as a check names it; empty for
// none. Times are no place: they are judged over all of a run.
func (p *plain) place(of string, x ast.Expression) string {
	is := func(y ast.Expression) bool {
		id, ok := y.(*ast.Identifier)
		return ok && id.Name.String() == of
	}
	switch e := x.(type) {
	case *ast.DotExpression:
		name := e.Identifier.Name.String()
		if is(e.Left) && (name == "status" || name == "body") {
			return name
		}
		if left := p.place(of, e.Left); left == "json" {
			return "json " + name
		} else if strings.HasPrefix(left, "json ") {
			return left + "." + name
		}
	case *ast.CallExpression:
		dot, ok := e.Callee.(*ast.DotExpression)
		if !ok || !is(dot.Left) || dot.Identifier.Name != "json" {
			return ""
		}
		if len(e.ArgumentList) == 0 {
			return "json"
		}
		if text, ok := p.constant(e.ArgumentList[0]); ok {
			return "json " + text
		}
	}
	return ""
}
