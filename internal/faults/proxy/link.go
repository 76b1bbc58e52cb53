package proxy

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/faults"
)

// link is one connection: the client's side, the server's, and what goes between.
type link struct {
	client, server net.Conn
	number         uint64
	opened         time.Time
	up, down       *pipe
	// halfOpen says that the server's side was taken away without a word.
	halfOpen atomic.Bool
	effects  atomic.Pointer[effects]
	// changed is closed, and replaced, whenever the effects change.
	mu      sync.Mutex
	changed chan struct{}
	over    chan struct{}
	once    sync.Once
}

func newLink(client, server net.Conn, number, seed uint64) *link {
	l := &link{client: client, server: server, number: number, opened: time.Now(), changed: make(chan struct{}), over: make(chan struct{})}
	l.up = newPipe(l, client, server, seed, func(e *effects) *way { return &e.up })
	l.down = newPipe(l, server, client, seed+1, func(e *effects) *way { return &e.down })
	return l
}

// run passes bytes until both directions are over.
func (l *link) run() {
	var wg sync.WaitGroup
	wg.Go(l.up.run)
	wg.Go(l.down.run)
	wg.Wait()
	l.close()
}

// set replaces the effects.
func (l *link) set(e *effects) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.effects.Store(e)
	l.down.passed.Store(0)
	close(l.changed)
	l.changed = make(chan struct{})
}

// watch returns the effects and what is closed when they change.
func (l *link) watch() (*effects, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.effects.Load(), l.changed
}

// begin does what a fault does once, as it begins.
func (l *link) begin(f *active) {
	switch f.Kind {
	case faults.Refuse:
		l.close()
	case faults.Reset:
		l.reset()
	case faults.HalfOpen:
		l.halfOpen.Store(true)
		reset(l.server)
	}
}

// end undoes what is undone only once: to a client that still believes in its
// connection, a server that is back answers with a reset.
func (l *link) end(f *active) {
	if f.Kind == faults.HalfOpen && l.halfOpen.Load() {
		l.reset()
	}
}

// close closes both sides.
func (l *link) close() {
	l.once.Do(func() { close(l.over) })
	_, _ = l.client.Close(), l.server.Close()
}

// reset resets both sides.
func (l *link) reset() {
	l.once.Do(func() { close(l.over) })
	reset(l.client)
	reset(l.server)
}

// reset closes a connection with a reset in place of a farewell.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // where it is closed already, it is over all the same
	}
	_ = c.Close()
}

// random is what jitter is drawn from.
func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5eed)) } //nolint:gosec // jitter, no secret
