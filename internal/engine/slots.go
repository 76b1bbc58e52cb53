package engine

import "sync/atomic"

// slots hands out the numbers of free workers. It is a stack without a lock
// (Treiber, "Systems programming: coping with parallelism", 1986): the worker
// that was freed last is taken first, which keeps its memory and its
// connection warm and the numbers in use low.
type slots struct {
	// head holds the top of the stack plus one in its lower half, and in its
	// upper half a count of changes, without which a number that was taken and
	// put back in between would go unnoticed.
	head atomic.Uint64
	// next holds, for each number, the one below it plus one.
	next []atomic.Uint32
}

// newSlots returns n numbers from first on, the lowest to be taken first.
func newSlots(first, n int) *slots {
	s := &slots{next: make([]atomic.Uint32, first+n)}
	for i := n - 1; i >= 0; i-- {
		s.put(first + i)
	}
	return s
}

// take returns a free number; ok is false where there is none.
func (s *slots) take() (id int, ok bool) {
	for {
		head := s.head.Load()
		top := uint32(head)
		if top == 0 {
			return 0, false
		}
		below := s.next[top-1].Load()
		if s.head.CompareAndSwap(head, (head>>32+1)<<32|uint64(below)) {
			return int(top - 1), true
		}
	}
}

// put makes a number free.
func (s *slots) put(id int) {
	for {
		head := s.head.Load()
		s.next[id].Store(uint32(head))
		if s.head.CompareAndSwap(head, (head>>32+1)<<32|uint64(id+1)) {
			return
		}
	}
}
