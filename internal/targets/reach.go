package targets

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// Reaches returns a *RefusedError where a host's name leads to an address that is
// neither this machine's nor allowed, by the name or by the address itself. It is
// asked with each connection: a name may lead elsewhere by then than it did when the
// run was checked (DNS rebinding).
func (g Guard) Reaches(host string, ip netip.Addr) error {
	ip = ip.Unmap()
	if ip.IsLoopback() || g.allows(host) || g.allows(ip.String()) {
		return nil
	}
	at := host
	if host != ip.String() {
		at = fmt.Sprintf("%s, which leads to %s", host, ip)
	}
	return &RefusedError{"connect to", at, "it is not this machine", fmt.Sprintf("if it is yours to reach, say so with --allow-target %s", host)}
}

// Dial opens a TCP connection to HOST:PORT, or to a Unix socket by its path, and judges
// the address that the name leads to. The error may hold a *RefusedError.
func (a Address) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return a.Route.Dial(ctx, Dialer(a.Reach).DialContext, network, address, address)
}

// keepAlive is how often an idle connection is looked after.
const keepAlive = 15 * time.Second

// GuardedDialer opens connections to what reach allows.
type GuardedDialer struct {
	reach func(host string, ip netip.Addr) error
}

// Dialer returns a dialer that asks reach with each connection; nil lets only this
// machine be reached.
func Dialer(reach func(host string, ip netip.Addr) error) GuardedDialer {
	if reach == nil {
		reach = Guard{}.Reaches
	}
	return GuardedDialer{reach}
}

// DialContext opens a connection.
func (d GuardedDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: keepAlive}
	if host, _, err := net.SplitHostPort(address); err == nil && network != "unix" {
		dialer.ControlContext = func(_ context.Context, _, to string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(to)
			if err != nil {
				return err
			}
			return d.reach(host, at.Addr())
		}
	}
	return dialer.DialContext(ctx, network, address)
}
