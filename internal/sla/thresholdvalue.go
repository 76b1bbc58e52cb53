package sla

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/suggest"
)

var statNames = []string{"avg", "min", "med", "max", "p(95)", "count", "rate", "value"}

func (p *parser) stat() (Stat, error) {
	p.space()
	start := p.pos
	word := p.run(wordByte)
	if slices.Contains(statNames, word) {
		return Stat{Name: word}, nil
	}
	number, bracketed := strings.TrimPrefix(word, "p"), false
	if word == "p" && p.take("(") {
		number, bracketed = p.run(func(c byte) bool { return c == '.' || c >= '0' && c <= '9' }), true
	}
	n, err := strconv.ParseFloat(number, 64)
	if !decimal(number) || !strings.HasPrefix(word, "p") || err != nil {
		p.pos = start
		return Stat{}, fmt.Errorf("unknown statistic %q%s", word, near(word, statNames))
	}
	if bracketed {
		if err := p.expect(")", "after the percentile"); err != nil {
			return Stat{}, err
		}
	}
	if n <= 0 || n > 100 {
		p.pos = start
		return Stat{}, fmt.Errorf("%s is not a percentile above 0 and up to 100", number)
	}
	return Stat{Name: "p", Percent: n}, nil
}

// decimal says whether s is a number as people write percentiles: digits and
// points, not NaN, Inf or 0x1p4, which ParseFloat accepts as well.
func decimal(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") == ""
}

// value reads the target and its unit. Without a unit the number stays as it
// is; Resolve reads it in the metric's own.
func (p *parser) value() (float64, string, error) {
	p.space()
	start := p.pos
	number := p.run(func(c byte) bool {
		return c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E' || c >= '0' && c <= '9'
	})
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		p.pos = start
		return 0, "", fmt.Errorf("want a number, as in 500ms or 1%%")
	}
	p.space()
	start = p.pos
	name := p.run(func(c byte) bool { return c != ' ' && c != '\t' })
	if name == "" || name == "over" || name == "after" {
		p.pos = start
		return v, "", nil
	}
	u, ok := figure.UnitNamed(name)
	if !ok {
		p.pos = start
		return 0, "", fmt.Errorf("unknown unit %q%s", name, near(name, figure.UnitNames()))
	}
	return v * u.Factor, name, nil
}

func near(word string, choices []string) string {
	if n, ok := suggest.Nearest(word, choices); ok {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	if len(choices) > fewChoices {
		return "\n  next: perfctl scenarios -v lists the names with what each means"
	}
	return "; there are " + strings.Join(choices, ", ")
}

// fewChoices is how many choices an error lists.
const fewChoices = 12
