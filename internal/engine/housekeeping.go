package engine

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// housekeeper holds a processor of the runtime (see holdProcessors) and lends it to
// the work of a run that is no arrival's: a second's snapshot, its encoding, the
// readings. An arrival that comes due meanwhile never waits for that work: the
// runtime has another processor for it, and the kernel takes the core from the
// working thread, which gives way to every other.
//
// The thread that holds is not the one that works: a thread that gives way may have to
// wait for a core, and the runtime cannot stop all goroutines without the holder.
type housekeeper struct {
	// changed counts jobs and the order to end; the holding thread sleeps on it.
	changed atomic.Uint32
	mu      sync.Mutex
	jobs    []*job
	over    bool
	work    chan *job
	gone    chan struct{}
	// patience is how long a job may take before it counts as starved, until when the
	// holder stops to do the jobs itself after that. mu guards both.
	patience time.Duration
	until    time.Time
}

// job is work that is handed over, and what became of it.
type job struct {
	do   func()
	done chan struct{}
	// panicked is what do panicked with: it is the caller's to know.
	panicked any
}

func newHousekeeper() *housekeeper {
	return &housekeeper{patience: starved, work: make(chan *job), gone: make(chan struct{})}
}

// do runs f on the held processor and returns when it is over. A panic of f is the
// caller's. Once the housekeeper has ended, f runs where it is called.
func (h *housekeeper) do(f func()) {
	j := &job{do: f, done: make(chan struct{})}
	h.mu.Lock()
	over := h.over
	if !over {
		h.jobs = append(h.jobs, j)
	}
	h.mu.Unlock()
	if over {
		f()
		return
	}
	h.wake()
	<-j.done
	if j.panicked != nil {
		panic(j.panicked)
	}
}

// wake ends the sleep of the holding thread.
func (h *housekeeper) wake() {
	h.changed.Add(1)
	wakeHeld(&h.changed)
}

// end lets the thread go when it has done what it was given.
func (h *housekeeper) end() {
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
	h.wake()
	<-h.gone
}

// take returns what is to be done, and whether nothing follows.
func (h *housekeeper) take() ([]*job, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	jobs := h.jobs
	h.jobs = nil
	return jobs, h.over
}

// run holds the processor and has done what it is given until end is called. tick is
// called after each sleep.
func (h *housekeeper) run(tick func()) {
	defer close(h.gone)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	go h.worker()
	defer close(h.work)
	for {
		seen := h.changed.Load()
		jobs, over := h.take()
		for _, j := range jobs {
			h.lend(j)
		}
		if over {
			return
		}
		if len(jobs) > 0 {
			runtime.Gosched() // whom the jobs woke may stand in this processor's queue
		}
		hold(&h.changed, seen, holdTime)
		runtime.Gosched()
		tick()
	}
}

// A job that took longer than starved found no free core: until respite has passed
// the holder, which does not give way, does the jobs.
const (
	starved = 200 * time.Millisecond
	respite = 10 * time.Second
)

// lend has a job done on the held processor.
func (h *housekeeper) lend(j *job) {
	began := time.Now()
	h.mu.Lock()
	until := h.until
	h.mu.Unlock()
	if began.Before(until) {
		j.run()
		return
	}
	h.work <- j
	<-j.done
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); now.Sub(began) > h.patience {
		h.until = now.Add(respite)
	}
}

// worker does what is lent to it. It stays locked to its thread, whose priority cannot
// be raised again: the thread ends with it.
func (h *housekeeper) worker() {
	runtime.LockOSThread()
	giveWay()
	for j := range h.work {
		j.run()
	}
}

func (j *job) run() {
	defer close(j.done)
	defer func() { j.panicked = recover() }()
	j.do()
}

// holdTime is how long the processor is held at a time where there is nothing to
// do: its wake-ups cost CPU.
const holdTime = 20 * time.Millisecond

// Housekeep runs f, which is no arrival's work, and returns when it is over. While
// Run lasts and a processor is held, f runs there, so that no arrival waits for
// it; calls are done one at a time, so f must not wait for a server. Else it runs
// where it is called.
func (e *Engine) Housekeep(f func()) {
	if h := e.keeper.Load(); h != nil {
		h.do(f)
		return
	}
	f()
}
