package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/perfctl/perfctl/internal/targets"
)

// Explain turns an error of PostgreSQL, or of the way to it, into a
// *targets.UnreachableError whose next step fits the cause. tried is what was
// being done, as in "connect". nil stays nil.
func Explain(a targets.Address, tried string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*targets.UnreachableError](err); ok {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return targets.Unreachable(a, tried, e, stepOf(a, e))
	}
	if r, ok := errors.AsType[*targets.RefusedError](err); ok {
		return targets.Unreachable(a, tried, errors.New(r.Target+": "+r.Reason), r.Next)
	}
	if foreign.Match(err) {
		return targets.Unreachable(a, "speak PostgreSQL's protocol", plainCause(err), foreign.Next)
	}
	if next := tlsStep(err); next != "" {
		return targets.Unreachable(a, "set up TLS", err, next)
	}
	// One refusal says it all, though each address of a name was tried, with
	// TLS and without.
	if e, ok := errors.AsType[*net.OpError](err); ok && errors.Is(err, syscall.ECONNREFUSED) {
		return targets.Unreachable(a, tried, e, "")
	}
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return targets.Unreachable(a, tried, e.Unwrap(), "")
	}
	if e, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		// Its text holds the address; what the driver could not read is inside.
		cause := errors.New("the driver cannot read it")
		if e.Unwrap() != nil {
			cause = e.Unwrap()
		}
		return targets.Unreachable(a, tried, cause, "check the parameters behind ? in DATABASE_URL")
	}
	return targets.Unreachable(a, tried, err, "")
}

func stepOf(a targets.Address, e *pgconn.PgError) string {
	user, db := userOf(a), a.Database()
	switch e.Code {
	case "28P01", "28000":
		if strings.Contains(e.Message, "pg_hba") {
			return "the server lets nobody in from here as this user: add a line to its pg_hba.conf, or set another user in DB_USER (or DATABASE_URL)"
		}
		return "check DB_USER and DB_PASSWORD (or the user and password in DATABASE_URL)"
	case "3D000":
		host, port, err := net.SplitHostPort(a.HostPort())
		if err != nil {
			host, port = a.Host(), "5432"
		}
		return fmt.Sprintf("create it with: createdb -h %s -p %s -U %s %s, or set DB_NAME (or the path of DATABASE_URL) to one that exists",
			quoteArg(host), port, quoteArg(user), quoteArg(db))
	case "42501":
		return fmt.Sprintf("let the user make perfctl's schema with: GRANT CREATE ON DATABASE %s TO %s; and, where the schema exists already: GRANT USAGE, CREATE ON SCHEMA %s TO %s;",
			quoteName(db), quoteName(user), Schema, quoteName(user))
	case "53300":
		return "the server has no connection left: set a smaller pool_size, close other clients, or raise max_connections in postgresql.conf"
	case "57P03":
		return "the server is starting up or shutting down: try again shortly"
	case "08P01", "0A000":
		if strings.Contains(e.Message, "statement pooling mode") {
			return "PgBouncer's pool_mode=statement allows no transactions, which perfctl needs: use a database of PgBouncer with pool_mode=transaction, or the server itself"
		}
		if strings.Contains(e.Message, "startup parameter") {
			return "a pooler stands before the server and refuses a parameter of DATABASE_URL: remove that one, or list it in PgBouncer's ignore_startup_parameters"
		}
		if behindIsGone(e.Message) {
			return "a pooler listens there, and the server behind it cannot be reached: start the server, or correct the pooler's entry for this database"
		}
	case "57P01", "57P02":
		return "the server, or a pooler before it, is being restarted: try again shortly"
	case "42P05", "26000":
		return "a pooler hands out another connection for each transaction and keeps no named statements: remove default_query_exec_mode from DATABASE_URL, or put pgbouncer=true there"
	case "42704", "22023":
		if strings.Contains(e.Message, "configuration parameter") {
			return "DATABASE_URL has a parameter that is none of the server's: remove it, or correct its name"
		}
	case "25006":
		return "the server takes no writes: point DB_HOST (or DATABASE_URL) at the primary"
	}
	switch {
	case strings.HasPrefix(e.Code, "53"):
		return "the server is out of a resource (connections, memory or disk): look at its log"
	case e.Code == "57014", e.Code == "55P03":
		return "the server did not do it in time: look for long transactions in pg_stat_activity"
	}
	return "look at the server's log"
}

var tlsSteps = targets.TLSSteps(targets.Postgres, targets.TLSWords{
	Server: "the server", Plain: "use sslmode=disable in DATABASE_URL, or check DB_HOST and DB_PORT (or DATABASE_URL): something else than PostgreSQL with TLS may listen there",
	CA: "sslrootcert=FILE in DATABASE_URL, or use sslmode=require", Name: "use sslmode=verify-ca in DATABASE_URL",
	Client: "name it with sslcert=FILE&sslkey=FILE in DATABASE_URL", Files: "sslrootcert, sslcert and sslkey in DATABASE_URL",
})

// tlsStep returns the next step for a failed TLS handshake, empty if err is
// something else.
func tlsStep(err error) string {
	if strings.Contains(err.Error(), "server refused TLS connection") {
		return "the server speaks no TLS: use sslmode=disable in DATABASE_URL, or switch ssl on in postgresql.conf"
	}
	if _, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		return ""
	}
	if s, ok := targets.FindStep(tlsSteps, err); ok {
		return s.Next
	}
	return ""
}

// Steps returns what is known of the errors of PostgreSQL.
func Steps() []targets.Step {
	a := targets.Address{Kind: targets.Postgres, URL: &url.URL{Scheme: "postgres", Host: "HOST:5432", User: url.User("USER"), Path: "/DATABASE"}}
	var out []targets.Step
	for _, x := range []struct{ code, message, cause string }{
		{"28P01", "", "the user or the password is wrong"},
		{"28000", "no pg_hba.conf entry", "the server lets nobody in from here as this user"},
		{"3D000", "", "there is no such database"},
		{"42501", "", "the user lacks a right"},
		{"53300", "", "max_connections is reached"},
		{"53100", "", "the disk is full, or another resource used up"},
		{"57P03", "", "the server starts or stops"},
		{"57014", "", "a statement was cancelled by a timeout"},
		{"55P03", "", "a lock was not given in time"},
		{"25006", "", "the server is a standby, or read-only"},
		{"42P05", "", "a pooler mixes named statements"},
		{"26000", "", "a pooler mixes named statements"},
		{"42704", "unrecognized configuration parameter", "the URL has a parameter that is none of the server's"},
		{"08P01", "unsupported startup parameter", "a pooler refuses a parameter of the URL"},
		{"08P01", "not allowed in statement pooling mode", "PgBouncer allows no transactions"},
		{"08P01", "server login failed, cannot connect to server", "a pooler has no server behind it"},
		{"57P01", "", "the server or a pooler is being restarted"},
	} {
		sign := x.code
		if x.message != "" {
			sign += " " + x.message
		}
		out = append(out, targets.Step{Kind: targets.Postgres, Sign: sign, Cause: x.cause, Next: stepOf(a, &pgconn.PgError{Code: x.code, Message: x.message})})
	}
	return append(append(out, tlsSteps...), foreign)
}

// behindIsGone says whether a pooler tells that it has no server.
func behindIsGone(message string) bool {
	for _, s := range []string{"cannot connect to server", "server login", "server conn crashed", "no such server", "failed to connect", "query_wait_timeout"} {
		if strings.Contains(message, s) {
			return true
		}
	}
	return false
}

// foreign is the step for who does not answer as a server would.
var foreign = targets.Step{Kind: targets.Postgres, Sign: "unknown message type, unexpected EOF, connection reset", Cause: "something else listens on the port, or it hangs up",
	Next: "something else than PostgreSQL may listen there: check DB_HOST and DB_PORT (or DATABASE_URL); a pooler or a server that is being restarted hangs up, too: then try again",
	Match: func(err error) bool {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
		text := err.Error()
		for _, s := range []string{"unknown message type", "unexpected message", "invalid message", "message length", "body length", "unexpected EOF", "unexpected response", "expected to read", "too long"} {
			if strings.Contains(text, s) {
				return true
			}
		}
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	}}

// plainCause leaves out of the driver's error what the message says already.
func plainCause(err error) error {
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return e.Unwrap()
	}
	return err
}

func userOf(a targets.Address) string {
	if a.URL.User == nil {
		return "postgres"
	}
	return a.URL.User.Username()
}

// quoteName quotes a name for SQL.
func quoteName(name string) string { return pgx.Identifier{name}.Sanitize() }

// quoteArg quotes a word for a shell where it needs to be.
func quoteArg(word string) string {
	safe := func(r rune) bool {
		return r < 128 && strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
