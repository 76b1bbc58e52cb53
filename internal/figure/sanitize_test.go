package figure

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestForeignTextReachesNoTerminalAsACommand(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                                   "plain",
		"größer, 東京":                              "größer, 東京",
		"\x1b[31mred\x1b[0m":                      "red",
		"\x1b]0;title\x07after":                   "after",
		"\x1b]8;;http://x\x1b\\link":              "link",
		"\u009b31mred":                            "red",
		"user\u202egnp.exe":                       "usergnp.exe",
		"a\u2066b\u2069c\u200bd\ufeffe":           "abcde",
		"one\r\ntwo\tthree":                       "one  two three",
		"bell\x07, back\x08, delete\x7f, nul\x00": "bell, back, delete, nul",
	} {
		if got := Line(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := Lines("error: \x1b[2Jone\n  next: two"); got != "error: one\n  next: two" {
		t.Errorf("got %q", got)
	}
}

func TestNothingThatATerminalObeysIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{
			"\x1b", "[", "]", "P", "31m", "\x07", "\x1b\\", "\u009b", "\u202e", "\u2066", "\n", "\r", "\t", "a", "é", "\xff", "\u2028",
		})).Draw(t, "parts"), "")
		for _, r := range Line(s) {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' {
				t.Fatalf("%q leaves %q", s, r)
			}
		}
	})
}
