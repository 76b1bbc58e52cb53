package scripts

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dop251/goja/ast"
)

var methods = map[string]string{"get": "GET", "head": "HEAD", "post": "POST", "put": "PUT", "patch": "PATCH", "del": "DELETE", "options": "OPTIONS"}

// call reads a call of a function that a flow has something for. The answer of a request
// is known under a name afterwards, where it has one.
func (p *plain) call(name string, x ast.Expression) {
	c, ok := x.(*ast.CallExpression)
	if !ok {
		p.leave("an expression", p.code(x))
		return
	}
	if dot, ok := c.Callee.(*ast.DotExpression); ok {
		left, is := dot.Left.(*ast.Identifier)
		method := methods[dot.Identifier.Name.String()]
		switch {
		case is && left.Name == "http" && method != "":
			p.request(name, method, c)
		case is && left.Name == "console":
			p.miss("a line of the console", p.code(c))
		default:
			p.leave("a call", p.code(c))
		}
		return
	}
	f, _ := c.Callee.(*ast.Identifier)
	switch {
	case f != nil && f.Name == "sleep" && len(c.ArgumentList) == 1:
		p.sleep(c)
	case f != nil && f.Name == "check" && len(c.ArgumentList) >= 2:
		p.check(c)
	case f != nil && f.Name == "group" && len(c.ArgumentList) == 2:
		text, ok := p.constant(c.ArgumentList[0])
		if !ok || p.group != "" {
			p.leave("a group within another, or without a name", p.code(c.ArgumentList[0]))
			return
		}
		p.group = text
		p.body(c.ArgumentList[1])
		p.group = ""
	case f != nil && len(c.ArgumentList) == 0 && p.functions[f.Name.String()] != nil:
		own := p.functions[f.Name.String()]
		delete(p.functions, f.Name.String()) // one that calls itself is not plain
		p.body(own)
		p.functions[f.Name.String()] = own
	default:
		p.leave("a call", p.code(c))
	}
}

func (p *plain) sleep(c *ast.CallExpression) {
	text, ok := p.constant(c.ArgumentList[0])
	seconds, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || seconds < 0 {
		low, high, ok := p.between(c.ArgumentList[0])
		if !ok {
			p.leave("a pause that is computed", p.code(c))
			return
		}
		p.steps = append(p.steps, &plainStep{think: "{min: " + low + "s, max: " + high + "s}"})
		return
	}
	if seconds > 0 {
		p.steps = append(p.steps, &plainStep{think: strconv.FormatFloat(seconds, 'f', -1, 64) + "s"})
	}
}

// between reads randomIntBetween(low, high).
func (p *plain) between(x ast.Expression) (low, high string, ok bool) {
	c, is := x.(*ast.CallExpression)
	if !is || len(c.ArgumentList) != 2 {
		return "", "", false
	}
	f, is := c.Callee.(*ast.Identifier)
	if !is || f.Name != "randomIntBetween" {
		return "", "", false
	}
	low, ok1 := p.constant(c.ArgumentList[0])
	high, ok2 := p.constant(c.ArgumentList[1])
	return low, high, ok1 && ok2
}

var unnamed = regexp.MustCompile(`[^A-Za-z0-9]+`)

func (p *plain) request(name, method string, c *ast.CallExpression) {
	s := &plainStep{method: method, group: p.group}
	args := c.ArgumentList
	address, ok := "", false
	if len(args) > 0 {
		address, ok = p.value(args[0])
	}
	if !ok || !p.address(s, address) {
		p.leave("an address that is computed, or that begins elsewhere than the others", p.code(c))
		return
	}
	args = args[1:]
	if method != "GET" && method != "HEAD" {
		if len(args) > 0 {
			p.payload(s, args[0])
			args = args[1:]
		}
	}
	if len(args) > 0 {
		p.params(s, args[0])
	}
	if s.name == "" {
		s.name = strings.Trim(unnamed.ReplaceAllString(strings.ToLower(method)+"_"+s.path, "_"), "_")
	}
	base := s.name
	for i := 2; slices.ContainsFunc(p.steps, func(o *plainStep) bool { return o.name == s.name }); i++ {
		s.name = base + "_" + strconv.Itoa(i)
	}
	if p.steps = append(p.steps, s); name != "" {
		p.byName[name] = s
	}
}

var begins = regexp.MustCompile(`^(\{\{env [A-Za-z_][A-Za-z0-9_]*\}\}|https?://[^/?{]+)(.*)$`)

// address takes an address apart; all of them must begin alike.
func (p *plain) address(s *plainStep, text string) bool {
	m := begins.FindStringSubmatch(text)
	if m == nil || p.from != "" && p.from != m[1] {
		return false
	}
	p.from = m[1]
	if !strings.HasPrefix(m[1], "{{") {
		p.origin = m[1]
	}
	if s.path = m[2]; !strings.HasPrefix(s.path, "/") {
		s.path = "/" + s.path
	}
	return true
}

// payload reads a body: a text, or an object, which is a form.
func (p *plain) payload(s *plainStep, x ast.Expression) {
	if _, null := x.(*ast.NullLiteral); null {
		return
	}
	if o, ok := p.object(x); ok {
		for _, e := range o {
			text, ok := p.value(e.value)
			if !ok {
				p.leave("a field of a form that is computed", p.code(e.value))
			}
			s.form = append(s.form, [2]string{e.key, text})
		}
		return
	}
	text, ok := p.value(x)
	if !ok {
		p.leave("a body that is computed", p.code(x))
	}
	s.body = text
}

func (p *plain) params(s *plainStep, x ast.Expression) {
	o, ok := p.object(x)
	if !ok {
		p.leave("parameters that are computed", p.code(x))
		return
	}
	for _, e := range o {
		inner, isObject := p.object(e.value)
		switch {
		case e.key == "headers" && isObject:
			for _, h := range inner {
				text, ok := p.value(h.value)
				if !ok {
					p.leave("a header that is computed", p.code(h.value))
				}
				s.headers = append(s.headers, [2]string{h.key, text})
			}
		case e.key == "tags" && isObject:
			for _, t := range inner {
				if text, ok := p.constant(t.value); ok && t.key == "name" {
					s.name = text
				} else {
					p.miss("the tag "+t.key+" of a request", "")
				}
			}
		default:
			p.leave("the parameter "+e.key+" of a request", p.code(e.value))
		}
	}
}
