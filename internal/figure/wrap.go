package figure

import (
	"strings"
	"unicode/utf8"
)

// Wrap breaks a line between words into pieces of at most first columns, then of at
// most next. A word that is longer is broken.
func Wrap(text string, first, next int) (out []string) {
	room := max(first, 1)
	line, width := "", 0
	end := func() {
		out = append(out, line)
		line, width, room = "", 0, max(next, 1)
	}
	for _, w := range strings.Fields(text) {
		n := utf8.RuneCountInString(w)
		if width > 0 && width+1+n > room {
			end()
		}
		for n > room {
			r := []rune(w)
			line, w = string(r[:room]), string(r[room:])
			end()
			n = utf8.RuneCountInString(w)
		}
		if width > 0 {
			line, width = line+" ", width+1
		}
		line, width = line+w, width+n
	}
	if width > 0 || len(out) == 0 {
		end()
	}
	return out
}
