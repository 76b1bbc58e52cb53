package suggest

import (
	"fmt"
	"strings"
)

// DidYouMean returns what an error about an unknown word ends with: the nearest
// choice, or all of them where none is near.
func DidYouMean(word string, choices []string) string {
	if near, ok := Nearest(word, choices); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; there are " + strings.Join(choices, ", ")
}
