package engine

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
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
	file  *os.File
	raw   syscall.RawConn
	// offset is the kernel's monotonic clock minus the run's clock.
	offset  time.Duration
	stopped atomic.Bool
	// spec is when the descriptor is to fire, armed that it was told so and failed
	// why it could not be: they are fired's.
	spec   unix.ItimerSpec
	armed  bool
	failed error
	fired  func(fd uintptr) bool
}

func newTimerfdPacer(c work.Clock) (*timerfdPacer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("timerfd_create: %w", err)
	}
	p := &timerfdPacer{clock: c, file: os.NewFile(uintptr(fd), "timerfd")}
	p.fired = p.armOnce
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.close()
		return nil, fmt.Errorf("wait for a timerfd: %w", err)
	}
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
		p.spec.Value, p.armed, p.failed = unix.NsecToTimespec(int64(t+p.offset)), false, nil
		if err := p.raw.Read(p.fired); p.failed != nil || err != nil && !p.stopped.Load() {
			return p.fallback(t)
		}
	}
	return false
}

// armOnce sets the timer when the poller is ready to be told that it fired, and says
// so when it did. The expiry itself is never read: setting the timer again
// forgets it, and that the time has come the clock tells. A read costs as much as setting.
func (p *timerfdPacer) armOnce(fd uintptr) bool {
	if p.armed {
		return true
	}
	p.armed = true
	// A descriptor that fires at the instant's past fires at once.
	p.failed = unix.TimerfdSettime(int(fd), unix.TFD_TIMER_ABSTIME, &p.spec, nil)
	return p.failed != nil
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
