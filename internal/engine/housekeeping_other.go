//go:build !linux

package engine

import (
	"sync/atomic"
	"time"
)

// canHold is false where there is no sleep that the runtime does not see.
const canHold = false

func hold(*atomic.Uint32, uint32, time.Duration) {}

func wakeHeld(*atomic.Uint32) {}

func giveWay() {}

func processorTime() time.Duration { return 0 }
