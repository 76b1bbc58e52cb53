package figure

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line makes a foreign text harmless for a terminal, and one line: escape
// sequences, control characters and characters that change the direction of
// writing or do not show are taken out, line ends and tabs become spaces.
func Line(s string) string { return clean(s, false) }

// Lines is Line for a text of several lines, which stay.
func Lines(s string) string { return clean(s, true) }

func clean(s string, lines bool) string {
	plainText := true
	for i := 0; i < len(s) && plainText; i++ {
		plainText = s[i] >= 0x20 && s[i] < 0x7f
	}
	if plainText {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == 0x1b || r == 0x9b || r == 0x9d || r == 0x90:
			size = escapeLen(s[i:], r, size)
		case r == '\n' && lines:
			b.WriteByte('\n')
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
		default:
			b.WriteRune(r) // U+FFFD for a byte that is no UTF-8
		}
		i += size
	}
	return b.String()
}

// escapeLen returns the length of the escape sequence that s begins with: a
// control sequence to its final byte, a string sequence to its terminator, or
// the introducer alone where that is missing.
func escapeLen(s string, r rune, intro int) int {
	kind := byte('[')
	switch {
	case r == 0x9d || r == 0x90:
		kind = ']'
	case r == 0x1b && len(s) > 1:
		kind = s[1]
		intro = 2
	case r == 0x1b:
		return 1
	}
	switch kind {
	case '[':
		for i := intro; i < len(s) && i < intro+64; i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
		}
	case ']', 'P', 'X', '^', '_':
		for i := intro; i < len(s); i++ {
			if s[i] == 0x07 {
				return i + 1
			}
			if strings.HasPrefix(s[i:], "\x1b\\") {
				return i + 2
			}
		}
	default:
		if kind >= 0x80 {
			return 1 // the byte belongs to a character
		}
	}
	return intro
}
