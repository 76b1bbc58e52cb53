package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/targets"
)

// lookAgainAfter is how long the addresses of a name are used.
const lookAgainAfter = 30 * time.Second

// dialer opens connections. Of a name with several addresses it uses each in turn, as
// a crowd of clients would: one client's connections would all go to the first.
type dialer struct {
	// socket, where it is set, is the Unix socket that all connections go to.
	socket string
	// guard, where it is not nil, is asked about the host and the address of each
	// connection.
	guard  func(host string, ip netip.Addr) error
	lookup func(ctx context.Context, host string) ([]string, error)
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	// route is by which way connections are opened.
	route targets.Route

	mu    sync.Mutex
	names map[string]*name
}

// name is a host's name with its addresses.
type name struct {
	addrs []string
	at    time.Time
	next  int
}

func newDialer(socket string) *dialer {
	var d net.Dialer
	return &dialer{socket: socket, lookup: net.DefaultResolver.LookupHost, dial: d.DialContext, names: map[string]*name{}}
}

// DialContext opens a connection within dialTimeout.
func (d *dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return d.open(ctx, network, addr, nil)
}

// open opens a connection within dialTimeout; instead, where it is not nil, says which
// address to dial in place of another. The guard is told the host that was asked for.
func (d *dialer) open(ctx context.Context, network, addr string, instead func(string) string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if d.socket != "" {
		return d.route.Dial(ctx, d.dial, "unix", d.socket, d.socket)
	}
	asked := ""
	if instead != nil {
		asked, _, _ = net.SplitHostPort(addr) // a fault in it is found below
		addr = instead(addr)
	}
	return d.to(ctx, network, addr, asked)
}

// to opens a connection to an address, which stands for the host asked where that is
// not empty.
func (d *dialer) to(ctx context.Context, network, addr, asked string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if asked == "" {
		asked = host
	}
	addrs := []string{host}
	if _, err := netip.ParseAddr(host); err != nil {
		if addrs, err = d.turn(ctx, host); err != nil {
			return nil, err
		}
	}
	var errs []error
	for _, a := range addrs {
		c, err := d.one(ctx, network, a, port, asked)
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errs[0]
}

// one opens a connection to one address, if that may be.
func (d *dialer) one(ctx context.Context, network, ip, port, asked string) (net.Conn, error) {
	if d.guard != nil {
		at, err := netip.ParseAddr(ip)
		if err != nil {
			return nil, err
		}
		if err := d.guard(asked, at); err != nil {
			return nil, err
		}
	}
	return d.route.Dial(ctx, d.dial, network, net.JoinHostPort(ip, port), net.JoinHostPort(asked, port))
}

// turn returns the addresses of a name, that whose turn it is first. Addresses of the
// family that the system does not prefer come last, and are not taken in turn: the
// two families of localhost may be two programs.
func (d *dialer) turn(ctx context.Context, host string) ([]string, error) {
	d.mu.Lock()
	n := d.names[host]
	old := n == nil || time.Since(n.at) > lookAgainAfter
	d.mu.Unlock()
	if old {
		addrs, err := d.ask(ctx, host)
		if err == nil && len(addrs) == 0 {
			err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
		}
		if err != nil && n == nil {
			return nil, err
		}
		d.mu.Lock()
		next := 0
		if n != nil {
			next = n.next
			if err != nil { // those known before are better than none
				addrs = n.addrs
			}
		}
		n = &name{addrs: addrs, at: time.Now(), next: next}
		d.names[host] = n
		d.mu.Unlock()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	four := isFour(n.addrs[0])
	var first, last []string
	for _, a := range n.addrs {
		if isFour(a) == four {
			first = append(first, a)
		} else {
			last = append(last, a)
		}
	}
	at := n.next % len(first)
	n.next++
	return slices.Concat(first[at:], first[:at], last), nil
}

// ask looks a name up, and tells the trace of the request when.
func (d *dialer) ask(ctx context.Context, host string) ([]string, error) {
	trace := httptrace.ContextClientTrace(ctx)
	if trace != nil && trace.DNSStart != nil {
		trace.DNSStart(httptrace.DNSStartInfo{Host: host})
	}
	addrs, err := d.lookup(ctx, host)
	if trace != nil && trace.DNSDone != nil {
		trace.DNSDone(httptrace.DNSDoneInfo{Err: err})
	}
	return addrs, err
}

func isFour(addr string) bool {
	ip := net.ParseIP(addr)
	return ip != nil && ip.To4() != nil
}

// errNoProxy says that a proxy did not open a way to the server.
var errNoProxy = errors.New("the proxy does not connect")
