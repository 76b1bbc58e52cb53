// Package answer holds what a step got from a target, and what a file says of it:
// where a value stands in an answer, what it must be, and which variable takes it.
// How an answer is got is decided elsewhere.
package answer

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/suggest"
)

// Answer is what a step got. Its memory belongs to whoever asked.
type Answer struct {
	// Status is the status of an HTTP answer.
	Status int
	// Method and Path are those of the request that an HTTP answer is of, Head the
	// beginning of its body as it was sent, for messages: nil where that is not text.
	Method, Path string
	Head         []byte
	// Header returns a header of an HTTP answer or of a message; nil where there
	// are none.
	Header func(name string) (string, bool)
	// Cookie returns a cookie that an HTTP answer sets; nil where there are none.
	Cookie func(name string) (string, bool)
	// Property returns a property of a message; nil where there are none.
	Property func(name string) (string, bool)
	// Body is the body of an HTTP answer or of a message, or the value of a key.
	Body []byte
	// Missing says that there is none, as of a key that does not exist.
	Missing bool
	// Sort is the sort of Body, Unset where it is not known.
	Sort template.Sort
	// Rows is how many rows a statement returned or touched.
	Rows int64
	// Column reads a column of the first row, or one of several replies by its number;
	// nil where there are none.
	Column func(name string, into *template.Value) bool

	looked, valid bool // whether Body is JSON
}

// isJSON says whether the body is JSON, which is found out once.
func (a *Answer) isJSON() bool {
	if !a.looked {
		a.looked, a.valid = true, gjson.ValidBytes(a.Body)
	}
	return a.valid
}

// Source is a place in an answer.
type Source struct {
	text  string
	word  string
	arg   string
	match *regexp.Regexp
}

// The places, by their first word.
const (
	Status   = "status"
	Header   = "header"
	Property = "property"
	Body     = "body"
	JSON     = "json"
	Match    = "match"
	Rows     = "rows"
	Column   = "column"
	Exists   = "exists"
	Reply    = "reply"
	Events   = "events"
	Cookie   = "cookie"
)

// takesArgument are the words that something follows.
var takesArgument = map[string]string{
	Header: "the name of a header", Property: "the name of a property, as in correlation_id", JSON: "a path, as in task.state or items.0.id",
	Match: "a regular expression", Column: "the name of a column",
	Reply: "the number of a reply, from 1", Cookie: "the name of a cookie",
}

// ParseSource reads a place as it is written, "json task.id"; words are those that
// the step's answers have.
func ParseSource(text string, words []string) (Source, error) {
	word, arg, _ := strings.Cut(strings.TrimSpace(text), " ")
	s := Source{text: text, word: word, arg: strings.TrimSpace(arg)}
	if !slices.Contains(words, word) {
		if near, ok := suggest.Nearest(word, words); ok {
			return s, fmt.Errorf("this step's answer has no %q; did you mean %q?", word, near)
		}
		return s, fmt.Errorf("this step's answer has no %q; it has %s", word, strings.Join(words, ", "))
	}
	switch want, takes := takesArgument[word]; {
	case takes && s.arg == "":
		return s, fmt.Errorf("after %s there must be %s", word, want)
	case !takes && s.arg != "":
		return s, fmt.Errorf("%q after %s is not understood", s.arg, word)
	}
	switch word {
	case JSON:
		s.arg = jsonPath(s.arg)
	case Match:
		var err error
		if s.match, err = regexp.Compile(s.arg); err != nil {
			return s, err
		}
	}
	return s, nil
}

// jsonPath accepts $.a.b[0] for a.b.0.
func jsonPath(path string) string {
	rest, dollar := strings.CutPrefix(path, "$")
	if !dollar {
		return path
	}
	rest = strings.NewReplacer("[", ".", "]", "").Replace(rest)
	if rest = strings.TrimPrefix(rest, "."); rest == "" {
		return "@this"
	}
	return rest
}

// String returns the place as it was written.
func (s *Source) String() string { return s.text }

// NeedsBody says whether the place is in an answer's body.
func (s *Source) NeedsBody() bool { return s.word == Body || s.word == JSON || s.word == Match }

// The failures of an answer.
const (
	// KindCheck: the answer is not what the file says it must be.
	KindCheck work.Kind = "check"
	// KindNotJSON: a body is not JSON where JSON is looked at.
	KindNotJSON work.Kind = "not_json"
	// KindCapture: what was to be captured is not in the answer.
	KindCapture work.Kind = "capture"
)

var errNotJSON = errors.New("the body is not JSON")

// Take reads the place into v; found is false where there is nothing.
func (s *Source) Take(a *Answer, v *template.Value) (found bool, err error) {
	switch s.word {
	case Status:
		v.Sort, v.Text = template.Number, strconv.AppendInt(v.Text[:0], int64(a.Status), 10)
	case Rows, Events:
		v.Sort, v.Text = template.Number, strconv.AppendInt(v.Text[:0], a.Rows, 10)
	case Exists:
		v.Sort, v.Text = template.Bool, strconv.AppendBool(v.Text[:0], !a.Missing)
	case Header:
		return named(a.Header, s.arg, v), nil
	case Property:
		return named(a.Property, s.arg, v), nil
	case Cookie:
		return named(a.Cookie, s.arg, v), nil
	case Column, Reply:
		return a.Column != nil && a.Column(s.arg, v), nil
	case Match:
		m := s.match.FindSubmatch(a.Body)
		if m == nil {
			return false, nil
		}
		v.Set(template.Plain, m[len(m)-1])
	case JSON:
		return s.takeJSON(a, v)
	default:
		if a.Missing {
			return false, nil
		}
		sort := a.Sort
		if sort == template.Unset {
			sort = template.Plain
		}
		v.Set(sort, a.Body)
	}
	return true, nil
}

func named(get func(string) (string, bool), name string, v *template.Value) bool {
	if get == nil {
		return false
	}
	text, ok := get(name)
	v.Sort, v.Text = template.Plain, append(v.Text[:0], text...)
	return ok
}

func (s *Source) takeJSON(a *Answer, v *template.Value) (bool, error) {
	if !a.isJSON() {
		return false, work.Fail(KindNotJSON, fmt.Errorf("%w: %s", errNotJSON, shorten(a.Body)))
	}
	r := gjson.GetBytes(a.Body, s.arg)
	if !r.Exists() {
		return false, nil
	}
	switch r.Type {
	case gjson.Null:
		v.Set(template.Null, nil)
		return true, nil
	case gjson.Number:
		// As written: a float64 would lose digits of long numbers.
		v.Sort, v.Text = template.Number, append(v.Text[:0], r.Raw...)
		return true, nil
	case gjson.True, gjson.False:
		v.Sort = template.Bool
	default:
		v.Sort = template.String
	}
	v.Text = append(v.Text[:0], r.String()...)
	return true, nil
}

// most bounds what is shown of a body, in bytes.
const most = 120

func shorten(b []byte) string {
	if len(b) > most {
		return strconv.Quote(string(b[:most])) + "…"
	}
	return strconv.Quote(string(b))
}

// said returns the beginning of an HTTP answer behind a colon, where it is text.
func (a *Answer) said() string {
	text := strings.TrimSpace(string(bytes.ToValidUTF8(a.Head, nil)))
	if text == "" || bytes.IndexByte(a.Head, 0) >= 0 {
		return ""
	}
	return ": " + text
}
