// Package suggest finds the word somebody meant to write; it knows no file, no
// flag and no message.
package suggest

import "strings"

// longest is how many letters a word may have before no choice is looked for:
// nobody mistypes a name of that length, and it bounds the work.
const longest = 64

// Nearest returns the choice that is closest to word, and whether one is close
// enough to be what was meant. Case does not count. Closeness is the number of
// letters inserted, left out, replaced or swapped with their neighbour
// (Damerau–Levenshtein, optimal string alignment); a third of the letters of
// the longer of the two may differ, and one always may when more than half of
// the word is right. Where more than one differs, the first letter must be right: hands
// slip later in a word, and "nothing" is not meant to be "voting". Of equally close
// choices the first wins.
func Nearest(word string, choices []string) (string, bool) {
	w := []rune(strings.ToLower(strings.TrimSpace(word)))
	if len(w) == 0 || len(w) > longest {
		return "", false
	}
	best, found := "", -1
	for _, choice := range choices {
		c := []rune(strings.ToLower(choice))
		if len(c) == 0 || len(c) > longest {
			continue
		}
		d := distance(w, c)
		if n := max(len(w), len(c)); d > max(1, n/3) || 2*d >= n || d > 1 && w[0] != c[0] {
			continue
		}
		if found < 0 || d < found {
			best, found = choice, d
		}
	}
	return best, found >= 0
}

// distance counts the edits from a to b. It keeps the last three rows of the
// table only; the third last is for a swap of neighbours.
func distance(a, b []rune) int {
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, old, row = old, row, older
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
