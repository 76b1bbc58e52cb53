//go:build !linux

package process

import "time"

// Look returns what the kernel says of a process now; nothing on this system.
func Look(int) (m Status, ok bool) { return Status{}, false }

// Throttled returns nothing on this system.
func Throttled(int) time.Duration { return 0 }
