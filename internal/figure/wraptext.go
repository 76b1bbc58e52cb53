package figure

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// listed is the beginning of a line of a list: a word, then its text.
var listed = regexp.MustCompile(`^ +\S+ +`)

// WrapText breaks the lines of a text that are wider than there is room; what follows of
// a line of a list stands below its text.
func WrapText(s string, width int) string {
	var out []string
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n")
		if utf8.RuneCountInString(line) <= width {
			out = append(out, line)
			continue
		}
		head := listed.FindString(line)
		if len(head) > width/2 {
			head = line[:len(line)-len(strings.TrimLeft(line, " "))]
		}
		below := strings.Repeat(" ", len(head))
		for i, part := range Wrap(line[len(head):], width-len(head), width-len(head)) {
			if i == 0 {
				out = append(out, head+part)
			} else {
				out = append(out, below+part)
			}
		}
	}
	return strings.Join(out, "\n")
}

// Hanging lays lines of columns with tabs between out for a terminal: the last column
// below the others, wrapped and indented.
func Hanging(text string, width int) string {
	var b strings.Builder
	put := func(first, next, text string) {
		lead := first
		for _, line := range Wrap(text, max(width-len(first), 20), max(width-len(next), 20)) {
			b.WriteString(strings.TrimRight(lead+line, " ") + "\n")
			lead = next
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		cut := strings.LastIndex(line, "\t")
		if cut < 0 {
			put("", "  ", line)
			continue
		}
		put("  ", "    ", strings.ReplaceAll(line[:cut], "\t", "  "))
		put("      ", "      ", line[cut+1:])
	}
	return b.String()
}

// Hang breaks the lines of a message that are wider than there is room; what follows of
// a line stands two columns further in. A word that is wider, as an address or a path,
// stays whole: it is there to be copied.
func Hang(text string, width int) string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if utf8.RuneCountInString(line) <= width {
			out = append(out, line)
			continue
		}
		body := strings.TrimLeft(line, " ")
		lead := line[:len(line)-len(body)]
		now, used := lead, utf8.RuneCountInString(lead)
		begun := false
		for _, w := range strings.Fields(body) {
			n := utf8.RuneCountInString(w)
			if begun && used+1+n > width {
				out = append(out, now)
				now, used, begun = lead+"  ", utf8.RuneCountInString(lead)+2, false
			}
			if begun {
				now, used = now+" ", used+1
			}
			now, used, begun = now+w, used+n, true
		}
		out = append(out, now)
	}
	return strings.Join(out, "\n")
}
