package targets

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/suggest"
)

// RabbitAddress is what the address of a RabbitMQ says besides what its driver reads
// itself.
type RabbitAddress struct {
	// Hosts are host and port of each broker; they are tried in turn.
	Hosts []string
	// TLS is nil for none.
	TLS *TLSFiles
	// Unused are parameters that set up a client library and that perfctl does not
	// follow, since it sets up its own; Unknown are those that nobody knows.
	Unused, Unknown []string
}

// rabbitParameters are the parameters that are read here, with the names that other
// libraries give them.
var rabbitParameters = map[string]func(t *TLSFiles, v string) error{
	"cacertfile":             func(t *TLSFiles, v string) error { t.CA = v; return nil },
	"certfile":               func(t *TLSFiles, v string) error { t.Cert = v; return nil },
	"keyfile":                func(t *TLSFiles, v string) error { t.Key = v; return nil },
	"server_name_indication": func(t *TLSFiles, v string) error { t.ServerName = v; return nil },
	"verify": func(t *TLSFiles, v string) error {
		switch v {
		case "verify_none":
			t.Insecure = true
		case "verify_peer":
		default:
			return fmt.Errorf("%q is neither verify_peer nor verify_none", v)
		}
		return nil
	},
}

// rabbitDriver are the parameters that the driver reads.
var rabbitDriver = []string{"auth_mechanism", "heartbeat"}

// rabbitUnused are parameters of client libraries that have no meaning here.
var rabbitUnused = []string{
	"connection_timeout", "channel_max", "frame_max", "locale", "connection_attempts", "retry_delay", "socket_timeout", "stack_timeout",
	"blocked_connection_timeout", "depth", "fail_if_no_peer_cert", "channelMax", "frameMax", "name", "client_name", "product",
	"automatic_recovery", "topology_recovery", "recovery_interval", "connect_timeout", "timeout", "reconnect", "cache_mode",
}

// Rabbit reads the address of a RabbitMQ. Its error holds no secret.
func (a Address) Rabbit() (RabbitAddress, error) {
	u := a.URL
	r := RabbitAddress{}
	if u.Scheme == "amqps" {
		r.TLS = &TLSFiles{}
	}
	var errs []error
	for name, values := range u.Query() {
		read := rabbitParameters[name]
		switch {
		case read != nil && r.TLS == nil:
			errs = append(errs, fmt.Errorf("parameter %s is one of TLS, which needs the scheme amqps, not %s", name, u.Scheme))
		case read != nil:
			if err := read(r.TLS, values[len(values)-1]); err != nil {
				errs = append(errs, fmt.Errorf("parameter %s: %w", name, err))
			}
		case slices.Contains(rabbitDriver, name):
		case slices.Contains(rabbitUnused, name):
			r.Unused = append(r.Unused, name)
		default:
			r.Unknown = append(r.Unknown, name)
		}
	}
	slices.Sort(r.Unused)
	slices.Sort(r.Unknown)
	for h := range strings.SplitSeq(u.Host, ",") {
		one := &url.URL{Host: strings.TrimSpace(h)}
		if one.Hostname() == "" {
			errs = append(errs, errors.New("names no host"))
			continue
		}
		r.Hosts = append(r.Hosts, net.JoinHostPort(one.Hostname(), orElse(one.Port(), standardPort(u.Scheme))))
	}
	return r, errors.Join(errs...)
}

// RabbitParameters returns the names of the parameters that are read, in order.
func RabbitParameters() []string {
	out := slices.Clone(rabbitDriver)
	for name := range rabbitParameters {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// unknownNotes says of parameters that nobody reads what was meant, if that can be told.
func unknownNotes(setting string, unknown, known []string) (out []string) {
	for _, name := range unknown {
		text := fmt.Sprintf("%s: nobody reads the parameter %s, so it has no effect", setting, name)
		if near, ok := suggest.Nearest(name, known); ok {
			text += "; did you mean " + near + "?"
		}
		out = append(out, text)
	}
	return out
}
