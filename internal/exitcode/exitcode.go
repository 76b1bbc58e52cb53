// Package exitcode holds what perfctl's exit codes mean and which one wins. It
// is a leaf: it exits from nothing.
package exitcode

// The codes. Those that k6 has too mean the same there.
const (
	Pass          = 0
	Unexpected    = 1
	Usage         = 2
	Breached      = 99  // an SLA rule or a threshold was breached
	InvalidConfig = 104 // a profile, an SLA table or a setting is wrong
	Interrupted   = 105 // a signal ended the run
	Unreachable   = 107 // a target cannot be reached or a scenario set up
	Panic         = 109
	Invalid       = 111 // the generator was the bottleneck, or data is missing
	Regression    = 112 // against the baseline
)

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
