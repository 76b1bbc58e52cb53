package secrets

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// A secret is known by its name where the name holds one of parts anywhere, or one
// of whole as a word, or is key.
var (
	parts = []string{"password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "accesskey", "privatekey", "sslkey",
		"credential", "authorization", "cookie", "sessionid", "signature", "barrierkey"}
	whole = []string{"pass", "auth", "sig", "jwt"}
)

// Name says whether a setting, parameter, header or field of that name holds a
// secret.
func Name(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	joined := strings.Join(words, "")
	return joined == "key" || slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(joined, p) }) ||
		slices.ContainsFunc(whole, func(w string) bool { return slices.Contains(words, w) })
}

// The places where secrets stand in texts. A value ends before what would end it
// in a URL or in JSON.
var (
	userPlace   = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@:"'<>]*):([^\s/?#"'<>]*)@`)
	paramPlace  = regexp.MustCompile(`([?&]|\\u0026)([A-Za-z0-9_.%-]+)=([^&\s#"'<>\\]+)`)
	assignPlace = regexp.MustCompile(`()\b([A-Za-z][A-Za-z0-9_-]*)=([^&\s"'<>\\]+|'[^']*'|"[^"\\]*")`)
	fieldPlace  = regexp.MustCompile(`(\\?")([A-Za-z0-9_.-]+)(\\?"\s*:\s*\\?")([^"\\]+)`)
	headerPlace = regexp.MustCompile(`(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token)(\s*:\s*)([^"'\n\r\\]+)`)
	bearerPlace = regexp.MustCompile(`(?i)\b(bearer\s+)([^\s"'\\]{6,})`)
)

// placeholder stands for any value in messages and help: KEY=VALUE.
const placeholder = "VALUE"

// Text hides what stands where secrets stand.
func Text(s string) string {
	if !strings.ContainsAny(s, "=:@") && !strings.Contains(strings.ToLower(s), "bearer") {
		return s
	}
	s = userPlace.ReplaceAllString(s, "$1:"+Hidden+"@")
	for _, p := range []*regexp.Regexp{paramPlace, assignPlace} {
		s = p.ReplaceAllStringFunc(s, func(m string) string {
			if g := p.FindStringSubmatch(m); Name(g[2]) && strings.TrimRight(g[3], ",.;") != placeholder {
				return g[1] + g[2] + "=" + Hidden
			}
			return m
		})
	}
	s = fieldPlace.ReplaceAllStringFunc(s, func(m string) string {
		if g := fieldPlace.FindStringSubmatch(m); Name(g[2]) {
			return g[1] + g[2] + g[3] + Hidden
		}
		return m
	})
	s = headerPlace.ReplaceAllStringFunc(s, func(m string) string {
		g := headerPlace.FindStringSubmatch(m)
		_, rest, more := strings.Cut(g[3], " | ") // further headers
		if more {
			rest = " | " + Text(rest)
		}
		return g[1] + g[2] + Hidden + rest
	})
	return bearerPlace.ReplaceAllString(s, "${1}"+Hidden)
}

// In returns the values that stand in a text where secrets stand.
func In(s string) (out []string) {
	for _, g := range userPlace.FindAllStringSubmatch(s, -1) {
		out = append(out, g[2])
	}
	for _, p := range []*regexp.Regexp{paramPlace, assignPlace} {
		for _, g := range p.FindAllStringSubmatch(s, -1) {
			if Name(g[2]) {
				out = append(out, strings.Trim(g[3], `"'`))
			}
		}
	}
	for _, g := range fieldPlace.FindAllStringSubmatch(s, -1) {
		if Name(g[2]) {
			out = append(out, g[4])
		}
	}
	for _, g := range headerPlace.FindAllStringSubmatch(s, -1) {
		v, _, _ := strings.Cut(g[3], " | ")
		out = append(out, v)
	}
	for _, g := range bearerPlace.FindAllStringSubmatch(s, -1) {
		out = append(out, g[2])
	}
	return out
}

// public are headers whose values are no secrets.
var public = []string{"accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-encoding", "content-type", "host",
	"if-none-match", "if-modified-since", "origin", "prefer", "range", "referer", "user-agent"}

// Shown returns a scenario's setting or a flag as it may be shown: a body by its
// length and a fingerprint, headers without the values that may be secrets.
func Shown(key, value string) string {
	key = key[strings.LastIndex(key, ".")+1:]
	switch {
	case value == "":
		return ""
	case key == "body":
		sum := sha256.Sum256([]byte(value))
		return fmt.Sprintf("%d bytes, sha256 %s", len(value), hex.EncodeToString(sum[:6]))
	case key == "headers":
		items := strings.Split(value, " | ")
		for i, item := range items {
			name, _, _ := strings.Cut(item, ":")
			if !slices.Contains(public, strings.ToLower(strings.TrimSpace(name))) {
				items[i] = name + ": " + Hidden
			}
		}
		return strings.Join(items, " | ")
	case Name(key):
		return Hidden
	}
	return Text(value)
}

// Of returns what is secret in a setting of that name.
func Of(key, value string) []string {
	key = key[strings.LastIndex(key, ".")+1:]
	out := In(value)
	switch {
	case key == "headers":
		for item := range strings.SplitSeq(value, " | ") {
			name, v, _ := strings.Cut(item, ":")
			if !slices.Contains(public, strings.ToLower(strings.TrimSpace(name))) {
				out = append(out, v)
			}
		}
	case Name(key):
		out = append(out, value)
	}
	return out
}

// Label returns what may be quoted of a text that is not of the form NAME=VALUE:
// what stands before the first sign that could begin a value.
func Label(s string) string {
	if i := strings.IndexFunc(s, func(r rune) bool { return r == '=' || r == ':' || unicode.IsSpace(r) }); i >= 0 {
		return s[:i] + " …"
	}
	return s
}
