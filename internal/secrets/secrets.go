// Package secrets keeps what must not be seen out of every text that perfctl
// writes: by where it stands (the password of a URL, a parameter called token, the
// value of Authorization) and by what it is, once a value is known for a secret. It
// reads no setting itself and knows no file, flag or target.
package secrets

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Hidden stands for a secret.
const Hidden = "xxx"

// Shortest is how many bytes a value must have to be looked for everywhere: a
// shorter one would be found within ordinary words. It is hidden where it stands
// as a secret, and only there.
const Shortest = 8

// ordinary are words that are known as passwords and that texts cannot do without.
var ordinary = []string{"password", "postgres", "rabbitmq", "localhost", "127.0.0.1", "orchestrator_test"}

// Redactor knows the values that are secret. Its zero value knows none; it may be
// used by several goroutines.
type Redactor struct {
	mu    sync.RWMutex
	forms []string // what is looked for, the longest first
}

// folders are variables that every shell sets, and that are no passwords in spite of
// their names: where it is, and where it was.
var folders = []string{"PWD", "OLDPWD"}

// OfSettings returns the secrets of a source of settings. A password that stands elsewhere
// as a user's or a host's name is no secret to be found in texts.
func OfSettings(values map[string]string) (out []string) {
	for name, v := range values {
		if slices.Contains(folders, name) {
			continue
		}
		for _, s := range Of(name, v) {
			if !publicValue(values, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// publicValue says whether a setting that is shown has this value.
func publicValue(values map[string]string, secret string) bool {
	for name, v := range values {
		if v == secret && !Name(name) {
			return true
		}
	}
	return false
}

// Add makes values known for secrets.
func (r *Redactor) Add(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range values {
		v = strings.TrimSpace(v)
		if len(v) < Shortest || slices.Contains(ordinary, strings.ToLower(v)) {
			continue
		}
		for _, f := range formsOf(v) {
			if !slices.Contains(r.forms, f) {
				r.forms = append(r.forms, f)
			}
		}
	}
	slices.SortStableFunc(r.forms, func(a, b string) int { return len(b) - len(a) })
}

// formsOf returns a value as it stands in texts, URLs, JSON and quotes.
func formsOf(v string) []string {
	quoted := strconv.Quote(v)
	encoded, _ := json.Marshal(v) // a string always encodes
	_, user, _ := strings.Cut(url.UserPassword("", v).String(), ":")
	return []string{v, url.QueryEscape(v), url.PathEscape(v), user, quoted[1 : len(quoted)-1], string(encoded[1 : len(encoded)-1])}
}

// Text hides what is known for a secret in a text, and what stands where secrets
// stand.
func (r *Redactor) Text(s string) string { return Text(r.known(s)) }

// known hides the known values alone.
func (r *Redactor) known(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, f := range r.forms {
		s = replace(s, f)
	}
	return s
}

// replace hides a value. One of letters alone may be a word: within a longer word
// it is left.
func replace(s, value string) string {
	if !strings.Contains(s, value) {
		return s
	}
	word := !strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) })
	var b strings.Builder
	for {
		i := strings.Index(s, value)
		if i < 0 {
			return b.String() + s
		}
		end := i + len(value)
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[end:])
		b.WriteString(s[:i])
		if word && (unicode.IsLetter(before) || unicode.IsLetter(after)) {
			b.WriteString(value)
		} else {
			b.WriteString(Hidden)
		}
		s = s[end:]
	}
}

// Writer returns a writer that hides the known values in each text that is written
// with one call; with positions, also what stands where secrets stand.
func (r *Redactor) Writer(to io.Writer, positions bool) io.Writer { return writer{r, to, positions} }

type writer struct {
	r         *Redactor
	to        io.Writer
	positions bool
}

func (w writer) Write(p []byte) (int, error) {
	text := w.r.known(string(p))
	if w.positions {
		text = Text(text)
	}
	if _, err := io.WriteString(w.to, text); err != nil {
		return 0, err
	}
	return len(p), nil
}
