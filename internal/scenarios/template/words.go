package template

import (
	"fmt"
	"strings"
)

// cutBraces cuts a text at the braces that end a field, which do not stand in
// quotes.
func cutBraces(text string) (inside, tail string, closed bool) {
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "}}") {
			return text[:i], text[i+2:], true
		}
		if opens(text, i) {
			if n := strings.IndexByte(text[i+1:], text[i]); n >= 0 {
				i += n + 1
			}
		}
	}
	return text, "", false
}

// opens says whether a quotation begins at i: one in the middle of a word does not.
func opens(text string, i int) bool {
	return (text[i] == '\'' || text[i] == '"') && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t')
}

// splitField splits what stands between the braces into the words of the call and
// the names of its filters. A word in quotes may hold anything but those quotes.
func splitField(inside string) (words, filters []string, err error) {
	word, inWord := "", false
	piped := false
	end := func() {
		switch {
		case inWord && piped:
			filters = append(filters, word)
		case inWord:
			words = append(words, word)
		}
		word, inWord = "", false
	}
	for i := 0; i < len(inside); i++ {
		switch c := inside[i]; {
		case opens(inside, i):
			n := strings.IndexByte(inside[i+1:], c)
			if n < 0 {
				return nil, nil, fmt.Errorf("{{%s}}: the quotation that begins with %s has no end", strings.TrimSpace(inside), inside[i:])
			}
			word, inWord = inside[i+1:i+1+n], true
			if i += n + 1; i+1 < len(inside) && inside[i+1] != ' ' && inside[i+1] != '\t' && inside[i+1] != '|' {
				return nil, nil, fmt.Errorf("{{%s}}: behind the quotation %s a space is missing", strings.TrimSpace(inside), word)
			}
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			end()
		case c == '|':
			end()
			if piped && len(filters) == 0 || strings.TrimSpace(inside[i+1:]) == "" {
				return nil, nil, fmt.Errorf("{{%s}}: a filter is missing behind |", strings.TrimSpace(inside))
			}
			piped = true
		default:
			word, inWord = word+inside[i:i+1], true
		}
	}
	end()
	return words, filters, nil
}

// Split splits a text at a separator, but not inside of a field.
func Split(text, separator string) []string {
	var out []string
	from := 0
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "{{"):
			if inside, _, closed := cutBraces(text[i+2:]); closed {
				i += len(inside) + 4
				continue
			}
			i += 2
		case strings.HasPrefix(text[i:], separator):
			out = append(out, text[from:i])
			i += len(separator)
			from = i
		default:
			i++
		}
	}
	return append(out, text[from:])
}

// Outside transforms a text that is not compiled yet, except for the fields in it.
func Outside(text string, apply func(string) string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "{{")
		b.WriteString(apply(before))
		if !found {
			return b.String()
		}
		inside, tail, closed := cutBraces(after)
		b.WriteString("{{" + inside)
		if !closed {
			return b.String()
		}
		b.WriteString("}}")
		text = tail
	}
}
