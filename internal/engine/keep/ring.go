package keep

import (
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// ring holds failed arrivals until they are taken. One that finds no room is counted.
type ring struct {
	mu        sync.Mutex
	now, then []Record
	left      int64
}

func newRing(n int) *ring { return &ring{now: make([]Record, 0, n), then: make([]Record, 0, n)} }

func (r *ring) push(lane int, a *work.Arrival, end time.Duration, err error, kind work.Kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.now)
	if n == cap(r.now) {
		r.left++
		return
	}
	r.now = r.now[:n+1]
	r.now[n].set(lane, a, end, err, kind, 0)
}

// take gives what there is and returns how many found no room.
func (r *ring) take(f func(*Record)) (left int64) {
	r.mu.Lock()
	r.now, r.then = r.then[:0], r.now
	left, r.left = r.left, 0
	r.mu.Unlock()
	for i := range r.then {
		f(&r.then[i])
	}
	return left
}
