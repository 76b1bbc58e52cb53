package engine

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canHold says whether hold does what it is for.
const canHold = true

// hold sleeps without telling the runtime, so that its processor looks busy.
// It may end early: a signal interrupts it.
func hold(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
}
