package engine

import (
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// pacer waits for instants on the run's clock. One goroutine waits at a time.
type pacer interface {
	// wait returns true once the clock reads t or later, and false when
	// interrupt was called.
	wait(t time.Duration) bool
	// interrupt ends the present wait and every later one. It may be called
	// from any goroutine.
	interrupt()
	// close gives the pacer's resources back.
	close()
}

// timerPacer waits with the runtime's timers. They are portable and cheap, and
// late by up to a millisecond where the poller rounds its time-out up.
type timerPacer struct {
	clock work.Clock
	timer *time.Timer
	once  sync.Once
	stop  chan struct{}
}

func newTimerPacer(c work.Clock) *timerPacer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &timerPacer{clock: c, timer: t, stop: make(chan struct{})}
}

func (p *timerPacer) wait(t time.Duration) bool {
	for {
		d := t - p.clock.Now()
		if d <= 0 {
			return true
		}
		p.timer.Reset(d)
		select {
		case <-p.timer.C:
		case <-p.stop:
			return false
		}
	}
}

func (p *timerPacer) interrupt() { p.once.Do(func() { close(p.stop) }) }

func (p *timerPacer) close() { p.timer.Stop() }
