package figure

import (
	"strconv"
	"strings"
)

// Count prints a whole number with its thousands apart: 12,345.
func Count(n int64) string { return apart(strconv.FormatInt(n, 10)) }

// apart puts the thousands of a number's whole part apart.
func apart(s string) string {
	sign, whole := "", s
	if strings.HasPrefix(s, "-") {
		sign, whole = "-", s[1:]
	}
	end := strings.IndexAny(whole, ".e")
	if end < 0 {
		end = len(whole)
	}
	for i := end - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole
}
