package lab

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// program returns the path of the first of names that is in one of the folders
// or on the PATH; the folders come first.
func program(names []string, folders ...string) string {
	for _, name := range names {
		for _, dir := range folders {
			if dir == "" {
				continue
			}
			if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return p
			}
		}
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

// newest returns the folder that matches the pattern with the highest version
// in its name, empty if none does.
func newest(pattern string) string {
	dirs, _ := filepath.Glob(pattern) // the patterns are constants and well formed
	if len(dirs) == 0 {
		return ""
	}
	return slices.MaxFunc(dirs, func(a, b string) int { return slices.Compare(numbers(a), numbers(b)) })
}

// numbers returns the numbers in a text, in order.
func numbers(s string) []int {
	var out []int
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		if n, err := strconv.Atoi(f); err == nil {
			out = append(out, n)
		}
	}
	return out
}
