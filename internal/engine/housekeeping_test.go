package engine

import (
	"runtime"
	"sync"
	"testing"
)

// hold1 holds a processor for a test.
func hold1(t *testing.T) *housekeeper {
	t.Helper()
	before := runtime.GOMAXPROCS(0)
	h, undo := holdProcessors(1)
	if h == nil {
		t.Log("this platform holds no processor")
		h = newHousekeeper()
		h.over = true
	}
	t.Cleanup(func() {
		undo()
		if now := runtime.GOMAXPROCS(0); now != before {
			t.Errorf("%d processors afterwards, %d before", now, before)
		}
	})
	return h
}

func TestHousekeepingIsDoneBeforeItsCallReturns(t *testing.T) {
	h := hold1(t)
	var mu sync.Mutex
	done := 0
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			mine := false
			h.do(func() { mu.Lock(); done++; mu.Unlock(); mine = true })
			if !mine {
				t.Error("the call returned before its work was done")
			}
		})
	}
	callers.Wait()
	if done != 50 {
		t.Errorf("%d of 50 jobs were done", done)
	}
}

func TestAPanicOfHousekeepingIsItsCallers(t *testing.T) {
	h := hold1(t)
	defer func() {
		if got := recover(); got != "the second cannot be written" {
			t.Errorf("the caller saw %v", got)
		}
		h.do(func() {}) // others go on
	}()
	h.do(func() { panic("the second cannot be written") })
	t.Error("the panic was lost")
}

func TestHousekeepingGoesOnAfterARun(t *testing.T) {
	h, undo := holdProcessors(1)
	if h == nil {
		h = newHousekeeper()
		h.over = true
	}
	undo()
	done := false
	h.do(func() { done = true })
	if !done {
		t.Error("what is asked for after the end is not done")
	}
}

func TestHousekeepingBeforeARunIsDoneAtOnce(t *testing.T) {
	var e Engine
	done := false
	e.Housekeep(func() { done = true })
	if !done {
		t.Error("what is asked for before the start is not done")
	}
}
