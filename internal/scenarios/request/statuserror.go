package request

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// trimRune leaves out the bytes of a character that was cut at the end.
func trimRune(b []byte) []byte {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-n:]) {
				return b[:len(b)-n]
			}
			break
		}
	}
	return b
}

// statusError is an answer of a status that is not expected: what was asked, where it
// leads to, and the beginning of what it said.
type statusError struct {
	status          int
	asked, to, said string
}

func (e statusError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("status %d %s", e.status, http.StatusText(e.status)))
	if e.asked != "" {
		text = e.asked + ": " + text
	}
	if e.to != "" {
		text += fmt.Sprintf(" to %s, which is no success: follow it with the setting redirects=5, or expect the status", e.to)
	}
	if e.said != "" {
		text += ": " + e.said
	}
	return text
}
