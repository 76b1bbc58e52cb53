package engine

import (
	"math"
	"runtime"
	"time"
)

// arrivalCost is the CPU time that an arrival is reckoned to need, drivers
// included: about what the dearest built-in scenario takes. It is where holding
// starts; dearer arrivals are noticed.
const arrivalCost = 80 * time.Microsecond

// Processors returns how many processors a rate of arrivals per second needs.
func Processors(rate float64) int {
	return min(max(int(math.Ceil(rate*arrivalCost.Seconds())), 1), runtime.NumCPU())
}

// holdProcessors lets the runtime work with n processors, and with one more that is
// kept from looking idle and does the run's housekeeping. It adds processors where
// those are too busy. It returns the housekeeper, nil where nothing is held, and a
// function that undoes it.
//
// An arrival is short, and between two of them nothing happens. Each time the
// last busy processor of the runtime goes idle, its monitor thread is put to
// sleep; the next wake-up starts it again, and it then polls every 20 µs. And
// whenever a processor gets work while another one is idle, the runtime wakes a
// second thread to look for more, which finds none. On two cores this more than
// doubles the CPU of a Redis read at 2000/s. A processor that is held in a
// system call that the runtime does not see is neither idle nor in the way: the
// system call sleeps. The signal by which the runtime stops all goroutines ends the
// sleep, so that garbage collection does not wait for it.
func holdProcessors(n int) (h *housekeeper, undo func()) {
	if n <= 0 || !canHold {
		return nil, func() {}
	}
	before := runtime.GOMAXPROCS(n + 1)
	h = newHousekeeper()
	b := busy{used: processorTime(), at: time.Now()}
	go h.run(func() {
		if n < runtime.NumCPU() && b.tooBusy(processorTime(), time.Now(), n) {
			n++
			runtime.GOMAXPROCS(n + 1)
		}
	})
	return h, func() {
		h.end()
		runtime.GOMAXPROCS(before)
	}
}

// Processors that work more than busyShare of busyWindow are too few: an arrival
// that comes due while all are at work waits for one.
const (
	busyShare  = 0.5
	busyWindow = 100 * time.Millisecond
)

// busy watches how much the process's processors work.
type busy struct {
	used time.Duration // processor time at the start of the window
	at   time.Time
}

// tooBusy is told the processor time used so far, and says whether n processors
// were too few over the last window. Within a window it says no.
func (b *busy) tooBusy(used time.Duration, now time.Time, n int) bool {
	window := now.Sub(b.at)
	if window < busyWindow {
		return false
	}
	work := used - b.used
	b.used, b.at = used, now
	return float64(work) > busyShare*float64(n)*float64(window)
}
