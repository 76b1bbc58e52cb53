package scripts

import (
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

// entry is a name and a value of an object that is written out.
type entry struct {
	key   string
	value ast.Expression
}

// object reads an object that is written out, or what a name stands for.
func (p *plain) object(x ast.Expression) (out []entry, ok bool) {
	if id, is := x.(*ast.Identifier); is && p.names[id.Name.String()] != nil {
		x = p.names[id.Name.String()]
	}
	o, is := x.(*ast.ObjectLiteral)
	if !is {
		return nil, false
	}
	for _, item := range o.Value {
		switch e := item.(type) {
		case *ast.PropertyKeyed:
			key, ok := e.Key.(*ast.StringLiteral)
			if !ok || e.Computed || e.Kind != ast.PropertyKindValue {
				return nil, false
			}
			out = append(out, entry{key.Value.String(), e.Value})
		case *ast.PropertyShort:
			out = append(out, entry{e.Name.Name.String(), &e.Name})
		default:
			return nil, false
		}
	}
	return out, true
}

// constant is a value without fields.
func (p *plain) constant(x ast.Expression) (string, bool) {
	text, ok := p.value(x)
	return text, ok && !strings.Contains(text, "{{")
}

// value is an expression as a text with fields; ok is false where it is computed.
func (p *plain) value(x ast.Expression) (text string, ok bool) {
	switch e := x.(type) {
	case *ast.StringLiteral:
		text = e.Value.String()
		return text, !strings.Contains(text, "{{")
	case *ast.NumberLiteral:
		return e.Literal, true
	case *ast.BooleanLiteral:
		return e.Literal, true
	case *ast.Identifier:
		v := p.names[e.Name.String()]
		if v == nil {
			return "", false
		}
		delete(p.names, e.Name.String()) // one that stands for itself has no value
		text, ok = p.value(v)
		p.names[e.Name.String()] = v
		return text, ok
	case *ast.DotExpression:
		if left, is := e.Left.(*ast.Identifier); is && left.Name == "__ENV" {
			return "{{env " + e.Identifier.Name.String() + "}}", true
		}
	case *ast.TemplateLiteral:
		return p.template(e)
	case *ast.BinaryExpression:
		return p.binary(e)
	case *ast.CallExpression:
		return p.called(e)
	}
	return "", false
}

func (p *plain) template(e *ast.TemplateLiteral) (string, bool) {
	if e.Tag != nil {
		return "", false
	}
	var b strings.Builder
	for i, part := range e.Elements {
		text := part.Parsed.String()
		if strings.Contains(text, "{{") {
			return "", false
		}
		b.WriteString(text)
		if i < len(e.Expressions) {
			text, ok := p.value(e.Expressions[i])
			if !ok {
				return "", false
			}
			b.WriteString(text)
		}
	}
	return b.String(), true
}

// binary is texts put together, or a variable with what holds where it is not set.
func (p *plain) binary(e *ast.BinaryExpression) (string, bool) {
	left, ok1 := p.value(e.Left)
	right, ok2 := p.value(e.Right)
	if !ok1 || !ok2 {
		return "", false
	}
	switch e.Operator {
	case token.PLUS:
		_, n1 := e.Left.(*ast.NumberLiteral)
		_, n2 := e.Right.(*ast.NumberLiteral)
		return left + right, !n1 || !n2
	case token.LOGICAL_OR, token.COALESCE:
		if !strings.HasPrefix(left, "{{env ") {
			return left, true
		}
		if strings.HasPrefix(right, "http") {
			p.origin = strings.TrimSuffix(right, "/")
		} else {
			p.miss("the value of "+strings.Trim(left, "{}")+" where it is not set", right)
		}
		return left, true
	}
	return "", false
}

// called is what a few functions return.
func (p *plain) called(c *ast.CallExpression) (string, bool) {
	if low, high, ok := p.between(c); ok {
		return "{{random " + low + " " + high + "}}", true
	}
	if f, ok := c.Callee.(*ast.Identifier); ok && f.Name == "uuidv4" {
		return "{{uuid}}", true
	}
	dot, ok := c.Callee.(*ast.DotExpression)
	if !ok {
		return "", false
	}
	left, ok := dot.Left.(*ast.Identifier)
	if ok && left.Name == "JSON" && dot.Identifier.Name == "stringify" && len(c.ArgumentList) == 1 {
		return p.json(c.ArgumentList[0])
	}
	return "", false
}

// json is a value that is written out, as JSON.
func (p *plain) json(x ast.Expression) (string, bool) {
	if o, ok := p.object(x); ok {
		items := make([]string, len(o))
		for i, e := range o {
			text, ok := p.json(e.value)
			if !ok {
				return "", false
			}
			items[i] = quoted(e.key) + ":" + text
		}
		return "{" + strings.Join(items, ",") + "}", true
	}
	switch e := x.(type) {
	case *ast.ArrayLiteral:
		items := make([]string, len(e.Value))
		for i, v := range e.Value {
			text, ok := p.json(v)
			if !ok {
				return "", false
			}
			items[i] = text
		}
		return "[" + strings.Join(items, ",") + "]", true
	case *ast.NullLiteral:
		return "null", true
	case *ast.NumberLiteral:
		return e.Literal, true
	case *ast.BooleanLiteral:
		return e.Literal, true
	case *ast.CallExpression:
		if low, high, ok := p.between(e); ok {
			return "{{random " + low + " " + high + "}}", true
		}
	}
	text, ok := p.value(x)
	return quoted(text), ok
}
