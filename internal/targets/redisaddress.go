package targets

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/suggest"
)

// RedisAddress is what the address of a Redis says, read in full.
type RedisAddress struct {
	// Hosts are host and port of the server, of nodes of a cluster, or of the
	// Sentinels. Empty where there is a Socket.
	Hosts []string
	// Socket is the path of a Unix socket.
	Socket string
	// User and Password are for AUTH; User is empty for the default user.
	User, Password string
	// DB is the number of the database.
	DB int
	// Cluster says that the address names nodes of a cluster. A cluster of which
	// one node is named is found out by asking it.
	Cluster bool
	// Master is the name under which the Sentinels know the primary, empty where
	// there are none; SentinelUser and SentinelPassword are for AUTH with them.
	Master, SentinelUser, SentinelPassword string
	// TLS is nil for none.
	TLS *TLSFiles
	// Unused are parameters that set up a client library and that perfctl does
	// not follow, since it sets up its own.
	Unused []string
}

// TLSFiles says how a server is trusted and which certificate is shown to it.
type TLSFiles struct {
	// CA, Cert and Key are PEM files; empty for the system's authorities, and for
	// no certificate of the client's own.
	CA, Cert, Key string
	// ServerName is the name that the certificate must be for, empty for the
	// host's.
	ServerName string
	// Insecure says that the certificate is not checked, AnyName that it may be
	// for any name.
	Insecure, AnyName bool
}

// redisSchemes are the schemes of an address, and what each means.
var redisSchemes = map[string]struct{ tls, socket, cluster, sentinel bool }{
	"redis": {}, "rediss": {tls: true}, "valkey": {}, "valkeys": {tls: true},
	"unix": {socket: true}, "redis+unix": {socket: true}, "redis-socket": {socket: true},
	"redis+cluster": {cluster: true}, "rediss+cluster": {cluster: true, tls: true},
	"redis+sentinel": {sentinel: true}, "rediss+sentinel": {sentinel: true, tls: true}, "redis-sentinel": {sentinel: true},
}

// redisParameters are the parameters of an address that are read, with the
// names that other libraries give them.
var redisParameters = map[string]func(r *RedisAddress, v string) error{
	"db":       func(r *RedisAddress, v string) (err error) { r.DB, err = databaseNumber(v); return err },
	"username": func(r *RedisAddress, v string) error { r.User = v; return nil },
	"user":     func(r *RedisAddress, v string) error { r.User = v; return nil },
	"password": func(r *RedisAddress, v string) error { r.Password = v; return nil },
	"pwd":      func(r *RedisAddress, v string) error { r.Password = v; return nil },
	"cluster":  func(r *RedisAddress, v string) error { return truth(&r.Cluster, v) },

	"master":            func(r *RedisAddress, v string) error { r.Master = v; return nil },
	"master_name":       func(r *RedisAddress, v string) error { r.Master = v; return nil },
	"sentinel_username": func(r *RedisAddress, v string) error { r.SentinelUser = v; return nil },
	"sentinel_password": func(r *RedisAddress, v string) error { r.SentinelPassword = v; return nil },

	"tls_ca":          tlsText(func(t *TLSFiles) *string { return &t.CA }),
	"ssl_ca_certs":    tlsText(func(t *TLSFiles) *string { return &t.CA }),
	"tls_cert":        tlsText(func(t *TLSFiles) *string { return &t.Cert }),
	"ssl_certfile":    tlsText(func(t *TLSFiles) *string { return &t.Cert }),
	"tls_key":         tlsText(func(t *TLSFiles) *string { return &t.Key }),
	"ssl_keyfile":     tlsText(func(t *TLSFiles) *string { return &t.Key }),
	"tls_server_name": tlsText(func(t *TLSFiles) *string { return &t.ServerName }),
	"tls_insecure":    func(r *RedisAddress, v string) error { return truth(&r.tls().Insecure, v) },
	"skip_verify":     func(r *RedisAddress, v string) error { return truth(&r.tls().Insecure, v) },
	"ssl_check_hostname": func(r *RedisAddress, v string) error {
		check := true
		err := truth(&check, v)
		r.tls().AnyName = !check
		return err
	},
	"ssl_cert_reqs": func(r *RedisAddress, v string) error {
		switch strings.ToLower(strings.TrimPrefix(strings.ToUpper(v), "CERT_")) {
		case "none":
			r.tls().Insecure = true
		case "optional", "required":
		default:
			return fmt.Errorf("%q is none of none, optional, required", v)
		}
		return nil
	},
}

// redisUnused are parameters of client libraries that have no meaning here.
var redisUnused = []string{
	"protocol", "client_name", "max_retries", "min_retry_backoff", "max_retry_backoff", "dial_timeout", "read_timeout", "write_timeout",
	"pool_size", "pool_fifo", "pool_timeout", "min_idle_conns", "max_idle_conns", "max_active_conns", "conn_max_idle_time", "conn_max_lifetime",
	"socket_timeout", "socket_connect_timeout", "socket_keepalive", "decode_responses", "health_check_interval", "retry_on_timeout",
	"max_connections", "encoding", "timeout", "connect_timeout", "family",
}

// RedisParameters returns the names of the parameters that are read, in order.
func RedisParameters() []string {
	var out []string
	for name := range redisParameters {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Redis reads the address of a Redis. Its error holds no secret.
func (a Address) Redis() (RedisAddress, error) {
	u := a.URL
	scheme := redisSchemes[u.Scheme]
	r := RedisAddress{User: u.User.Username(), Password: a.Password(), Cluster: scheme.cluster}
	if scheme.tls {
		r.TLS = &TLSFiles{}
	}
	secure := scheme.tls
	path := strings.Trim(u.Path, "/")
	switch {
	case scheme.socket:
		r.Socket = u.Path
	case scheme.sentinel:
		r.Master, path, _ = strings.Cut(path, "/")
		if u.Fragment != "" { // redis-sentinel://host/0#master
			path, r.Master = r.Master, u.Fragment
		}
	}
	if !scheme.socket && path != "" {
		n, err := databaseNumber(path)
		if err != nil {
			return r, err
		}
		r.DB = n
	}
	var errs []error
	for name, values := range u.Query() {
		switch read := redisParameters[name]; {
		case read != nil:
			if err := read(&r, values[len(values)-1]); err != nil {
				errs = append(errs, fmt.Errorf("parameter %s: %w", name, err))
			}
		case slices.Contains(redisUnused, name):
			r.Unused = append(r.Unused, name)
		default:
			errs = append(errs, unknownParameter(name, append(RedisParameters(), redisUnused...)))
		}
	}
	slices.Sort(r.Unused)
	if r.TLS != nil && !secure {
		errs = append(errs, fmt.Errorf("parameters of TLS need the scheme rediss, not %s", u.Scheme))
	}
	errs = append(errs, r.readHosts(u, scheme.sentinel))
	return r, errors.Join(errs...)
}

// readHosts reads the hosts, each with a port of its own or the standard one.
func (r *RedisAddress) readHosts(u *url.URL, sentinel bool) error {
	if r.Socket != "" {
		return nil
	}
	port := "6379"
	if sentinel || r.Master != "" {
		port = "26379"
		if r.Master == "" {
			return errors.New("name the primary that the Sentinels watch, as in redis+sentinel://host:26379/mymaster")
		}
	}
	for h := range strings.SplitSeq(u.Host, ",") {
		one := &url.URL{Host: strings.TrimSpace(h)}
		if one.Hostname() == "" {
			return errors.New("names no host")
		}
		r.Hosts = append(r.Hosts, net.JoinHostPort(one.Hostname(), orElse(one.Port(), port)))
	}
	if len(r.Hosts) > 1 && r.Master == "" {
		r.Cluster = true
	}
	if r.Cluster && r.DB != 0 {
		return fmt.Errorf("a cluster has database 0 only, not %d", r.DB)
	}
	return nil
}

func (r *RedisAddress) tls() *TLSFiles {
	if r.TLS == nil {
		r.TLS = &TLSFiles{}
	}
	return r.TLS
}

func tlsText(field func(*TLSFiles) *string) func(*RedisAddress, string) error {
	return func(r *RedisAddress, v string) error { *field(r.tls()) = v; return nil }
}

func databaseNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not the number of a database", text)
	}
	return n, nil
}

func truth(to *bool, text string) error {
	v, err := strconv.ParseBool(strings.ToLower(text))
	switch {
	case err == nil:
		*to = v
	case strings.EqualFold(text, "yes") || strings.EqualFold(text, "on"):
		*to = true
	case strings.EqualFold(text, "no") || strings.EqualFold(text, "off"):
		*to = false
	default:
		return fmt.Errorf("%q is neither true nor false", text)
	}
	return nil
}

// unknownParameter is the error of a parameter of an address that nobody reads.
func unknownParameter(name string, known []string) error {
	if near, ok := suggest.Nearest(name, known); ok {
		return fmt.Errorf("unknown parameter %q; did you mean %q?", name, near)
	}
	return fmt.Errorf("unknown parameter %q", name)
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
