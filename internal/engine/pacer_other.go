//go:build !linux

package engine

import "github.com/perfctl/perfctl/internal/engine/work"

// newPacer returns the runtime's timers: other systems have no means that is
// both more precise and as cheap.
func newPacer(c work.Clock, _ bool) (pacer, error) { return newTimerPacer(c), nil }
