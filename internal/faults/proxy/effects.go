package proxy

import (
	"math"
	"time"

	"github.com/perfctl/perfctl/internal/faults"
)

// effects are what is done to the bytes of one connection. They do not change: others
// take their place. nil is nothing.
type effects struct {
	up, down way
	// reset says that the connection is reset at its next byte.
	reset bool
	// cut is after how many bytes of answers, from cutFrom on, it is closed; 0 for
	// never.
	cut int64
}

// way is what is done in one direction.
type way struct {
	delay, jitter time.Duration
	// rate is in bytes a second, 0 for no bound. growing says that it doubles each
	// second from since on.
	rate    float64
	growing float64
	since   time.Time
	hold    bool
}

// combine adds up what faults do to a connection that was opened then.
func combine(list []*active, opened time.Time) *effects {
	if len(list) == 0 {
		return nil
	}
	e := &effects{}
	for _, f := range list {
		switch f.Kind {
		case faults.Reset:
			e.reset = true
		case faults.Cut:
			if e.cut == 0 || f.Bytes < e.cut {
				e.cut = f.Bytes
			}
		case faults.BlackHole:
			e.up.hold, e.down.hold = true, true
		case faults.Delay, faults.Bandwidth, faults.SlowStart, faults.Partition:
			if f.Toward != faults.Down {
				e.up.add(f, opened)
			}
			if f.Toward != faults.Up {
				e.down.add(f, opened)
			}
		case faults.Refuse, faults.HalfOpen: // done as they begin
		case faults.Pause, faults.Kill, faults.Stop: // done to the server itself
		}
	}
	if *e == (effects{}) {
		return nil
	}
	return e
}

func (w *way) add(f *active, opened time.Time) {
	switch f.Kind {
	case faults.Delay:
		w.delay += f.Delay
		w.jitter += f.Jitter
	case faults.Bandwidth:
		if w.rate == 0 || f.Rate < w.rate {
			w.rate = f.Rate
		}
	case faults.SlowStart:
		w.growing, w.since = f.Rate, f.since
		if opened.After(f.since) {
			w.since = opened
		}
	case faults.Partition:
		w.hold = true
	}
}

// rateAt returns the bytes a second that may go at an instant, 0 for no bound.
func (w *way) rateAt(now time.Time) float64 {
	r := w.rate
	if w.growing > 0 {
		if g := w.growing * math.Exp2(math.Floor(max(now.Sub(w.since).Seconds(), 0))); r == 0 || g < r {
			r = g
		}
	}
	return r
}
