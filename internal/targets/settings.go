package targets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Lookup returns the value of a setting and where it came from ("flag -e",
// "environment", "file .env.test" …); ok is false where nobody set it. It is false,
// too, for a piece of an address whose URL a stronger source sets: origin then says
// who set the piece that does not count.
type Lookup func(name string) (value, origin string, ok bool)

// Setting is one resolved setting, for display: the value of a secret is
// already redacted.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// Settings holds the addresses of every target.
type Settings struct {
	RabbitMQ, Postgres, Redis, API Address
	// List shows every setting with its origin, secrets redacted.
	List []Setting
	// Allowed are the hosts, besides loopback, that may be loaded: for those that
	// are known only while a run goes on.
	Allowed []string
	// Warnings are what was said in the settings and has no effect.
	Warnings []string
	// Names lists every name that is set, for scripts, which may ask what there is; it may
	// be nil.
	Names func() []string
	look  Lookup
	guard *Guard // nil for the one that Allowed says
}

// Allows says whether a host that is not this machine may be loaded.
func (s *Settings) Allows(host string) bool {
	return slices.ContainsFunc(s.Allowed, func(a string) bool { return SameHost(a, host) })
}

// Setting returns any setting by its name; ok is false where nobody set it.
func (s *Settings) Setting(name string) (value string, ok bool) {
	if s.look == nil {
		return "", false
	}
	value, origin, ok := s.look(name)
	return value, ok || origin != ""
}

// Address returns the address of a kind.
func (s *Settings) Address(k Kind) Address {
	switch k {
	case RabbitMQ:
		return s.RabbitMQ
	case Postgres:
		return s.Postgres
	case Redis:
		return s.Redis
	}
	return s.API
}

// parts names the settings of one kind: one URL, or its pieces.
type parts struct {
	kind    Kind
	urlName string
	schemes []string
	host    string
	port    string
	user    string
	pass    string
	path    string // vhost or database
	// defaults, in the order host, port, user, password, path
	defaults [5]string
}

var kinds = []parts{
	{RabbitMQ, "RABBITMQ_URL", []string{"amqp", "amqps"}, "RABBITMQ_HOST", "RABBITMQ_PORT", "RABBITMQ_USER", "RABBITMQ_PASSWORD", "RABBITMQ_VHOST",
		[5]string{"localhost", "5672", "guest", "guest", "/"}},
	{Postgres, "DATABASE_URL", []string{"postgres", "postgresql"}, "DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME",
		[5]string{"localhost", "5432", "postgres", "postgres", "orchestrator_test"}},
	{Redis, "REDIS_URL", slices.Sorted(maps.Keys(redisSchemes)), "REDIS_HOST", "REDIS_PORT", "", "REDIS_PASSWORD", "",
		[5]string{"localhost", "6379", "", "", ""}},
	{API, "API_BASE_URL", []string{"http", "https"}, "", "", "", "", "",
		[5]string{"localhost", "3000", "", "", ""}},
}

// Names returns the names of all settings that Resolve reads.
func Names() []string {
	var out []string
	for _, p := range kinds {
		for _, n := range p.nameList() {
			if n != "" {
				out = append(out, n)
			}
		}
	}
	for _, e := range extras {
		out = append(out, e.name)
	}
	return out
}

// Owns says whether a setting belongs to a kind of target.
func Owns(k Kind, name string) bool {
	for _, e := range extras {
		if e.kind == k && e.name == name {
			return true
		}
	}
	for _, p := range kinds {
		if p.kind == k && name != "" {
			return slices.Contains(p.nameList(), name)
		}
	}
	return false
}

// Resolve reads the addresses of all targets. A URL is the base, and the pieces that
// the same or a stronger source sets replace those in it. All faults are reported at
// once; where used names kinds, those of the other ones are left out, and a default
// stands for their addresses.
func Resolve(look Lookup, used ...Kind) (*Settings, error) {
	s := &Settings{look: look}
	var errs []error
	for _, p := range kinds {
		a, list, err := s.resolve(p, look)
		s.List = append(s.List, list...)
		if err != nil {
			if len(used) == 0 || slices.Contains(used, p.kind) {
				errs = append(errs, err)
				continue
			}
			a = Address{Kind: p.kind, URL: p.build(p.defaults)}
		}
		switch p.kind {
		case RabbitMQ:
			s.RabbitMQ = a
		case Postgres:
			s.Postgres = a
		case Redis:
			s.Redis = a
		case API:
			s.API = a
		}
	}
	return s, errors.Join(errs...)
}

// resolve reads the address of one kind.
func (s *Settings) resolve(p parts, look Lookup) (Address, []Setting, error) {
	a, list, notes, err := p.resolve(look)
	s.Warnings = append(s.Warnings, notes...)
	if err != nil {
		return a, list, err
	}
	more, err := applyExtras(a, look)
	for i := range list {
		if list[i].Name == "RABBITMQ_PORT" && list[i].Origin == "default" && a.URL.Scheme == "amqps" {
			list[i].Value = standardPort("amqps")
			err = errors.Join(err, p.replace(a.URL, piecePort, list[i].Value))
		}
	}
	if err == nil {
		err = s.check(a, p.urlName)
	}
	return a, append(list, more...), err
}

// check refuses an address with a fault in its parameters, and notes those that have
// no effect.
func (s *Settings) check(a Address, name string) error {
	var unused []string
	var err error
	switch a.Kind {
	case Postgres:
		var unknown []string
		unused, unknown, err = adoptPostgres(a.URL)
		s.Warnings = append(s.Warnings, unknownPostgres(name, unknown)...)
	case Redis:
		var r RedisAddress
		r, err = a.Redis()
		unused = r.Unused
	case RabbitMQ:
		var r RabbitAddress
		r, err = a.Rabbit()
		unused = r.Unused
		s.Warnings = append(s.Warnings, unknownNotes(name, r.Unknown, append(RabbitParameters(), rabbitUnused...))...)
	case API:
		if a.URL.RawQuery != "" || a.URL.Fragment != "" {
			s.Warnings = append(s.Warnings, name+": what stands behind ? or # is no part of the address that requests are below, so it has no effect")
		}
	}
	for _, u := range unused {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %s has no effect: perfctl sets up the connections itself", name, u))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// AllowBy lets a guard decide on the hosts that servers name, and on the addresses that
// connections are opened to.
func (s *Settings) AllowBy(g Guard) {
	s.guard = &g
	for _, a := range []*Address{&s.RabbitMQ, &s.Postgres, &s.Redis, &s.API} {
		at := *a
		a.Allow = func(ctx context.Context, host string) error { return g.Permit(ctx, at, host) }
		a.Reach = g.Reaches
	}
}

func (p parts) resolve(look Lookup) (a Address, list []Setting, notes []string, err error) {
	if raw, origin, ok := look(p.urlName); ok && strings.TrimSpace(raw) != "" {
		a, err := p.parse(strings.TrimSpace(raw)) // a secret of Kubernetes may end with a line break
		if err != nil {
			return a, nil, nil, within(p.urlName, origin, err)
		}
		list = append(list, Setting{p.urlName, a.String(), origin})
		more, notes, err := p.override(a, look, origin)
		if err == nil {
			err = within(p.urlName, origin, namesHost(a.URL))
		}
		return a, append(list, more...), notes, err
	}
	values := p.defaults
	for i, n := range p.names() {
		if n == "" {
			continue
		}
		v, origin, ok := look(n)
		if i == piecePort && ServiceLink(v) {
			ok = false
		}
		v, note := tidy(n, origin, v, i)
		notes = append(notes, note...)
		if !ok || v == "" && i < 2 {
			v, origin = p.defaults[i], "default"
		}
		switch i {
		case pieceHost:
			err = errors.Join(err, within(n, origin, p.checkHost(v)))
		case piecePort:
			err = errors.Join(err, within(n, origin, checkPort(v)))
		}
		values[i] = v
		if i == piecePassword && v != "" {
			v = "xxx"
		}
		list = append(list, Setting{n, v, origin})
	}
	if p.host == "" {
		list = append(list, Setting{p.urlName, "http://localhost:3000", "default"})
	}
	if err != nil {
		return Address{}, list, notes, err
	}
	return Address{Kind: p.kind, URL: p.build(values)}, list, notes, nil
}

// within names the setting that an error is about; nil stays nil.
func within(name, origin string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s (from %s): %w", name, origin, err)
}

// ServiceLink says whether a value is what Kubernetes and container links put into
// the environment by themselves for every service of that name, as in
// REDIS_PORT=tcp://10.0.0.11:6379: nobody set it.
func ServiceLink(value string) bool {
	return strings.HasPrefix(value, "tcp://") || strings.HasPrefix(value, "udp://")
}
