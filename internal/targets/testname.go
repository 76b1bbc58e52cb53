package targets

import (
	"slices"
	"strings"
	"unicode"
)

// testWords are the words by which a database's name says that it is there to
// be loaded.
var testWords = []string{"test", "tests", "testing", "perf", "testdb", "dbtest", "perfdb", "perftest", "loadtest"}

// forTests says whether a database's name holds one of testWords as a word of
// its own: "latest_prod" does not.
func forTests(name string) bool {
	return slices.ContainsFunc(words(name), func(w string) bool { return slices.Contains(testWords, w) })
}

// words splits a name where its letters end and where a capital follows a small
// letter, in lower case: shopTest2 is shop and test.
func words(name string) []string {
	var spaced strings.Builder
	var before rune
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(before) {
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(r)
		before = r
	}
	out := strings.FieldsFunc(spaced.String(), func(r rune) bool { return !unicode.IsLetter(r) })
	for i := range out {
		out[i] = strings.ToLower(out[i])
	}
	return out
}
