package template

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/suggest"
)

// filters transform what a field stands for: each appends to dst, with which
// value may share its memory.
var filters = map[string]func(dst, value []byte) []byte{
	"json":   AppendJSON,
	"url":    func(dst, v []byte) []byte { return append(dst, url.QueryEscape(string(v))...) },
	"base64": func(dst, v []byte) []byte { return append(dst, base64.StdEncoding.EncodeToString(v)...) },
	"upper":  func(dst, v []byte) []byte { return append(dst, strings.ToUpper(string(v))...) },
	// What it is applied to is not encoded for where it lands.
	"raw":   func(dst, v []byte) []byte { return append(dst, v...) },
	"lower": func(dst, v []byte) []byte { return append(dst, strings.ToLower(string(v))...) },
}

// FilterNames returns the names of all filters, sorted.
func FilterNames() []string {
	var names []string
	for n := range filters {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func filter(name string) (func(dst, value []byte) []byte, error) {
	if f := filters[name]; f != nil {
		return f, nil
	}
	names := FilterNames()
	if near, ok := suggest.Nearest(name, names); ok {
		return nil, fmt.Errorf("unknown filter %q; did you mean %q?", name, near)
	}
	return nil, fmt.Errorf("unknown filter %q; there are %s", name, strings.Join(names, ", "))
}

// AppendJSON appends a text as it stands between the quotes of a JSON string
// (RFC 8259, section 7). Bytes that are no UTF-8 become U+FFFD.
func AppendJSON(dst, value []byte) []byte {
	if !slices.ContainsFunc(value, func(b byte) bool { return b < ' ' || b == '"' || b == '\\' || b >= utf8.RuneSelf }) {
		return append(dst, value...)
	}
	text := string(value) // dst may share its memory
	const hex = "0123456789abcdef"
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
