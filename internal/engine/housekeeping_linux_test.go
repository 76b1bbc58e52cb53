package engine

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// policy is how the kernel schedules the thread that does h's work.
func policy(t *testing.T, h *housekeeper) (p uint32) {
	t.Helper()
	h.do(func() {
		a, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		p = a.Policy
	})
	return p
}

// set changes what the holder reads.
func (h *housekeeper) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// What is no arrival's work gives way, unless it found no core for too long.
func TestHousekeepingGivesWayUntilItStarves(t *testing.T) {
	h := hold1(t)
	if got := policy(t, h); got != unix.SCHED_IDLE {
		t.Errorf("the work is scheduled by policy %d, want %d, which gives way", got, unix.SCHED_IDLE)
	}
	h.set(func() { h.patience = 0 })
	h.do(func() {})
	if got := policy(t, h); got != unix.SCHED_NORMAL {
		t.Errorf("after starving the work is scheduled by policy %d, want %d", got, unix.SCHED_NORMAL)
	}
	h.set(func() { h.patience, h.until = starved, time.Time{} })
	if got := policy(t, h); got != unix.SCHED_IDLE {
		t.Errorf("after the respite the work is scheduled by policy %d", got)
	}
}
