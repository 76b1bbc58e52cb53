package targets

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/suggest"
)

// postgresUnused are parameters of other programs' addresses that have no meaning
// here: Prisma's, SQLAlchemy's, JDBC's and those of pools.
var postgresUnused = []string{
	"connection_limit", "pool_timeout", "socket_timeout", "sslaccept", "sslidentity", "statement_cache_size", "prepared_statement_cache_size",
	"pool_size", "max_overflow", "pool_recycle", "pool_pre_ping", "applicationname", "logintimeout", "connecttimeout", "sockettimeout",
	"tcpkeepalive", "rewritebatchedinserts", "binarytransfer", "defaultrowfetchsize", "async_fallback", "description_cache_capacity",
	"pool", "timeout", "checkout_timeout", "reaping_frequency", "adapter", "min_messages", "encoding", "conn_max_age", "conn_health_checks", "ssl_require",
	"stringtype", "loggerlevel", "loadbalancehosts", "sslfactory", "preferquerymode", "autosave", "cancelsignaltimeout", "preparedstatementcachequeries",
	"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "gssencmode", "sslcompression", "sslcrl",
	"load_balance_hosts", "fallback_application_name", "uselibpqcompat", "max", "idle_timeout", "command_timeout", "statement_cache_mode",
	"pool_max_conns", "pool_min_conns", "pool_max_conn_lifetime", "pool_max_conn_idle_time", "pool_health_check_period", "pool_max_conn_lifetime_jitter",
}

// postgresKnown are the parameters that the driver reads, and the server's own that
// stand in addresses. Any other one is sent to the server, too, which refuses what it
// does not know.
var postgresKnown = []string{
	"host", "port", "database", "dbname", "user", "password", "passfile", "connect_timeout", "service", "servicefile", "options", "application_name",
	"sslmode", "sslkey", "sslcert", "sslcertmode", "sslrootcert", "sslnegotiation", "sslpassword", "sslsni", "krbspn", "krbsrvname", "target_session_attrs",
	"min_protocol_version", "max_protocol_version", "channel_binding", "require_auth", execMode,
	"search_path", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout", "timezone", "TimeZone", "datestyle", "DateStyle",
	"client_encoding", "default_transaction_isolation", "default_transaction_read_only", "work_mem", "role", "session_authorization", "synchronous_commit",
	"extra_float_digits", "intervalstyle", "jit", "client_min_messages", "tcp_keepalives_idle",
}

// unknownPostgres says of parameters that nobody knows what becomes of them.
func unknownPostgres(setting string, unknown []string) (out []string) {
	for _, name := range unknown {
		text := fmt.Sprintf("%s: perfctl does not know the parameter %s, and hands it to the server as a setting", setting, name)
		if near, ok := suggest.Nearest(name, postgresKnown); ok {
			text += "; did you mean " + near + "?"
		}
		out = append(out, text)
	}
	return out
}

// unnamed is how the driver's own parameter says that statements get no names.
const execMode, unnamed = "default_query_exec_mode", "exec"

// adoptPostgres changes an address of PostgreSQL as other programs write it into
// one that the driver reads, and returns the parameters that have no effect, and
// those that nobody here knows.
func adoptPostgres(u *url.URL) (ignored, unknown []string, err error) {
	q := u.Query()
	take := func(name string) (string, bool) {
		v, ok := q.Get(name), q.Has(name)
		q.Del(name)
		return v, ok
	}
	for name := range q {
		if slices.Contains(postgresUnused, strings.ToLower(name)) {
			ignored = append(ignored, name)
			q.Del(name)
		}
	}
	slices.Sort(ignored)
	if v, ok := take("pgbouncer"); ok {
		var on bool
		if err := truth(&on, v); err != nil {
			return nil, nil, fmt.Errorf("parameter pgbouncer: %w", err)
		}
		if on {
			q.Set(execMode, unnamed)
		}
	}
	for _, name := range []string{"statement_cache_capacity", "prepareThreshold"} {
		if v, ok := take(name); ok && v == "0" {
			q.Set(execMode, unnamed)
		}
	}
	if v, ok := take("prepared_statements"); ok { // Rails
		on := true
		if err := truth(&on, v); err != nil {
			return nil, nil, fmt.Errorf("parameter prepared_statements: %w", err)
		}
		if !on {
			q.Set(execMode, unnamed)
		}
	}
	for _, name := range []string{"schema", "currentSchema", "schema_search_path"} { // Prisma, JDBC, Rails
		if v, ok := take(name); ok && v != "" {
			q.Set("search_path", v)
		}
	}
	if v, ok := take("ssl"); ok { // asyncpg, JDBC, node-postgres
		switch strings.ToLower(v) {
		case "true", "1", "":
			v = "require"
		case "false", "0":
			v = "disable"
		}
		if !q.Has("sslmode") { // which says more, and counts where both are there
			q.Set("sslmode", v)
		}
	}
	joinHostParameters(q)
	if q.Get("sslmode") == "no-verify" { // node-postgres: TLS, and any certificate
		q.Set("sslmode", "require")
		q.Del("sslrootcert")
	}
	if v, ok := take("targetServerType"); ok { // JDBC
		to, known := map[string]string{"any": "any", "primary": "primary", "master": "primary", "secondary": "standby", "slave": "standby", "preferSecondary": "prefer-standby", "preferSlave": "prefer-standby"}[v]
		if !known {
			return nil, nil, fmt.Errorf("parameter targetServerType: %q is none of any, primary, secondary, preferSecondary", v)
		}
		q.Set("target_session_attrs", to)
	}
	for name := range q {
		if !slices.Contains(postgresKnown, name) && !strings.Contains(name, ".") {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	if text := q.Encode(); text != u.Query().Encode() { // else the order stays, too
		u.RawQuery = text
	}
	return ignored, unknown, nil
}

// joinHostParameters puts several parameters host=HOST:PORT, as SQLAlchemy has them, into
// the lists that the driver reads.
func joinHostParameters(q url.Values) {
	var hosts, ports []string
	for _, h := range q["host"] {
		host, port, err := net.SplitHostPort(h)
		if err != nil {
			host, port = h, q.Get("port")
		}
		hosts, ports = append(hosts, host), append(ports, orElse(port, "5432"))
	}
	if len(hosts) < 2 && (len(hosts) == 0 || hosts[0] == q.Get("host")) {
		return
	}
	q.Set("host", strings.Join(hosts, ","))
	q.Set("port", strings.Join(ports, ","))
}

// postgresSchemes are other names of the scheme, as Django and PHP have them.
var postgresSchemes = []string{"postgis", "pgsql", "psql"}

// encodedSocket is the folder of a socket in place of a host, as libpq reads it.
var encodedSocket = regexp.MustCompile(`(?i)^([^/?#@]*@)?(%2f[^/?#:]*)(?::([0-9]+))?`)

// socketText moves the folder of a socket that stands in place of a host to the
// parameter host: a URL of Go's has no such host.
func socketText(raw string) string {
	scheme, rest, ok := strings.Cut(raw, "://")
	m := encodedSocket.FindStringSubmatch(rest)
	if !ok || m == nil {
		return raw
	}
	out := scheme + "://" + m[1] + rest[len(m[0]):]
	sign := "?"
	if strings.Contains(out, "?") {
		sign = "&"
	}
	if out += sign + "host=" + m[2]; m[3] != "" {
		out += "&port=" + m[3]
	}
	return out
}

// postgresText strips from an address what names a library and not a place: the
// driver behind + as in postgresql+asyncpg, and jdbc: before it.
func postgresText(raw string) string {
	raw = socketText(strings.TrimPrefix(raw, "jdbc:"))
	scheme, rest, ok := strings.Cut(raw, "://")
	if slices.Contains(postgresSchemes, scheme) {
		return "postgres://" + rest
	}
	if name, _, driver := strings.Cut(scheme, "+"); ok && driver && (name == "postgresql" || name == "postgres") {
		return name + "://" + rest
	}
	return raw
}

// Unnamed says of an address of PostgreSQL that statements are to get no names,
// and named that they are to get some; neither leaves it to what stands before the
// server.
func (a Address) Unnamed() (unnamed, named bool) {
	switch a.URL.Query().Get(execMode) {
	case "":
		return false, false
	case "cache_statement":
		return false, true
	}
	return true, false
}
