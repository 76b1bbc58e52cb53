package targets

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// postgresUnused are parameters of other programs' addresses that have no meaning
// here: Prisma's, SQLAlchemy's, JDBC's and those of pools.
var postgresUnused = []string{
	"connection_limit", "pool_timeout", "socket_timeout", "sslaccept", "sslidentity", "statement_cache_size", "prepared_statement_cache_size",
	"pool_size", "max_overflow", "pool_recycle", "pool_pre_ping", "applicationname", "logintimeout", "connecttimeout", "sockettimeout",
	"tcpkeepalive", "rewritebatchedinserts", "binarytransfer", "defaultrowfetchsize", "async_fallback", "description_cache_capacity",
}

// unnamed is how the driver's own parameter says that statements get no names.
const execMode, unnamed = "default_query_exec_mode", "exec"

// adoptPostgres changes an address of PostgreSQL as other programs write it into
// one that the driver reads, and returns the parameters that have no effect.
func adoptPostgres(u *url.URL) (ignored []string, err error) {
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
			return nil, fmt.Errorf("parameter pgbouncer: %w", err)
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
	for _, name := range []string{"schema", "currentSchema"} { // Prisma, JDBC
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
		q.Set("sslmode", v)
	}
	if text := q.Encode(); text != u.Query().Encode() { // else the order stays, too
		u.RawQuery = text
	}
	return ignored, nil
}

// postgresText strips from an address what names a library and not a place: the
// driver behind + as in postgresql+asyncpg, and jdbc: before it.
func postgresText(raw string) string {
	raw = strings.TrimPrefix(raw, "jdbc:")
	scheme, rest, ok := strings.Cut(raw, "://")
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
