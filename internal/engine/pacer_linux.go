package engine

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// newPacer returns the most precise pacer there is, or the runtime's timers
// where they are asked for.
func newPacer(c work.Clock, timer bool) (pacer, error) {
	if timer {
		return newTimerPacer(c), nil
	}
	return newTimerfdPacer(c)
}

// timerfdPacer waits for a timer file descriptor through the runtime's poller.
// The kernel's high-resolution timer ends the poller's wait at the instant
// itself; the runtime's own timers only end it at the next millisecond.
type timerfdPacer struct {
	clock work.Clock
	fd    int
	file  *os.File
	// offset is the kernel's monotonic clock minus the run's clock.
	offset  time.Duration
	stopped atomic.Bool
	buf     [8]byte
}

func newTimerfdPacer(c work.Clock) (*timerfdPacer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("timerfd_create: %w", err)
	}
	p := &timerfdPacer{clock: c, fd: fd, file: os.NewFile(uintptr(fd), "timerfd")}
	var ts unix.Timespec
	before := c.Now()
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		p.close()
		return nil, fmt.Errorf("clock_gettime: %w", err)
	}
	// Taking the reading before makes the offset too large by the time between
	// the two readings, if at all: a wait ends late by that, never early.
	p.offset = time.Duration(ts.Nano()) - before
	return p, nil
}

func (p *timerfdPacer) wait(t time.Duration) bool {
	for !p.stopped.Load() {
		if p.clock.Now() >= t {
			return true
		}
		// A descriptor that fires at the instant's past fires at once.
		at := unix.NsecToTimespec(int64(t + p.offset))
		spec := unix.ItimerSpec{Value: at}
		if err := unix.TimerfdSettime(p.fd, unix.TFD_TIMER_ABSTIME, &spec, nil); err != nil {
			return p.fallback(t)
		}
		if _, err := p.file.Read(p.buf[:]); err != nil && !p.stopped.Load() {
			return p.fallback(t)
		}
	}
	return false
}

// fallback waits without the descriptor, which can only fail if something
// closed it: late is better than not at all.
func (p *timerfdPacer) fallback(t time.Duration) bool {
	for !p.stopped.Load() {
		d := t - p.clock.Now()
		if d <= 0 {
			return true
		}
		time.Sleep(min(d, 10*time.Millisecond))
	}
	return false
}

func (p *timerfdPacer) interrupt() {
	p.stopped.Store(true)
	// A deadline in the past ends a read that is under way.
	_ = p.file.SetReadDeadline(time.Unix(1, 0))
}

func (p *timerfdPacer) close() { _ = p.file.Close() }
