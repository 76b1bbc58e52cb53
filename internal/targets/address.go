// Package targets holds what is known of a system under test before anyone
// connects to it: its address and settings, what protects it, how its name is
// shown without secrets, and the error that says why it cannot be reached. The
// folders below it dial and sample one kind of target each; no scenario lives
// here.
package targets

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/secrets"
)

// Kind is a kind of target.
type Kind string

// The kinds.
const (
	RabbitMQ Kind = "rabbitmq"
	Postgres Kind = "postgres"
	Redis    Kind = "redis"
	API      Kind = "api"
)

// Title returns the kind's name as people write it.
func (k Kind) Title() string {
	switch k {
	case RabbitMQ:
		return "RabbitMQ"
	case Postgres:
		return "PostgreSQL"
	case Redis:
		return "Redis"
	case API:
		return "the HTTP API"
	}
	return string(k)
}

// Address is how a target is reached. It prints redacted.
type Address struct {
	Kind Kind
	// URL holds everything, the secret included: never print it.
	URL *url.URL
	// Allow returns an error for a host that may not be reached; nil allows
	// this machine only, besides the hosts of the address.
	Allow func(ctx context.Context, host string) error
	// Reach returns an error for an address of a host that no connection may be
	// opened to; nil lets this machine's be reached only.
	Reach func(host string, ip netip.Addr) error
	// Route is by which way its connections are opened.
	Route Route
}

// Permit returns an error where a host may not be reached that a server named, as
// nodes of a cluster name each other.
func (a Address) Permit(ctx context.Context, host string) error {
	if d, err := a.Destination(); err == nil && slices.Contains(d.Hosts, host) {
		return nil
	}
	if a.Allow != nil {
		return a.Allow(ctx, host)
	}
	return Guard{}.Permit(ctx, a, host)
}

// String returns the address without its password and without the values of
// query parameters that may hold a secret.
func (a Address) String() string {
	if a.URL == nil {
		return a.Kind.Title()
	}
	u := *a.URL
	if u.User != nil {
		name := u.User.Username()
		if u.User = nil; name != "" {
			u.User = url.User(name)
		}
	}
	q := u.Query()
	for k := range q {
		if a.secretParameter(k) {
			q.Set(k, secrets.Hidden)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// secretParameter says whether a parameter of the query may hold a secret; options
// of PostgreSQL may set anything.
func (a Address) secretParameter(name string) bool {
	return secrets.Name(name) || a.Kind == Postgres && name == "options"
}

// Secrets returns the address's secret values: its password, unless it is the
// user's name, and the parameters of its query that may hold secrets.
func (a Address) Secrets() []string {
	if a.URL == nil {
		return nil
	}
	var out []string
	if p := a.Password(); p != a.URL.User.Username() {
		out = append(out, p)
	}
	for k, values := range a.URL.Query() {
		if a.secretParameter(k) {
			out = append(out, values...)
		}
	}
	return out
}

// Password returns the address's password, empty if it has none.
func (a Address) Password() string {
	p, _ := a.URL.User.Password()
	return p
}

// Host returns the host without its port.
func (a Address) Host() string { return a.URL.Hostname() }

// HostPort returns host and port, the kind's standard port where none is given.
func (a Address) HostPort() string {
	port := a.URL.Port()
	if port == "" {
		port = standardPort(a.URL.Scheme)
	}
	return net.JoinHostPort(a.URL.Hostname(), port)
}

// First returns the network and the address of the first place that the address
// leads to: "tcp" with host and port, or "unix" with the path of a socket.
func (a Address) First() (network, address string) {
	if redisSchemes[a.URL.Scheme].socket {
		return "unix", a.URL.Path
	}
	if host := a.URL.Query().Get("host"); a.Kind == Postgres && strings.HasPrefix(host, "/") {
		return "unix", host + "/.s.PGSQL." + orElse(a.URL.Query().Get("port"), "5432")
	}
	one := *a.URL
	if first, _, several := strings.Cut(one.Host, ","); several {
		one.Host = first
	}
	return "tcp", Address{Kind: a.Kind, URL: &one}.HostPort()
}

// Database returns the database that the driver of a PostgreSQL address uses.
func (a Address) Database() string {
	if d, err := a.Destination(); err == nil {
		return d.Database
	}
	return strings.TrimPrefix(a.URL.Path, "/")
}

func standardPort(scheme string) string {
	switch scheme {
	case "amqp":
		return "5672"
	case "amqps":
		return "5671"
	case "postgres", "postgresql":
		return "5432"
	case "redis", "rediss", "valkey", "valkeys", "redis+cluster", "rediss+cluster":
		return "6379"
	case "redis+sentinel", "rediss+sentinel", "redis-sentinel":
		return "26379"
	case "https":
		return "443"
	}
	return "80"
}
