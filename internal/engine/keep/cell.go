package keep

import (
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// cell holds the reservoirs of one scenario and stage in one second.
type cell struct {
	used  bool
	stage int

	slow, failed, sample    [max(Slowest, Failed, Sampled)]Record
	nSlow, nFailed, nSample int
}

func (c *cell) reset() { c.used, c.nSlow, c.nFailed, c.nSample = false, 0, 0, 0 }

// offer looks whether an arrival is to be kept. Of those that succeeded the slowest are
// kept; the sample is of all.
func (c *cell) offer(lane int, a *work.Arrival, end time.Duration, err error, kind work.Kind, hash uint64) {
	if r := c.sampled(hash); r != nil {
		r.set(lane, a, end, err, kind, hash)
	}
	if err != nil {
		if r := c.lost(kind, hash); r != nil {
			r.set(lane, a, end, err, kind, hash)
		}
		return
	}
	if r := c.slowest(end - a.Due - a.Paused); r != nil {
		r.set(lane, a, end, nil, "", hash)
	}
}

// sampled returns the place for an arrival in the sample, which is those of the lowest
// hashes; nil where there is none. For a hash that depends on nothing else, that is a
// uniform sample without replacement.
func (c *cell) sampled(hash uint64) *Record {
	if c.nSample < Sampled {
		c.nSample++
		return &c.sample[c.nSample-1]
	}
	top := &c.sample[0]
	for i := 1; i < Sampled; i++ {
		if c.sample[i].hash > top.hash {
			top = &c.sample[i]
		}
	}
	if hash >= top.hash {
		return nil
	}
	return top
}

// slowest returns the place for an arrival among the slowest, nil where there is none.
func (c *cell) slowest(response time.Duration) *Record {
	if c.nSlow < Slowest {
		c.nSlow++
		return &c.slow[c.nSlow-1]
	}
	least := &c.slow[0]
	for i := 1; i < Slowest; i++ {
		if c.slow[i].response < least.response {
			least = &c.slow[i]
		}
	}
	if response <= least.response {
		return nil
	}
	return least
}

// lost returns the place for a failed arrival. Each kind has its share: among those of
// a kind the lowest hashes stay, and a kind that is new takes a place of the most
// frequent one.
func (c *cell) lost(kind work.Kind, hash uint64) *Record {
	own, most, top := 0, 0, -1
	for i := range c.nFailed {
		n := 0
		for j := range c.nFailed {
			if c.failed[j].kind == c.failed[i].kind {
				n++
			}
		}
		if c.failed[i].kind == kind {
			own = n
		}
		most = max(most, n)
	}
	if c.nFailed < Failed && own < perKind {
		c.nFailed++
		return &c.failed[c.nFailed-1]
	}
	// Whose is replaced: an own one, or where there is none one of the most frequent.
	for i := range c.nFailed {
		r := &c.failed[i]
		if own > 0 && r.kind != kind {
			continue
		}
		if own == 0 && c.count(r.kind) != most {
			continue
		}
		if top < 0 || r.hash > c.failed[top].hash {
			top = i
		}
	}
	if top < 0 || own > 0 && hash >= c.failed[top].hash || own == 0 && most < 2 {
		return nil
	}
	return &c.failed[top]
}

func (c *cell) count(kind work.Kind) (n int) {
	for i := range c.nFailed {
		if c.failed[i].kind == kind {
			n++
		}
	}
	return n
}

// each gives every record once, with all that it was kept as.
func (c *cell) each(f func(*Record)) {
	for i := range c.nSample {
		c.sample[i].Chosen = true
	}
	for i := range c.nSlow {
		r := &c.slow[i]
		r.Slow = true
		r.Chosen = c.forget(r)
		f(r)
	}
	for i := range c.nFailed {
		r := &c.failed[i]
		r.Lost = true
		r.Chosen = c.forget(r)
		f(r)
	}
	for i := range c.nSample {
		if c.sample[i].Chosen {
			f(&c.sample[i])
		}
	}
}

// forget takes an arrival that is given already out of the sample, and says whether it
// was in it.
func (c *cell) forget(r *Record) bool {
	for i := range c.nSample {
		if s := &c.sample[i]; s.Chosen && s.Arrival.K == r.Arrival.K {
			s.Chosen = false
			return true
		}
	}
	return false
}
