// Package proxy stands between a client and its servers, and does to their connections
// what faults say. It is a TCP proxy of its own: every server that is dialled gets a
// listener on this machine's loopback address, bytes are passed on as they come, TLS
// among them, and what a fault holds back is never lost in the middle of a stream. It
// knows no target, no run and no clock but the kernel's: who begins and ends faults is
// above it.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/perfctl/perfctl/internal/faults"
)

// Set is every proxy of a run, and the faults that they do.
type Set struct {
	seed uint64
	// life ends with the set.
	life context.Context
	end  context.CancelFunc

	mu      sync.Mutex
	faults  []*active
	proxies map[place]*proxy
	closed  bool
	conns   sync.WaitGroup
	opened  map[string]*atomic.Int64 // by target
}

// active is a fault that a set can do.
type active struct {
	faults.Fault
	number int
	on     bool
	since  time.Time
	// touched is how many connections it was done to.
	touched atomic.Int64
}

// place is where a proxy leads.
type place struct{ target, network, address, asked string }

// New returns a set that can do these faults to the connections of their targets. Which
// connections a share of them means is a function of the seed and of the order in which
// they are opened.
func New(list []faults.Fault, seed uint64) *Set {
	s := &Set{seed: seed, proxies: map[place]*proxy{}, opened: map[string]*atomic.Int64{}}
	s.life, s.end = context.WithCancel(context.Background())
	for i, f := range list {
		s.faults = append(s.faults, &active{Fault: f, number: i})
		if s.opened[f.Target] == nil {
			s.opened[f.Target] = &atomic.Int64{}
		}
	}
	return s
}

// Covers says whether there is a fault on the target: then its connections go through
// a proxy, and else they do not.
func (s *Set) Covers(target string) bool {
	return slices.ContainsFunc(s.faults, func(f *active) bool { return f.Target == target && !f.Kind.OnServer() })
}

// Opened returns how many connections to the target were opened through the set.
func (s *Set) Opened(target string) int64 {
	if n := s.opened[target]; n != nil {
		return n.Load()
	}
	return 0
}

// Dial opens a connection to a server by way of the set. The server's own side is opened
// by dial, which would else open the whole: who guards it is asked about the server
// itself, and errors are the server's. asked is the name of the address where it was found by one.
func (s *Set) Dial(ctx context.Context, dial func(ctx context.Context, network, address string) (net.Conn, error), target, network, address, asked string) (net.Conn, error) {
	p, err := s.front(place{target, network, address, asked})
	if err != nil {
		return nil, err
	}
	if s.refuses(p) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: where(p.to), Err: syscall.ECONNREFUSED}
	}
	server, err := dial(ctx, p.to.network, p.to.address)
	if err != nil {
		return nil, err
	}
	var plain net.Dialer
	client, err := plain.DialContext(ctx, "tcp", p.listener.Addr().String())
	if err != nil {
		_ = server.Close() // the error that matters is the one above
		return nil, err
	}
	p.meet(client.LocalAddr().String()) <- server
	return client, nil
}

// errClosed is what a dial meets once the set is closed.
var errClosed = errors.New("the proxy of the faults is closed")

// where is the address of a place.
type where place

// Network returns the place's network.
func (w where) Network() string { return w.network }

// String returns the place's address.
func (w where) String() string { return w.address }

// front returns the proxy in front of a place. It starts what listens there.
func (s *Set) front(at place) (*proxy, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	for _, p := range s.proxies {
		// A driver cancels what goes on by dialling where it is connected to.
		if at.network != "unix" && p.listener.Addr().String() == at.address {
			return p, nil
		}
	}
	p := s.proxies[at]
	if p == nil {
		var err error
		if p, err = s.listen(at); err != nil {
			return nil, err
		}
		s.proxies[at] = p
	}
	return p, nil
}

// refuses says whether the connection that is dialled now is to find nobody.
func (s *Set) refuses(p *proxy) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.dialled++
	for _, f := range s.faults {
		if f.on && f.Kind == faults.Refuse && p.mine[f.number] && s.hits(f, p.dialled) {
			f.touched.Add(1)
			return true
		}
	}
	return false
}

// hits says whether connection n is in the share of a fault.
func (s *Set) hits(f *active, n uint64) bool {
	return f.Share >= 1 || float64(mix(s.seed, uint64(f.number)<<48^n)>>11)/(1<<53) < f.Share
}

// mix makes a random number of two (SplitMix64's finaliser).
func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 + b + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Begin lets fault i begin.
func (s *Set) Begin(i int) { s.set(i, true) }

// End ends fault i.
func (s *Set) End(i int) { s.set(i, false) }

func (s *Set) set(i int, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults[i]
	if f.on == on || s.closed {
		return
	}
	f.on, f.since = on, time.Now()
	for _, p := range s.proxies {
		if !p.mine[f.number] {
			continue
		}
		for _, l := range p.all() {
			if on && s.hits(f, l.number) {
				f.touched.Add(1)
				l.begin(f)
			} else if !on && s.hits(f, l.number) {
				l.end(f)
			}
		}
		s.renew(p)
	}
}

// renew works out anew what is done to the connections of a proxy. s.mu is held.
func (s *Set) renew(p *proxy) {
	for _, l := range p.all() {
		l.set(s.effects(p, l))
	}
}

// effects are what is done to a connection by all faults together. s.mu is held.
func (s *Set) effects(p *proxy, l *link) *effects {
	var list []*active
	for _, f := range s.faults {
		if f.on && p.mine[f.number] && s.hits(f, l.number) {
			list = append(list, f)
		}
	}
	return combine(list, l.opened)
}

// Close ends all: what listens, and every connection.
func (s *Set) Close() {
	s.end()
	s.mu.Lock()
	s.closed = true
	for _, p := range s.proxies {
		_ = p.listener.Close()
		for _, l := range p.all() {
			l.close()
		}
	}
	s.mu.Unlock()
	s.conns.Wait()
}

// proxy is what listens in front of one server.
type proxy struct {
	set      *Set
	to       place
	mine     []bool // which faults are on it
	listener net.Listener
	dialled  uint64 // under the set's lock

	mu    sync.Mutex
	links map[*link]bool
	count uint64
	// meeting is where the server's side of a connection is left for the client's, by
	// the client's address.
	meeting map[string]chan net.Conn
}

// listen starts what listens for connections to a place. s.mu is held.
func (s *Set) listen(at place) (*proxy, error) {
	var c net.ListenConfig
	l, err := c.Listen(s.life, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen in front of %s: %w", at.address, err)
	}
	p := &proxy{set: s, to: at, listener: l, links: map[*link]bool{}, meeting: map[string]chan net.Conn{}}
	for _, f := range s.faults {
		p.mine = append(p.mine, at.in(s.life, f))
	}
	s.conns.Go(p.accept)
	return p, nil
}

// in says whether a fault is on the server at a place.
func (at place) in(ctx context.Context, f *active) bool {
	if f.Target != at.target {
		return false
	}
	if f.Endpoint == "" || f.Endpoint == at.address || f.Endpoint == at.asked {
		return true
	}
	host, port, err := net.SplitHostPort(f.Endpoint)
	if err != nil {
		return false
	}
	is, isPort, err := net.SplitHostPort(at.address)
	return err == nil && port == isPort && (strings.EqualFold(host, is) || slices.Contains(addresses(ctx, host), is))
}

// addresses returns the addresses of a host; none of a name that is not known.
func addresses(ctx context.Context, host string) []string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil
	}
	return found
}

// all returns the connections that are open.
func (p *proxy) all() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]*link, 0, len(p.links))
	for l := range p.links {
		out = append(out, l)
	}
	return out
}

// meet returns where the two sides of a connection meet.
func (p *proxy) meet(client string) chan net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.meeting[client]
	if c == nil {
		c = make(chan net.Conn, 1)
		p.meeting[client] = c
	}
	return c
}

// meetTimeout bounds how long a client waits for its server's side. One that has none
// was not dialled by this process, and is nobody's to serve.
const meetTimeout = 2 * time.Second

// accept takes connections until the listener is closed.
func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(5 * time.Millisecond) // no descriptor is free: one may be soon
			continue
		}
		p.set.conns.Go(func() { p.serve(c) })
	}
}

// serve passes the bytes of a connection until it is over.
func (p *proxy) serve(client net.Conn) {
	at := client.RemoteAddr().String()
	var server net.Conn
	timer := time.NewTimer(meetTimeout)
	defer timer.Stop()
	select {
	case server = <-p.meet(at):
	case <-timer.C:
	case <-p.set.life.Done():
	}
	p.mu.Lock()
	delete(p.meeting, at)
	p.mu.Unlock()
	if server == nil {
		_ = client.Close() // it has nobody to talk to
		return
	}
	p.set.opened[p.to.target].Add(1)
	l := p.add(client, server)
	if l == nil {
		_, _ = client.Close(), server.Close()
		return
	}
	l.run()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// add registers a connection, with what is done to new ones; nil once the set is closed.
func (p *proxy) add(client, server net.Conn) *link {
	p.set.mu.Lock()
	defer p.set.mu.Unlock()
	if p.set.closed {
		return nil
	}
	p.mu.Lock()
	p.count++
	l := newLink(client, server, p.count, mix(p.set.seed, p.count))
	p.links[l] = true
	p.mu.Unlock()
	for _, f := range p.set.faults {
		if f.on && p.mine[f.number] && p.set.hits(f, l.number) && f.Kind != faults.Refuse && f.Kind != faults.HalfOpen {
			f.touched.Add(1)
		}
	}
	l.set(p.set.effects(p, l))
	return l
}
