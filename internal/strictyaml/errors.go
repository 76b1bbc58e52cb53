// Package strictyaml reads YAML files without forgiving anything, and says
// where in the file every problem is; what the keys mean is not known here.
package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file. Line and Col count from 1, 0 means unknown; the
// zero Pos is "no file", as for a value that came from a flag.
type Pos struct {
	File      string
	Line, Col int
}

// String returns file:line:col, without the parts that are unknown.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Problem is one thing that is wrong, and its place.
type Problem struct {
	Pos
	Msg string
}

// String returns file:line:col: msg.
func (p Problem) String() string {
	if place := p.Pos.String(); place != "" {
		return place + ": " + p.Msg
	}
	return p.Msg
}

// Errors is everything that is wrong with a file, sorted by place.
type Errors struct {
	Problems []Problem
}

// Error returns one problem a line.
func (e *Errors) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Collector gathers problems, so that a file's are all told at once. The zero
// Collector is ready for use.
type Collector struct {
	problems []Problem
}

// Add records a problem; format and args are those of fmt.Sprintf.
func (c *Collector) Add(at Pos, format string, args ...any) {
	c.problems = append(c.problems, Problem{at, fmt.Sprintf(format, args...)})
}

// Err returns an *Errors with all that was added, sorted by place, or nil when
// nothing was.
func (c *Collector) Err() error {
	if len(c.problems) == 0 {
		return nil
	}
	sorted := slices.Clone(c.problems)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return &Errors{sorted}
}
