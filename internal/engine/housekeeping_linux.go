package engine

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canHold says whether hold does what it is for.
const canHold = true

// hold sleeps without telling the runtime, so that its processor looks busy, while
// word is still seen and at most for d. It may end early: a signal interrupts it.
func hold(word *atomic.Uint32, seen uint32, d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, uintptr(seen), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// wakeHeld ends the sleep of who holds on the word.
func wakeHeld(word *atomic.Uint32) {
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, 1, 0, 0, 0)
}

// FUTEX_WAIT and FUTEX_WAKE with FUTEX_PRIVATE_FLAG; see futex(2).
const (
	futexWait = 0 | 128
	futexWake = 1 | 128
)

// giveWay makes the calling thread one that the kernel takes the core from as soon as
// any other wants it. There is no way back without a privilege.
func giveWay() {
	idle := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}
	if unix.SchedSetAttr(0, &idle, 0) != nil { // a sandbox may forbid it
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lowestPriority)
	}
}

const lowestPriority = 19

// processorTime returns the CPU time that this process has used.
func processorTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // fails only for a wrong argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
