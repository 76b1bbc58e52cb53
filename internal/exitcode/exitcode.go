// Package exitcode holds perfctl's exit codes: what each means, in the words that users
// read, and which one wins. It is a leaf: it exits from nothing.
package exitcode

import (
	"fmt"
	"strings"
)

// The codes. Those that k6 has too mean the same there.
const (
	Pass          = 0
	Unexpected    = 1
	Usage         = 2
	Breached      = 99
	InvalidConfig = 104
	Interrupted   = 105
	Unreachable   = 107
	Panic         = 109
	Invalid       = 111
	Regression    = 112
)

// Meaning is a code with what it means.
type Meaning struct {
	Code int
	Text string
}

// Meanings are the codes in their order.
var Meanings = []Meaning{
	{Pass, "pass"},
	{Unexpected, "unexpected error"},
	{Usage, "usage: unknown command, flag or value"},
	{Breached, "an SLA rule, a threshold or a consistency check was breached"},
	{InvalidConfig, "invalid configuration: a profile, SLA table or setting"},
	{Interrupted, "interrupted by a signal"},
	{Unreachable, "a target cannot be reached, or a scenario cannot be set up"},
	{Panic, "panic"},
	{Invalid, "the run is invalid: the generator was the bottleneck, or data is missing"},
	{Regression, "regression against the baseline"},
}

// Help is what perfctl help exit-codes prints.
func Help() string {
	var b strings.Builder
	b.WriteString("Exit codes of perfctl:\n\n")
	for _, m := range Meanings {
		fmt.Fprintf(&b, "  %3d  %s\n", m.Code, m.Text)
	}
	words := make([]string, len(precedence))
	for i, code := range precedence {
		words[i] = fmt.Sprint(code)
	}
	fmt.Fprintf(&b, "\nWhere several hold, the first of %s is returned.", strings.Join(words, ", "))
	return b.String()
}

// precedence is the order in which codes win.
var precedence = []int{Panic, Interrupted, Unreachable, Invalid, Breached, Regression}

// Worst returns the code that wins among those that hold: the first in order
// of precedence, else the first that is not Pass.
func Worst(codes ...int) int {
	for _, p := range precedence {
		for _, c := range codes {
			if c == p {
				return p
			}
		}
	}
	for _, c := range codes {
		if c != Pass {
			return c
		}
	}
	return Pass
}
