package proxy

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// pipe is one direction of a connection. Without effects its one goroutine reads and
// writes; what effects hold back goes through a queue, with a goroutine of its own that
// writes for as long as there is something in it.
type pipe struct {
	link     *link
	from, to net.Conn
	of       func(*effects) *way
	random   *rand.Rand
	// passed is how many bytes were written since the effects changed.
	passed atomic.Int64

	mu      sync.Mutex
	space   sync.Cond
	queue   []chunk
	size    int
	writing bool
	writer  sync.WaitGroup
	last    time.Time // when the last chunk is due
	next    time.Time // when the rate lets the next byte go
	failed  bool
}

// chunk is what was read at once, and when it may go on.
type chunk struct {
	data []byte
	due  time.Time
}

const (
	// bufferSize is what is read at once, mostHeld what a direction holds before it
	// reads no more: then the sender feels that nobody reads.
	bufferSize = 32 << 10
	mostHeld   = 1 << 20
	// stepTime is how much of a rate is written at once.
	stepTime = 20 * time.Millisecond
)

func newPipe(l *link, from, to net.Conn, seed uint64, of func(*effects) *way) *pipe {
	p := &pipe{link: l, from: from, to: to, of: of, random: random(seed)}
	p.space.L = &p.mu
	return p
}

// run passes bytes until there are no more.
func (p *pipe) run() {
	buf := make([]byte, bufferSize)
	for {
		n, err := p.from.Read(buf)
		if n > 0 && !p.pass(buf[:n]) {
			break
		}
		if err != nil {
			p.finish(err)
			return
		}
	}
	p.link.close()
}

// finish ends the direction as its sender did, after all that it sent.
func (p *pipe) finish(err error) {
	p.writer.Wait()
	switch {
	case p.link.halfOpen.Load():
		// The client is not told; what it sends is read until it gives up.
		if p.from == p.link.server {
			return
		}
		p.link.close()
	case errors.Is(err, syscall.ECONNRESET):
		p.link.reset()
	case errors.Is(err, io.EOF):
		if half, ok := p.to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // where the other side is gone, its own direction ends too
			return
		}
		p.link.close()
	default:
		p.link.close()
	}
}

// pass sends bytes on, at once or by way of the queue. It returns false once the
// connection is over.
func (p *pipe) pass(b []byte) bool {
	if p.link.halfOpen.Load() {
		return true // nobody is there to take them
	}
	e := p.link.effects.Load()
	p.mu.Lock()
	if p.failed {
		p.mu.Unlock()
		return false
	}
	if e == nil && !p.writing {
		p.mu.Unlock()
		_, err := p.to.Write(b)
		return err == nil || p.link.halfOpen.Load()
	}
	if e != nil && e.reset {
		p.mu.Unlock()
		p.link.reset()
		return false
	}
	for p.size >= mostHeld && !p.failed {
		p.space.Wait()
	}
	p.queue = append(p.queue, chunk{append([]byte(nil), b...), p.due(e)})
	p.size += len(b)
	if !p.writing {
		p.writing = true
		p.writer.Go(p.write)
	}
	p.mu.Unlock()
	return true
}

// due returns when bytes that come now may go on. p.mu is held.
func (p *pipe) due(e *effects) time.Time {
	now := time.Now()
	if e == nil {
		return now
	}
	w := p.of(e)
	at := now.Add(w.delay)
	if w.jitter > 0 {
		at = at.Add(time.Duration((2*p.random.Float64() - 1) * float64(w.jitter)))
	}
	if at.Before(p.last) { // bytes keep their order
		at = p.last
	}
	p.last = at
	return at
}

// write writes what is in the queue, until it is empty.
func (p *pipe) write() {
	for {
		p.mu.Lock()
		if len(p.queue) == 0 || p.failed {
			p.writing, p.queue, p.size = false, nil, 0
			p.space.Broadcast()
			p.mu.Unlock()
			return
		}
		c := p.queue[0]
		p.mu.Unlock()
		ok := p.deliver(&c)
		p.mu.Lock()
		p.queue = p.queue[1:]
		p.size -= len(c.data)
		p.failed = p.failed || !ok
		p.space.Broadcast()
		p.mu.Unlock()
	}
}

// deliver writes a chunk as the effects allow, and returns false once the connection is
// over.
func (p *pipe) deliver(c *chunk) bool {
	rest := c.data
	for len(rest) > 0 {
		e, changed := p.link.watch()
		n, wait := p.allowed(e, c.due, len(rest))
		switch {
		case n == 0 && wait < 0: // held until something changes
			select {
			case <-changed:
			case <-p.link.over:
				return false
			}
		case n == 0:
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-changed:
			case <-p.link.over:
				timer.Stop()
				return false
			}
			timer.Stop()
		default:
			if _, err := p.to.Write(rest[:n]); err != nil {
				if p.link.halfOpen.Load() {
					return true // it goes nowhere, and nobody is told
				}
				p.link.close()
				return false
			}
			rest = rest[n:]
			if total := p.passed.Add(int64(n)); e != nil && e.cut > 0 && p.from == p.link.server && total >= e.cut {
				p.link.close()
				return false
			}
		}
	}
	return true
}

// allowed returns how many of so many bytes may go now, or how long to wait; below 0
// for until the effects change.
func (p *pipe) allowed(e *effects, due time.Time, left int) (n int, wait time.Duration) {
	if e == nil {
		return left, 0
	}
	w := p.of(e)
	if w.hold {
		return 0, -1
	}
	now := time.Now()
	if w.delay > 0 && due.After(now) {
		return 0, due.Sub(now)
	}
	if rate := w.rateAt(now); rate > 0 {
		if p.next.After(now) {
			return 0, p.next.Sub(now)
		}
		left = min(left, max(int(rate*stepTime.Seconds()), 1))
		if p.next.Before(now) {
			p.next = now
		}
		p.next = p.next.Add(time.Duration(float64(left) / rate * 1e9))
	}
	if e.cut > 0 && p.from == p.link.server {
		left = int(min(int64(left), max(e.cut-p.passed.Load(), 1)))
	}
	return left, 0
}
