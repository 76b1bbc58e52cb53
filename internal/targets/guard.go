package targets

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// Guard keeps perfctl from being pointed at the wrong thing.
type Guard struct {
	// AllowTargets are the hosts, besides loopback, that may be loaded.
	AllowTargets []string
	// AllowDatabases are the databases that may be used though their names
	// hold neither "test" nor "perf".
	AllowDatabases []string
}

// RefusedError says that the guard does not let a target be loaded.
type RefusedError struct {
	// Target is the redacted address.
	Target string
	// Reason is why, Next what the user can do about it.
	Reason, Next string
}

// Error returns reason and next step.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("refusing to load %s: %s\n  next: %s", e.Target, e.Reason, e.Next)
}

// Check returns a *RefusedError where the address may not be loaded.
func (g Guard) Check(ctx context.Context, a Address) error {
	for _, host := range hostsOf(a) {
		if !slices.Contains(g.AllowTargets, host) && !loopback(ctx, host) {
			return &RefusedError{a.String(), fmt.Sprintf("%s is not this machine", host),
				fmt.Sprintf("if %s is yours to load, say so with --allow-target %s", host, host)}
		}
	}
	if a.Kind != Postgres {
		return nil
	}
	db := a.Database()
	if name := strings.ToLower(db); strings.Contains(name, "test") || strings.Contains(name, "perf") || slices.Contains(g.AllowDatabases, db) {
		return nil
	}
	return &RefusedError{a.String(), fmt.Sprintf("the database's name %q holds neither \"test\" nor \"perf\"", db),
		fmt.Sprintf("set DB_NAME to a test database, or allow this one with --allow-database %s", db)}
}

// hostsOf returns every host an address leads to: libpq-style URLs may name
// several, and the query may override them.
func hostsOf(a Address) []string {
	var hosts []string
	for _, h := range strings.Split(a.URL.Host, ",") {
		if name, _, err := net.SplitHostPort(h); err == nil {
			h = name
		}
		if h = strings.Trim(h, "[]"); h != "" {
			hosts = append(hosts, h)
		}
	}
	for _, key := range []string{"host", "hostaddr"} {
		for _, v := range a.URL.Query()[key] {
			for _, h := range strings.Split(v, ",") {
				if h != "" {
					hosts = append(hosts, h)
				}
			}
		}
	}
	return hosts
}

// loopback says whether host is this machine: a loopback address, a socket's
// path, or a name all of whose addresses are loopback.
func loopback(ctx context.Context, host string) bool {
	if strings.HasPrefix(host, "/") || host == "localhost" {
		return true
	}
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil || len(addrs) == 0 {
		return false
	}
	return !slices.ContainsFunc(addrs, func(a net.IPAddr) bool { return !a.IP.IsLoopback() })
}
