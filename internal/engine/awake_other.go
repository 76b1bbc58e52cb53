//go:build !linux

package engine

import "time"

// canHold is false where there is no sleep that the runtime does not see.
const canHold = false

func hold(time.Duration) {}

func processorTime() time.Duration { return 0 }
