package work

import (
	"errors"
	"strings"
	"unicode"
)

// maxAsked bounds what an error says about what was asked for, in characters.
const maxAsked = 160

// Asked puts before an error's text what was asked for: a command with its key, a
// statement, an exchange. The kind stays the error's. It is nil for nil, and leaves an
// error alone that says what was asked for.
func Asked(what string, err error) error {
	if err == nil || what == "" {
		return err
	}
	if _, said := errors.AsType[*askedError](err); said {
		return err
	}
	return &Failure{Kind: KindOf(err), Err: &askedError{what, err}}
}

// askedError is an error with what was asked for. Its text is made where it is read:
// most failures are only counted.
type askedError struct {
	what string
	err  error
}

func (e *askedError) Error() string {
	text := e.err.Error()
	if f, ok := e.err.(*Failure); ok { //nolint:errorlint // its own kind is told beside it
		text = f.Err.Error()
	}
	return cutRunes(e.what, maxAsked) + ": " + text
}

func (e *askedError) Unwrap() error { return e.err }

// Statement returns an SQL statement as an error tells it: on one line, without
// what stands between quotes, which may be anybody's.
func Statement(sql string) string {
	var b strings.Builder
	quoted, space := false, false
	for _, r := range sql {
		switch {
		case r == '\'':
			if quoted = !quoted; !quoted {
				b.WriteString("…'")
				continue
			}
		case quoted:
			continue
		case unicode.IsSpace(r):
			space = true
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	return cutRunes(b.String(), maxAsked)
}

func cutRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
