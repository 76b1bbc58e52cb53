package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/perfctl/perfctl/internal/targets"
)

// pgBouncer starts a PgBouncer before the test's server and returns its address,
// which has the database's name.
func pgBouncer(t *testing.T, mode string, lines ...string) targets.Address {
	t.Helper()
	return pgBouncerBefore(t, server(t), mode, lines...)
}

// pgBouncerBefore does so for any server, which need not be there.
func pgBouncerBefore(t *testing.T, behind targets.Address, mode string, lines ...string) targets.Address {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer"
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatal("needs pgbouncer: run scripts/install-servers pgbouncer:pgbouncer")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	dir, err := os.MkdirTemp("", "perfctl-pgbouncer") //nolint:usetesting // another user reads it, which may not enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // a test's
		t.Fatal(err)
	}
	host, serverPort, _ := net.SplitHostPort(behind.HostPort())
	config := fmt.Sprintf("[databases]\n* = host=%s port=%s user=%s password=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nauth_type = any\npool_mode = %s\ndefault_pool_size = 3\nunix_socket_dir =\n%s\n",
		host, serverPort, behind.URL.User.Username(), behind.Password(), port, mode, strings.Join(lines, "\n"))
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil { //nolint:gosec // a test's
		t.Fatal(err)
	}
	args := []string{file}
	if os.Getuid() == 0 {
		args = []string{"-u", "nobody", file}
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("pgbouncer does not listen: %s", &log)
		}
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword("app", "x"), Host: address, Path: "/" + behind.Database(), RawQuery: "sslmode=disable"}
	return targets.Address{Kind: targets.Postgres, URL: &u}
}

func TestAPoolerIsFoundOutAndSharesNothing(t *testing.T) {
	for _, c := range []struct{ mode, line string }{
		{"session", ""}, {"transaction", ""},
		{"transaction", "ignore_startup_parameters = statement_timeout,lock_timeout,extra_float_digits"},
	} {
		t.Run(c.mode+" "+c.line, func(t *testing.T) {
			a := pgBouncer(t, c.mode, c.line)
			var said bytes.Buffer
			one, limit := NewStatement("one", "SELECT $1::bigint + 1"), NewStatement("limit", "SELECT (current_setting('statement_timeout') = '700ms')::int")
			sleep := NewStatement("sleep", "SELECT pg_sleep($1::int)::text")
			size := 6
			if c.mode == "session" {
				size = 3 // each client holds a connection of the server
			}
			pool, err := Open(t.Context(), a, Options{Run: "pooler", Size: size, StatementTimeout: 700 * time.Millisecond, LockTimeout: 300 * time.Millisecond,
				Isolation: "serializable", Statements: []*Statement{one, limit, sleep}, Log: slog.New(slog.NewTextHandler(&said, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = pool.Close(context.Background()) }()
			if n := strings.Count(said.String(), "a pooler stands before PostgreSQL"); n != 1 {
				t.Errorf("the pooler was spoken of %d times: %s", n, &said)
			}
			var wg sync.WaitGroup
			for w := range int64(size) {
				wg.Go(func() {
					for i := range int64(20) {
						if err := addOne(t.Context(), pool, one, w*100+i); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			if err := keepLimits(t.Context(), pool, limit); err != nil {
				t.Error(err)
			}
			if err := tooSlow(t.Context(), pool, sleep); StateOf(err) != "57014" {
				t.Errorf("a slow statement ended with %v", err)
			}
		})
	}
}

// addOne executes a statement alone and within a transaction.
func addOne(ctx context.Context, pool *Pool, s *Statement, n int64) error {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	p := NewParams(1)
	p.Int64(0, n)
	r := c.Query(ctx, s, p)
	for r.NextRow() {
		if got, _ := Int64Of(r.Values()[0]); got != n+1 {
			err = fmt.Errorf("%d + 1 = %d", n, got)
		}
	}
	if _, closed := r.Close(); closed != nil {
		return closed
	}
	if err != nil {
		return err
	}
	tx := c.Begin(ctx)
	if rows, err := tx.Exec(s, p); err != nil || rows != 1 {
		return tx.End(errors.Join(err, fmt.Errorf("%d rows", rows)))
	}
	_, err = tx.ExecLast(s, p)
	return tx.End(err)
}

// keepLimits says whether the limits hold within a transaction, and are gone after it.
func keepLimits(ctx context.Context, pool *Pool, s *Statement) error {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	inside := NewStatement("", "SELECT 1/(current_setting('statement_timeout') = '700ms')::int, 1/(current_setting('transaction_isolation') = 'serializable')::int")
	inside.sd.Store(&pgconn.StatementDescription{SQL: inside.SQL})
	tx := c.Begin(ctx)
	_, err = tx.ExecLast(inside, NewParams(0))
	if err := tx.End(err); err != nil {
		return fmt.Errorf("the limits do not hold within the transaction: %w", err)
	}
	r := c.Query(ctx, s, NewParams(0))
	for r.NextRow() {
		if v, _ := Int64Of(r.Values()[0]); v != 0 {
			err = errors.New("the limit of a transaction outlived it")
		}
	}
	_, closed := r.Close()
	return errors.Join(err, closed)
}

// tooSlow executes a statement that takes longer than the limit.
func tooSlow(ctx context.Context, pool *Pool, s *Statement) error {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	p := NewParams(1)
	p.Int32(0, 3)
	tx := c.Begin(ctx)
	_, err = tx.ExecLast(s, p)
	return tx.End(err)
}

func TestAPoolerThatAllowsNoTransactionsIsRefused(t *testing.T) {
	a := pgBouncer(t, "statement")
	one := NewStatement("one", "SELECT $1::bigint + 1")
	pool, err := Open(t.Context(), a, Options{Run: "pooler", Size: 2, Statements: []*Statement{one}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close(context.Background()) }()
	// A transaction that is sent as a whole, with one Sync, is one there, too.
	if err := addOne(t.Context(), pool, one, 1); err != nil {
		t.Error(err)
	}
	// One that takes its time is refused; the set-up of a scenario has such.
	alone, err := Connect(t.Context(), a, Options{Run: "pooler"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = alone.Close(context.Background()) }()
	tx, err := alone.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), "SELECT 1")
	}
	if err == nil || !strings.Contains(Explain(a, "begin a transaction", err).Error(), "pool_mode=statement") {
		t.Errorf("got %v", err)
	}
	// Statements alone are executed as ever.
	c, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	p := NewParams(1)
	p.Int64(0, 41)
	r := c.Query(t.Context(), one, p)
	for r.NextRow() {
		if got, _ := Int64Of(r.Values()[0]); got != 42 {
			t.Errorf("41 + 1 = %d", got)
		}
	}
	if _, err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestAPoolerWhoseServerIsGone(t *testing.T) {
	gone := server(t)
	u := *gone.URL
	u.Host = "127.0.0.1:1"
	gone.URL = &u
	at := pgBouncerBefore(t, gone, "transaction", "server_connect_timeout = 1", "server_login_retry = 1", "query_wait_timeout = 3")
	refused(t, at.URL.String(), "the server behind it cannot be reached")
}

func TestAServerItselfIsNoPooler(t *testing.T) {
	a := server(t)
	pooled, err := behindPooler(t.Context(), a, Options{})
	if err != nil || pooled {
		t.Errorf("pooled %v, %v", pooled, err)
	}
}
