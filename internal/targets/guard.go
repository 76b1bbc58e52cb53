package targets

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Guard keeps perfctl from being pointed at the wrong thing. Everything that
// perfctl connects to is checked here: what it loads, what it reads figures of,
// and where it sends its own.
type Guard struct {
	// AllowTargets are the hosts, besides loopback, that may be reached.
	AllowTargets []string
	// AllowDatabases are the databases that may be used though no word of their
	// names is "test" or "perf".
	AllowDatabases []string
}

// RefusedError says that the guard does not let something be reached.
type RefusedError struct {
	// Doing is what is refused, as in "load"; Target is the redacted address.
	Doing, Target string
	// Reason is why, Next what the user can do about it.
	Reason, Next string
}

// Error returns reason and next step.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("refusing to %s %s: %s\n  next: %s", e.Doing, e.Target, e.Reason, e.Next)
}

// Check returns a *RefusedError where the address may not be loaded, and another
// error where its driver cannot read it.
func (g Guard) Check(ctx context.Context, a Address) error {
	d, err := a.Destination()
	if err != nil {
		return fmt.Errorf("%s at %s: the driver cannot read the address: %w", a.Kind.Title(), a, err)
	}
	if err := g.hosts(ctx, "load", a.String(), d.Hosts); err != nil {
		return err
	}
	if a.Kind != Postgres || forTests(d.Database) || slices.Contains(g.AllowDatabases, d.Database) {
		return nil
	}
	return &RefusedError{"load", a.String(), fmt.Sprintf("no word of the database's name %q is \"test\" or \"perf\"", d.Database),
		fmt.Sprintf("set DB_NAME to a test database, or allow this one with --allow-database %s", d.Database)}
}

// CheckURL returns a *RefusedError where perfctl may not connect to a URL for
// doing, which says what for, as in "read figures of".
func (g Guard) CheckURL(ctx context.Context, doing string, u *url.URL) error {
	return g.hosts(ctx, doing, Address{URL: u}.String(), []string{u.Hostname()})
}

func (g Guard) hosts(ctx context.Context, doing, target string, hosts []string) error {
	for _, host := range hosts {
		if !g.allows(host) && !loopback(ctx, host) {
			return &RefusedError{doing, target, fmt.Sprintf("%s is not this machine", host),
				fmt.Sprintf("if %s is yours to %s, say so with --allow-target %s", host, doing, host)}
		}
	}
	return nil
}

// Permit returns a *RefusedError where a host may not be reached that a server at
// the address named.
func (g Guard) Permit(ctx context.Context, a Address, host string) error {
	if g.allows(host) || loopback(ctx, host) {
		return nil
	}
	return &RefusedError{"load", a.String(), fmt.Sprintf("it names %s, which is not this machine", host),
		fmt.Sprintf("if %s is yours to load, say so with --allow-target %s", host, host)}
}

func (g Guard) allows(host string) bool {
	return slices.ContainsFunc(g.AllowTargets, func(a string) bool { return SameHost(a, host) })
}

// SameHost says whether two names of hosts are one: case and a closing dot do
// not count, and the names of this machine are one.
func SameHost(a, b string) bool {
	a, b = strings.TrimSuffix(a, "."), strings.TrimSuffix(b, ".")
	return strings.EqualFold(a, b) || here(a) && here(b)
}

// here says whether host says by itself that it is this machine.
func here(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// loopback says whether host is this machine: a loopback address, a socket's
// path, or a name all of whose addresses are loopback.
func loopback(ctx context.Context, host string) bool {
	if strings.HasPrefix(host, "/") || here(host) {
		return true
	}
	if net.ParseIP(host) != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil || len(addrs) == 0 {
		return false
	}
	return !slices.ContainsFunc(addrs, func(a net.IPAddr) bool { return !a.IP.IsLoopback() })
}
