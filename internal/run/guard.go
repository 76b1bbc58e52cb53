package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/targets"
)

// guarding is the guard that the request makes.
func (p *Plan) guarding() targets.Guard {
	g := targets.Guard{AllowTargets: p.request.AllowTargets, AllowDatabases: p.request.AllowDatabases}
	if f := p.request.File; f != nil {
		g.AllowTargets = slices.Concat(g.AllowTargets, f.AllowTargets)
		g.AllowDatabases = slices.Concat(g.AllowDatabases, f.AllowDatabases)
	}
	return g
}

// guard refuses targets that must not be loaded, and what would be read of other
// machines.
func (p *Plan) guard(ctx context.Context, addresses *targets.Settings) error {
	g := p.guarding()
	addresses.AllowBy(g)
	var errs []error
	for _, k := range p.targetKinds() {
		errs = append(errs, g.Check(ctx, addresses.Address(k)))
	}
	if slices.Contains(p.targetKinds(), targets.RabbitMQ) && !p.request.NoProbes {
		errs = append(errs, guardBroker(ctx, g, addresses))
	}
	for _, x := range p.scrapes {
		errs = append(errs, g.CheckURL(ctx, "read figures of", x.URL))
	}
	for _, x := range p.replicas {
		if x.URL != nil {
			errs = append(errs, g.CheckURL(ctx, "count the instances at", x.URL))
		}
	}
	return exitcode.ConfigError(errors.Join(errs...))
}

// guardBroker refuses to read a broker's figures from elsewhere.
func guardBroker(ctx context.Context, g targets.Guard, addresses *targets.Settings) error {
	var errs []error
	for _, name := range []string{config.PrometheusURL, config.ManagementURL} {
		u, err := urlSetting(addresses, name)
		switch {
		case err != nil:
			errs = append(errs, err)
		case u == nil:
		case name == config.ManagementURL && u.User == nil && !targets.SameHost(u.Hostname(), addresses.RabbitMQ.Host()):
			errs = append(errs, fmt.Errorf("%s is on another host than the broker, which is not sent the broker's password\n  next: put a user and password of its own into it, as in http://user:password@%s", name, u.Host))
		default:
			errs = append(errs, g.CheckURL(ctx, "read figures of", u))
		}
	}
	return errors.Join(errs...)
}

// Dial opens a connection to a receiver of figures, if the address that its name leads
// to may be reached.
func (p *Plan) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return targets.Dialer(p.guarding().Reaches).DialContext(ctx, network, address)
}

// CheckReceiver refuses to send figures to a machine that was not allowed.
func (p *Plan) CheckReceiver(ctx context.Context, u *url.URL) error {
	return exitcode.ConfigError(p.guarding().CheckURL(ctx, "send figures to", u))
}

// CheckMeeting refuses to meet the other shards of the run at a machine that was not
// allowed, and at another one than this without a key that all of them have. It returns
// the key, "" for none.
func (p *Plan) CheckMeeting(ctx context.Context, u *url.URL) (key string, err error) {
	if err := p.guarding().CheckURL(ctx, "meet the other shards at", u); err != nil {
		return "", exitcode.ConfigError(err)
	}
	key, _, _ = p.request.Settings.Lookup(config.BarrierKey)
	switch {
	case key == "" && !targets.SameHost(u.Hostname(), "localhost"):
		return "", exitcode.UsageError("--barrier %s: what shards tell each other there may hold secrets, and the way to it is not this machine's own\n  next: give all shards one %s, as openssl rand -hex 16 makes it", u, config.BarrierKey)
	case key != "" && len(key) < leastKey:
		return "", exitcode.UsageError("%s has %d characters, and at least %d are wanted\n  next: openssl rand -hex 16 makes one", config.BarrierKey, len(key), leastKey)
	}
	return key, nil
}

// leastKey is the least length of a key, in characters: it can be guessed at by whoever
// sees what is said.
const leastKey = 16
