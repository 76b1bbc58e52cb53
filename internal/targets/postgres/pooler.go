package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/perfctl/perfctl/internal/targets"
)

// poolerGrace is what a statement outside of a transaction may exceed its bound by
// behind a pooler, where the client alone keeps it.
const poolerGrace = 250 * time.Millisecond

// askWithin bounds the first question, over all hosts and with TLS and without.
const askWithin = 12 * time.Second

// behindPooler says whether a pooler stands before the server: the process that
// executes a statement is then another one than who let the client in says it is.
// With named statements, or with settings made when connecting, one transaction
// would meet those of another client.
func behindPooler(ctx context.Context, a targets.Address, o Options) (bool, error) {
	switch unnamed, named := a.Unnamed(); {
	case unnamed:
		return true, nil
	case named:
		return false, nil
	}
	cfg, err := pgx.ParseConfig(a.URL.String())
	if err != nil {
		return false, err
	}
	configure(cfg, a, Options{Run: o.Run})
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	c, err := pgconn.ConnectConfig(ctx, &cfg.Config)
	if err != nil {
		if refusesParameters(err) {
			return true, nil
		}
		return false, err
	}
	defer func() { _ = c.Close(ctx) }() // it was only asked
	r := c.ExecParams(ctx, "SELECT pg_backend_pid()", nil, nil, nil, nil).Read()
	if r.Err != nil {
		return false, r.Err
	}
	if len(r.Rows) != 1 {
		return false, errors.New("the server does not say which process it is")
	}
	return string(r.Rows[0][0]) != strconv.FormatUint(uint64(c.PID()), 10), nil
}

// refusesParameters says whether a pooler turned a client away because of its
// settings.
func refusesParameters(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && strings.Contains(e.Message, "startup parameter")
}

// poolerNotice is what is said of a pooler, in one line.
const poolerNotice = "a pooler stands before PostgreSQL: statements get no names, and limits are set in each transaction; set default_query_exec_mode=cache_statement in DATABASE_URL where it keeps named statements"

// begins returns the text that begins a transaction behind a pooler.
func begins(o Options) string {
	if o.Isolation == "" {
		return "BEGIN"
	}
	return "BEGIN ISOLATION LEVEL " + o.Isolation
}

// limitsOf returns the statement that sets the limits of one transaction, nil for
// none.
func limitsOf(o Options) *Statement {
	var set []string
	for _, l := range []struct {
		name string
		d    time.Duration
	}{{"statement_timeout", o.StatementTimeout}, {"lock_timeout", o.LockTimeout}} {
		if l.d > 0 {
			set = append(set, fmt.Sprintf("set_config('%s', '%d', true)", l.name, l.d.Milliseconds()))
		}
	}
	if set == nil {
		return nil
	}
	return NewStatement("perfctl_limits", "SELECT "+strings.Join(set, ", "))
}
