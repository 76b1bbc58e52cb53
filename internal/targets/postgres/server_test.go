package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

// server returns the address of the database under test: one of the package's
// own, because other packages' tests may remove what perfctl left behind.
func server(t testing.TB) targets.Address {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	a, err := database()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// database makes the database on its first call.
var database = sync.OnceValues(func() (targets.Address, error) {
	s, err := targets.Resolve(func(name string) (string, string, bool) {
		v, ok := os.LookupEnv(name)
		return v, "environment", ok
	})
	if err != nil {
		return targets.Address{}, err
	}
	made = fmt.Sprintf("perf_test_%x", time.Now().UnixNano())
	u := *s.Postgres.URL
	u.Path = "/" + made
	return targets.Address{Kind: targets.Postgres, URL: &u}, administer("CREATE DATABASE " + made)
})

// made is the name of the database, empty where no test asked for one.
var made string

// administer runs a statement in the database that the environment names.
func administer(sql string) error {
	s, err := targets.Resolve(func(name string) (string, string, bool) {
		v, ok := os.LookupEnv(name)
		return v, "environment", ok
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := Connect(ctx, s.Postgres, Options{Run: "test"})
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, sql)
	return errors.Join(err, c.Close(ctx))
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if made != "" {
			if err := administer("DROP DATABASE " + made + " WITH (FORCE)"); err != nil && code == 0 {
				panic(err)
			}
		}
		os.Exit(code)
	}))
}

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// changed returns the address with a change to its URL.
func changed(a targets.Address, change func(*url.URL)) targets.Address {
	u := *a.URL
	change(&u)
	return targets.Address{Kind: a.Kind, URL: &u}
}

func control(t testing.TB, a targets.Address) *pgx.Conn {
	t.Helper()
	c, err := Connect(within(t, 10*time.Second), a, Options{Run: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func do(t testing.TB, c *pgx.Conn, sql string) {
	t.Helper()
	if _, err := c.Exec(within(t, 10*time.Second), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

var serial atomic.Int64

func unique() string { return fmt.Sprintf("test_%x_%d", time.Now().UnixNano(), serial.Add(1)) }

func open(t testing.TB, a targets.Address, o Options) *Pool {
	t.Helper()
	o.Run = "test"
	p, err := Open(within(t, 20*time.Second), a, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(within(t, 10*time.Second)); err != nil {
			t.Error(err)
		}
	})
	return p
}

// limited makes a role that may open two connections and create nothing.
func limited(t testing.TB, a targets.Address) (targets.Address, string) {
	t.Helper()
	c, role := control(t, a), "perfctl_"+unique()
	do(t, c, "CREATE ROLE "+role+" LOGIN PASSWORD 'pa55word' CONNECTION LIMIT 2")
	t.Cleanup(func() { do(t, control(t, a), "DROP ROLE "+role) })
	return changed(a, func(u *url.URL) { u.User = url.UserPassword(role, "pa55word") }), role
}

func TestUnusableTargetsSayWhatToDo(t *testing.T) {
	a := server(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	db := "perf_" + unique()
	poor, role := limited(t, a)
	for _, c := range []struct {
		name    string
		address targets.Address
		next    []string
	}{
		{"refused", changed(a, func(u *url.URL) { u.Host = closed.Addr().String() }), []string{"nothing listens there", "DB_HOST"}},
		{"wrong password", changed(a, func(u *url.URL) { u.User = url.UserPassword(role, "s3cr3t-wrong") }), []string{"DB_PASSWORD"}},
		{"missing database", changed(a, func(u *url.URL) { u.Path = "/" + db }), []string{"createdb -h", db, "DB_NAME"}},
		{"parameter of the pool out of range", changed(a, func(u *url.URL) { u.RawQuery = "pool_max_conns=0" }), nil},
		{"unknown sslmode", changed(a, func(u *url.URL) { u.RawQuery = "sslmode=bogus" }), []string{"DATABASE_URL"}},
		{"TLS where there is none", changed(a, func(u *url.URL) { u.RawQuery = "sslmode=require" }), []string{"sslmode=disable"}},
		{"too many connections", poor, []string{"pool_size"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Open(within(t, 20*time.Second), c.address, Options{Run: "test", Size: 5})
			var u *targets.UnreachableError
			if !errors.As(err, &u) || p != nil {
				t.Fatalf("got pool %v and %v, want a target that cannot be used", p, err)
			}
			for _, want := range c.next {
				if !strings.Contains(u.Next, want) {
					t.Errorf("next step %q does not name %q", u.Next, want)
				}
			}
			if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "pa55word") {
				t.Errorf("the error holds a password: %v", err)
			}
		})
	}
}

func TestMissingPermissionNamesTheGrant(t *testing.T) {
	a := server(t)
	poor, role := limited(t, a)
	c := control(t, poor)
	err := Create(within(t, 10*time.Second), c, "test", Table{Name: TableName("crud_", unique()), Columns: "id bigint"})
	err = Explain(poor, "make a table", err)
	var u *targets.UnreachableError
	if !errors.As(err, &u) || !strings.Contains(u.Next, `GRANT CREATE ON DATABASE`) || !strings.Contains(u.Next, role) {
		t.Errorf("got %v", err)
	}
}

func TestPoolIsWholeAndPreparedBeforeTheFirstOperation(t *testing.T) {
	a := server(t)
	s := NewStatement("test_one", "SELECT 1::bigint WHERE $1::bigint = 7")
	var warmed atomic.Int64
	p := open(t, a, Options{Size: 6, StatementTimeout: 7 * time.Second, LockTimeout: 3 * time.Second, Statements: []*Statement{s},
		Warm: func(context.Context, Conn, int) error { warmed.Add(1); return nil }})
	if n := p.Stat().TotalConns(); n != 6 || warmed.Load() != 6 {
		t.Errorf("%d connections open, %d warmed; want 6", n, warmed.Load())
	}
	ctx := within(t, 10*time.Second)
	for range 6 {
		c, err := p.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Release()
		var settings string
		err = c.Pgx().QueryRow(ctx, `SELECT current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') || ' ' || current_setting('application_name')
			|| ' ' || (SELECT count(*) FROM pg_prepared_statements WHERE name = 'test_one')`).Scan(&settings)
		if err != nil || settings != "7s 3s perfctl/test 1" {
			t.Errorf("settings %q, %v", settings, err)
		}
		params := NewParams(1)
		params.Int64(0, 7)
		r := c.Query(ctx, s, params)
		for r.NextRow() {
			if v, ok := Int64Of(r.Values()[0]); !ok || v != 1 {
				t.Errorf("got %v", r.Values())
			}
		}
		if tag, err := r.Close(); err != nil || tag.RowsAffected() != 1 {
			t.Errorf("%v %v", tag, err)
		}
	}
}

// table makes a table for a test and drops it at its end.
func table(t testing.TB, a targets.Address, columns string) string {
	t.Helper()
	name := TableName("unit_", unique())
	if err := Create(within(t, 10*time.Second), control(t, a), "test", Table{Name: name, Columns: columns}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Drop(within(t, 10*time.Second), control(t, a), name); err != nil {
			t.Error(err)
		}
	})
	return name
}

func TestTransactionsTakeEffectWholeOrNotAtAll(t *testing.T) {
	a := server(t)
	name := table(t, a, "id bigint PRIMARY KEY")
	insert := NewStatement("test_insert", "INSERT INTO "+name+" VALUES ($1)")
	p := open(t, a, Options{Size: 1, Statements: []*Statement{insert}})
	ctx := within(t, 10*time.Second)
	c, err := p.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	pid := c.pg.PID()
	params := NewParams(1)
	for _, step := range []struct {
		name    string
		ids     [2]int64
		kind    work.Kind
		outcome Outcome
		rows    int64
	}{
		{"both succeed", [2]int64{1, 2}, "", Committed, 2},
		{"the first breaks the key", [2]int64{1, 3}, KindConstraint, Refused, 2},
		{"the last breaks the key", [2]int64{3, 1}, KindConstraint, Refused, 2},
		{"and the connection goes on", [2]int64{3, 4}, "", Committed, 4},
	} {
		tx := c.Begin(ctx)
		params.Int64(0, step.ids[0])
		_, err := tx.Exec(insert, params)
		if err == nil {
			params.Int64(0, step.ids[1])
			_, err = tx.ExecLast(insert, params)
		}
		err = tx.End(err)
		if step.kind == "" && err != nil || step.kind != "" && KindOf(err) != step.kind {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := tx.Outcome(err); got != step.outcome {
			t.Errorf("%s: outcome %d, want %d", step.name, got, step.outcome)
		}
		var rows int64
		if err := c.Pgx().QueryRow(ctx, "SELECT count(*) FROM "+name).Scan(&rows); err != nil || rows != step.rows {
			t.Errorf("%s: %d rows, want %d (%v)", step.name, rows, step.rows, err)
		}
	}
	// A batch is a transaction too: the last of its rows is there already.
	rows, err := c.Batch(ctx, insert, 3, params, func(i int) { params.Int64(0, []int64{8, 9, 1}[i]) })
	if KindOf(err) != KindConstraint {
		t.Errorf("batch: %d rows, %v", rows, err)
	}
	rows, err = c.Batch(ctx, insert, 3, params, func(i int) { params.Int64(0, int64(10+i)) })
	if err != nil || rows != 3 {
		t.Errorf("batch: %d rows, %v", rows, err)
	}
	var total int64
	if err := c.Pgx().QueryRow(ctx, "SELECT count(*) FROM "+name).Scan(&total); err != nil || total != 7 || c.pg.PID() != pid {
		t.Errorf("%d rows on connection %d, want 7 on %d (%v)", total, c.pg.PID(), pid, err)
	}
}

// The end of a run must not cost its connections: hundreds of workers give up
// at once, and the checks come right after.
func TestContextThatEndsKeepsTheConnections(t *testing.T) {
	a := server(t)
	sleep := NewStatement("test_sleep", "SELECT pg_sleep($1::bigint)")
	var reconnected atomic.Int64
	p := open(t, a, Options{Size: 4, Statements: []*Statement{sleep}, Reconnected: func(time.Duration) { reconnected.Add(1) }})
	before := p.Stat().NewConnsCount()
	ctx, cancel := context.WithCancel(within(t, 20*time.Second))
	errs := make(chan error, 4)
	started := make(chan struct{}, 4)
	for range 4 {
		go func() {
			c, err := p.Acquire(ctx)
			if err == nil {
				params := NewParams(1)
				params.Int64(0, 600)
				started <- struct{}{}
				_, err = c.Exec(ctx, sleep, params)
				c.Release()
			}
			errs <- err
		}()
	}
	for range 4 {
		<-started
	}
	cancel()
	for range 4 {
		if err := <-errs; KindOf(err) != work.KindTimeout {
			t.Errorf("got %v", err)
		}
	}
	if n := p.Stat().NewConnsCount() - before; n != 0 || reconnected.Load() != 0 {
		t.Errorf("%d connections were opened anew", n)
	}
}

func TestStatementTimeoutIsTheServersAndKeepsTheConnection(t *testing.T) {
	a := server(t)
	sleep := NewStatement("test_sleep", "SELECT pg_sleep($1::bigint)")
	p := open(t, a, Options{Size: 1, StatementTimeout: 50 * time.Millisecond, Statements: []*Statement{sleep}})
	ctx := within(t, 20*time.Second)
	c, err := p.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	params := NewParams(1)
	params.Int64(0, 600)
	if _, err := c.Exec(ctx, sleep, params); KindOf(err) != work.KindTimeout || c.Pgx().IsClosed() {
		t.Errorf("got %v, connection closed: %v", err, c.Pgx().IsClosed())
	}
}

func TestResetRemovesWhatRunsMadeAndNothingElse(t *testing.T) {
	a := server(t)
	ctx := within(t, 20*time.Second)
	c := control(t, a)
	prefix := "reset_" + unique() + "_"
	ours, other := TableName(prefix, "run-1"), TableName("other_"+unique(), "run-1")
	if err := Create(ctx, c, "run-1", Table{Name: ours, Columns: "id bigint"}, Table{Name: other, Columns: "id bigint"}); err != nil {
		t.Fatal(err)
	}
	var comment string
	if err := c.QueryRow(ctx, "SELECT obj_description($1::regclass, 'pg_class')", ours).Scan(&comment); err != nil || !strings.Contains(comment, "run-1, created 20") {
		t.Errorf("comment %q, %v", comment, err)
	}
	// A table of somebody else, who used the schema and the prefix.
	foreign := TableName(prefix, "mine")
	do(t, c, "CREATE TABLE "+foreign+" (id bigint)")
	removed, err := Reset(ctx, c, prefix)
	if err != nil || !slices.Equal(removed, []string{"table " + ours}) {
		t.Errorf("removed %v, %v; want %s", removed, err, ours)
	}
	for name, want := range map[string]bool{ours: false, foreign: true, other: true} {
		var there bool
		if err := c.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", name).Scan(&there); err != nil || there != want {
			t.Errorf("%s: there %v, want %v (%v)", name, there, want, err)
		}
	}
	do(t, c, "DROP TABLE "+foreign)
	if err := Drop(ctx, c, other, ours); err != nil {
		t.Errorf("dropping a table that is gone already: %v", err)
	}
}
