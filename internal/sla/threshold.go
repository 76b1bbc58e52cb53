package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/metrics"
)

// ParseThreshold reads a threshold in k6's grammar, with units, tags and
// stages:
//
//	threshold  = metric [ "{" tag { "," tag } "}" ] ":" expression [ window ] [ delay ]
//	tag        = ( "scenario" | "operation" | "stage" | "outcome" | "group" ) ":" text
//	expression = stat op number [ unit ]
//	stat       = "avg" | "min" | "med" | "max" | "count" | "rate" | "value" |
//	             "p(" number ")"           (p95 is read as p(95))
//	op         = "<" | "<=" | ">" | ">=" | "==" | "===" | "!="
//	unit       = "ns" | "us" | "µs" | "ms" | "s" | "m" | "h" |
//	             "B" | "kB" | "MB" | "GB" | "KiB" | "MiB" | "GiB" | "%" | "/s"
//	window     = "over" time               (on every stretch of that length)
//	delay      = "after" time              (k6's delayAbortEval)
//
// A window is judged each second by what was recorded in the time before it: all of
// them must hold. A delay keeps the rule from ending a run before it, and a window
// from beginning before it.
//
// Of what is not counted but found in a run there are
//
//	"recovery_time" [ "{stage:" text "}" ] ":" op number [ unit ]
//	"drift(" group ")" ":" "none"
//	"capacity" ":" op number [ "/s" ]
//	"recovery_time{fault:" text "}" ":" op number [ unit ]
//	"error_rate{fault:" text "}" ":" op number [ unit ]
//	( "lost" | "duplicated" ) [ "{fault:" text "}" ] ":" [ op ] number
//
// Without a stage, the judged stages are judged together; with one it is exactly
// that stage, judged or not. A time without a unit is in milliseconds, as in k6,
// and a ratio is a part of 1: rate<0.01 is rate<1%. The error names the
// column, in characters, and the nearest valid word.
func ParseThreshold(text string) (Rule, error) {
	p := parser{text: text}
	r, err := p.threshold()
	if err != nil {
		return Rule{}, fmt.Errorf("threshold %q, column %d: %w", text, utf8.RuneCountInString(text[:p.pos])+1, err)
	}
	r.Text, r.Condition = strings.TrimSpace(text), strings.TrimSpace(text[p.condition:])
	r.Name, r.Severity = r.Plain(), Fail
	return r, nil
}

// Plain is the rule's text without the quotation marks around a metric's name, for
// people.
func (r *Rule) Plain() string {
	quoted := `"` + r.Metric + `"`
	if rest, ok := strings.CutPrefix(r.Text, quoted); ok && r.Metric != "" {
		return r.Metric + rest
	}
	return r.Text
}

// faultTag picks a fault of the run by its name.
const faultTag = "fault"

type parser struct {
	text string
	pos  int
	// condition is where the text behind the metric begins.
	condition int
}

func (p *parser) space() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

// run takes the characters that ok accepts.
func (p *parser) run(ok func(byte) bool) string {
	p.space()
	from := p.pos
	for p.pos < len(p.text) && ok(p.text[p.pos]) {
		p.pos++
	}
	return p.text[from:p.pos]
}

// take takes a mark if it comes next.
func (p *parser) take(mark string) bool {
	p.space()
	if strings.HasPrefix(p.text[p.pos:], mark) {
		p.pos += len(mark)
		return true
	}
	return false
}

func (p *parser) expect(mark, what string) error {
	if p.take(mark) {
		return nil
	}
	return fmt.Errorf("want %q %s", mark, what)
}

func wordByte(c byte) bool {
	return c == '_' || c == '.' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (p *parser) threshold() (r Rule, err error) {
	if p.take(`"`) {
		// A metric with characters of the grammar in its name, as a script's.
		name, _, closed := strings.Cut(p.text[p.pos:], `"`)
		if !closed || name == "" {
			return r, fmt.Errorf("want the name of a metric and a closing quotation mark")
		}
		r.Metric, p.pos = name, p.pos+len(name)+1
	} else if r.Metric = p.run(wordByte); r.Metric == "" {
		return r, fmt.Errorf("want the name of a metric, as in response_time: p(95)<500ms")
	}
	if r.Metric == Drift {
		err = p.drift(&r)
		return r, err
	}
	if p.take("{") {
		if err := p.tags(&r); err != nil {
			return r, err
		}
		if err := r.ofFault(); err != nil {
			return r, err
		}
	}
	if err := p.expect(":", "between the metric and its condition, as in "+r.Metric+": p(95)<500ms"); err != nil {
		return r, err
	}
	p.condition = p.pos
	if r.Stat, err = p.statOf(r); err != nil {
		return r, err
	}
	for _, op := range []string{"<=", ">=", "===", "==", "!=", "<", ">"} {
		if p.take(op) {
			r.Op = Op(op)
			break
		}
	}
	switch r.Op {
	case "":
		if r.Metric == Lost || r.Metric == Duplicated { // lost{fault:db-down}: 0
			r.Op = "=="
			break
		}
		return r, fmt.Errorf("want one of < <= > >= == !=")
	case "===":
		r.Op = "=="
	}
	if r.Value, r.Unit, err = p.value(); err != nil {
		return r, err
	}
	if err := p.times(&r); err != nil {
		return r, err
	}
	if p.space(); p.pos < len(p.text) {
		return r, fmt.Errorf("%q is too much: one condition for each threshold", p.text[p.pos:])
	}
	return r, nil
}

// times reads the window and the delay of a rule.
func (p *parser) times(r *Rule) (err error) {
	if p.word("over") {
		if r.Window, err = p.time("over", time.Second); err != nil {
			return err
		}
		if r.isAnswered() {
			return fmt.Errorf("%s is one value of the whole run and has no window", r.Metric)
		}
	}
	if p.word("after") {
		r.After, err = p.time("after", 0)
	}
	return err
}

// word takes a word if it comes next.
func (p *parser) word(w string) bool {
	start := p.pos
	if p.run(wordByte) == w {
		return true
	}
	p.pos = start
	return false
}

// time reads the time of a window or a delay.
func (p *parser) time(of string, least time.Duration) (time.Duration, error) {
	p.space()
	start := p.pos
	text := p.run(func(c byte) bool { return c != ' ' && c != '\t' })
	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > 1000*time.Hour {
		p.pos = start
		return 0, fmt.Errorf("%q behind %s: want a time of %s or more, as in %s 30s", text, of, max(least, 0), of)
	}
	return d, nil
}

// none is the only condition of a drift.
const none = "none"

// drift reads what follows the word.
func (p *parser) drift(r *Rule) error {
	if err := p.expect("(", "after drift, as in drift(memory): none"); err != nil {
		return err
	}
	group := p.run(wordByte)
	if err := p.expect(")", "after what drifts"); err != nil {
		return err
	}
	if err := p.expect(":", "between the drift and its condition, as in drift(memory): none"); err != nil {
		return err
	}
	p.condition = p.pos
	if err := p.expect(none, "for a drift"); err != nil {
		return err
	}
	if p.space(); p.pos < len(p.text) {
		return fmt.Errorf("%q is too much: a drift has the condition none", p.text[p.pos:])
	}
	r.Metric, r.Stat, r.Op = DriftOf(group), Stat{Name: "value"}, "=="
	return nil
}

// statOf reads the statistic of a metric. An answer is a single value, which
// need not be named.
func (p *parser) statOf(r Rule) (Stat, error) {
	metric := r.Metric
	if !r.isAnswered() {
		return p.stat()
	}
	p.space()
	start := p.pos
	if p.pos < len(p.text) && strings.IndexByte("<>=!0123456789", p.text[p.pos]) >= 0 {
		return Stat{Name: "value"}, nil
	}
	s, err := p.stat()
	if metric == ErrorRate && s.Name == "rate" {
		s.Name = "value"
	}
	if err == nil && s.Name != "value" {
		p.pos = start
		err = fmt.Errorf("%s has no %s: it is one value, as in %s: < 60s", metric, s, metric)
	}
	return s, err
}

func (p *parser) tags(r *Rule) error {
	t := &r.Tags
	for {
		start := p.pos
		key := p.run(wordByte)
		if key == expectedResponse {
			done, err := p.expected()
			if err != nil {
				p.pos = start
			}
			if done || err != nil {
				return err
			}
			continue
		}
		field := t.Field(key)
		if key == faultTag {
			field = &r.Fault
		}
		if field == nil {
			p.pos = start
			return fmt.Errorf("unknown tag %q%s", key, near(key, append(slices.Clone(metrics.TagNames), faultTag)))
		}
		if err := p.expect(":", "after the tag "+key); err != nil {
			return err
		}
		*field = strings.Trim(strings.TrimSpace(p.run(func(c byte) bool { return c != ',' && c != '}' })), `"'`)
		if key == "group" {
			*field = strings.TrimPrefix(*field, "::") // as k6 writes groups
		}
		if *field == "" {
			return fmt.Errorf("the tag %s has no value", key)
		}
		if p.take("}") {
			return nil
		}
		if err := p.expect(",", "or } after a tag"); err != nil {
			return err
		}
	}
}
