// Package examples names the first few of what a check found wrong, as rows that are lost
// or tasks that came twice. How many there are is counted elsewhere; faults on purpose are
// in another room.
package examples

import (
	"slices"
	"strconv"
	"strings"
)

// Most is how many are named.
const Most = 5

// Keep appends one to those that are kept: the first ones, and one more, by which is
// known that there are more than are named.
func Keep[T any](list []T, one T) []T {
	if len(list) <= Most {
		list = append(list, one)
	}
	return list
}

// Numbers are the numbers of the first ones.
type Numbers []int64

// Add keeps a number if it is one of the first.
func (n *Numbers) Add(number int64) { *n = Keep(*n, number) }

// Names returns the numbers as texts.
func (n Numbers) Names() (out []string) {
	for _, x := range n {
		out = append(out, strconv.FormatInt(x, 10))
	}
	return out
}

// Text returns the first ones for a message, with lead before them, and nothing where
// there are none. total is how many there are in all.
func Text(list []string, lead string, total int64) string {
	if len(list) == 0 {
		return ""
	}
	named := list[:min(len(list), Most)]
	text := lead + strings.Join(slices.Clone(named), ", ")
	if int64(len(named)) < max(total, int64(len(list))) {
		text += " …"
	}
	return text
}
