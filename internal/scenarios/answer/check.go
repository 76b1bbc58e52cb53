package answer

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/template"
)

// Checks is the metric of conditions that hold.
var Checks = metrics.Desc{Name: "checks", Kind: metrics.KindRate, Unit: metrics.UnitRatio,
	Help: "share of the checks of answers that held; a check after one that failed is not made"}

// Check is one condition on an answer.
type Check struct {
	text     string
	source   Source
	operator string
	want     template.Text[*template.Scope]
	pattern  *regexp.Regexp
	statuses []Range
}

// Range is a range of statuses, both ends included.
type Range struct{ From, To int }

// CheckHelp says what checks are, for the files that hold them.
const CheckHelp = "what the answer must be: a place in it, and what that must equal; a place may be followed by contains, matches, above, below, not or present"

// operators are the words that may end the left side of a check. Without one the
// two sides must be equal.
var operators = []string{"contains", "matches", "above", "below", "not", "present"}

// ParseCheck reads a condition: left is a place and, where the two sides need not
// be equal, an operator, as in "json items.#" and "json items.# above"; right is
// the text compared with.
func ParseCheck(left, right string, words []string, fields *template.Fields) (*Check, error) {
	c := &Check{text: left + ": " + right}
	left = strings.TrimSpace(left)
	for _, o := range operators {
		if rest, ok := strings.CutSuffix(left, " "+o); ok {
			left, c.operator = rest, o
			break
		}
	}
	var err error
	if c.source, err = ParseSource(left, words); err != nil {
		return nil, err
	}
	if c.want, err = fields.Compile(right); err != nil {
		return nil, err
	}
	constant, fixed := c.want.Constant()
	switch {
	case c.operator == "matches":
		if !fixed {
			return nil, errors.New("a regular expression has no fields")
		}
		c.pattern, err = regexp.Compile(constant)
	case c.operator == "present":
		if constant != "true" && constant != "false" {
			err = fmt.Errorf("present is true or false, not %q", right)
		}
	case c.operator == "above" || c.operator == "below":
		if _, bad := strconv.ParseFloat(constant, 64); fixed && bad != nil {
			err = fmt.Errorf("%q is not a number", constant)
		}
	case c.source.word == Status && c.operator == "" && fixed:
		c.statuses, err = ParseStatuses(constant)
	}
	return c, err
}

// ParseStatuses reads statuses: 200, 2xx, 200-399, or several with commas.
func ParseStatuses(text string) ([]Range, error) {
	var out []Range
	for item := range strings.SplitSeq(text, ",") {
		r, err := parseRange(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func parseRange(s string) (Range, error) {
	if len(s) == 3 && s[1:] == "xx" && s[0] >= '1' && s[0] <= '5' {
		from := int(s[0]-'0') * 100
		return Range{from, from + 99}, nil
	}
	a, b, ranged := strings.Cut(s, "-")
	if !ranged {
		b = a
	}
	from, err1 := strconv.Atoi(a)
	to, err2 := strconv.Atoi(b)
	if err1 != nil || err2 != nil || from < 100 || to > 599 || from > to {
		return Range{}, fmt.Errorf("%q is not a status such as 200, 2xx or 200-399", s)
	}
	return Range{from, to}, nil
}

// Holds says whether a status is in one of the ranges.
func Holds(ranges []Range, status int) bool {
	for _, r := range ranges {
		if status >= r.From && status <= r.To {
			return true
		}
	}
	return false
}

// NeedsBody says whether the check looks at an answer's body.
func (c *Check) NeedsBody() bool { return c.source.NeedsBody() }

// OfStatus says whether the check looks at the status.
func (c *Check) OfStatus() bool { return c.source.word == Status }

// State is what a worker needs to look at answers, one at a time.
type State struct {
	got  template.Value
	want []byte
}

// ErrNotThere says that an answer lacks what is looked at.
var ErrNotThere = errors.New("it is not there")

// Test returns nil where the answer is as the check says, else a failure that says
// what was found.
func (c *Check) Test(a *Answer, s *template.Scope, st *State) error {
	if c.statuses != nil {
		if Holds(c.statuses, a.Status) {
			return nil
		}
		return work.Asked(strings.TrimSpace(a.Method+" "+a.Path), work.Fail(KindCheck, fmt.Errorf("%s: got %d%s", c.text, a.Status, a.said())))
	}
	found, err := c.source.Take(a, &st.got)
	if err != nil {
		return err
	}
	if st.want, err = c.want.Append(st.want[:0], s); err != nil {
		return err
	}
	if c.operator == "present" {
		if found == (string(st.want) == "true") {
			return nil
		}
		return work.Fail(KindCheck, fmt.Errorf("%s: present is %t", c.source.text, found))
	}
	if !found {
		return work.Fail(KindCheck, fmt.Errorf("%s: %w", c.text, ErrNotThere))
	}
	if c.holds(st) {
		return nil
	}
	return work.Fail(KindCheck, fmt.Errorf("%s: want %s%s, got %s", c.source.text, c.lead(), shorten(st.want), shorten(st.got.Text)))
}

func (c *Check) lead() string {
	if c.operator == "" {
		return ""
	}
	return c.operator + " "
}

func (c *Check) holds(st *State) bool {
	got, want := st.got.Text, st.want
	switch c.operator {
	case "contains":
		return bytes.Contains(got, want)
	case "matches":
		return c.pattern.Match(got)
	case "not":
		return !bytes.Equal(got, want)
	case "above", "below":
		g, err1 := strconv.ParseFloat(string(got), 64)
		w, err2 := strconv.ParseFloat(string(want), 64)
		if err1 != nil || err2 != nil {
			return false
		}
		if c.operator == "above" {
			return g > w
		}
		return g < w
	}
	return bytes.Equal(got, want)
}

// Capture takes a value of an answer into a variable.
type Capture struct {
	slot   int
	source Source
}

// NewCapture returns the capture of a place into the variable of that slot.
func NewCapture(slot int, source Source) Capture { return Capture{slot, source} }

// Take captures. Its error is a failure that says what is missing.
func (c *Capture) Take(a *Answer, s *template.Scope) error {
	v := &s.Vars[c.slot]
	found, err := c.source.Take(a, v)
	if err == nil && !found {
		err = work.Fail(KindCapture, fmt.Errorf("capture %s: %w", c.source.text, ErrNotThere))
	}
	if err != nil {
		v.Sort = template.Unset
	}
	return err
}
