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

// processorTime returns the CPU time that this process has used.
func processorTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // fails only for a wrong argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
