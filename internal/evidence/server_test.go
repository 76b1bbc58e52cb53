package evidence

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// reach returns the addresses of the servers that tests have.
func reach(t *testing.T) *targets.Settings {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	s, err := targets.Resolve(func(name string) (string, string, bool) {
		v, ok := os.LookupEnv(name)
		return v, "environment", ok
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// watched returns what a watcher sees while f runs. f is called when it has begun, and
// may end at once: what it did is seen right after it.
func watched(t *testing.T, w Watcher, f func(seen func(kind string) bool)) []exemplars.Evidence {
	t.Helper()
	began := time.Now()
	j := NewJournal(func() time.Duration { return time.Since(began) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Watch(ctx, j) }()
	var all []exemplars.Evidence
	f(func(kind string) bool {
		j.Take(func(v *exemplars.Evidence) { all = append(all, *v) })
		for _, v := range all {
			if v.Kind == kind {
				return true
			}
		}
		return false
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	j.Take(func(v *exemplars.Evidence) { all = append(all, *v) })
	return all
}

// until waits for something that a watcher comes to see, at most a while.
func until(t *testing.T, what string, seen func() bool) {
	t.Helper()
	for range 200 {
		if seen() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s was not seen within 10 s", what)
}

func only(all []exemplars.Evidence, kind string) (out []exemplars.Evidence) {
	for _, v := range all {
		if v.Kind == kind {
			out = append(out, v)
		}
	}
	return out
}

func TestALockIsSeenWithItsHolderAndStatement(t *testing.T) {
	at := reach(t).Postgres
	ctx := t.Context()
	open := func() *postgresConn { return connect(t, at) }
	holder, middle, waiter := open(), open(), open()
	holder.do("CREATE TABLE IF NOT EXISTS evidence_lock (id int)")
	defer holder.do("DROP TABLE evidence_lock")
	holder.do("BEGIN")
	holder.do("LOCK TABLE evidence_lock IN ACCESS EXCLUSIVE MODE")
	all := watched(t, NewPostgres(at, "evidence", slog.New(slog.DiscardHandler)), func(seen func(string) bool) {
		// A second one that waits for the first, and a third that waits for both.
		ends := make(chan error, 2)
		for _, c := range []*postgresConn{middle, waiter} {
			go func() {
				_, err := c.Exec(ctx, "LOCK TABLE evidence_lock IN ACCESS SHARE MODE; SELECT 1")
				ends <- err
			}()
		}
		time.Sleep(5 * looks) // it is the wait that is looked for
		holder.do("COMMIT")
		for range 2 {
			if err := <-ends; err != nil {
				t.Error(err)
			}
		}
		until(t, "the lock", func() bool { return seen(exemplars.Lock) })
	})
	locks := only(all, exemplars.Lock)
	waits := map[uint32]exemplars.Evidence{}
	for _, v := range locks {
		waits[v.Process] = v
	}
	for _, pid := range []uint32{middle.PgConn().PID(), waiter.PgConn().PID()} {
		v, ok := waits[pid]
		if !ok || len(v.Blockers) != 1 || v.Blockers[0] != holder.PgConn().PID() || !strings.Contains(v.By, "LOCK TABLE evidence_lock IN ACCESS EXCLUSIVE") {
			t.Errorf("process %d: %+v", pid, v)
		}
		if took := v.To - v.From; took <= 0 {
			t.Errorf("process %d waited for %.0f ms", pid, took)
		}
	}
}

func TestACommandThatHoldsRedisUpIsSeen(t *testing.T) {
	at := reach(t).Redis
	c, err := redis.Open(t.Context(), at, redis.Options{Connections: 1, Timeout: 10 * time.Second, Name: "evidence"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	all := watched(t, NewRedis(at, "evidence", slog.New(slog.DiscardHandler)), func(seen func(string) bool) {
		n := 0
		until(t, "a slow command", func() bool {
			if n++; n%10 == 1 {
				if err := c.Eval(t.Context(), "local n = 0; for i = 1, 5000000 do n = n + i % 7 end; return n", nil).Err(); err != nil {
					t.Error(err)
				}
			}
			return seen(exemplars.Command)
		})
	})
	v := only(all, exemplars.Command)[0]
	if !strings.Contains(strings.ToLower(v.What), "eval local n") || v.Command != "EVAL" || v.To <= v.From || v.Process != 0 {
		t.Errorf("%+v", v)
	}
}

type postgresConn struct {
	*pgx.Conn
	t *testing.T
}

func connect(t *testing.T, a targets.Address) *postgresConn {
	t.Helper()
	c, err := postgres.Connect(t.Context(), a, postgres.Options{Run: "evidence-test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return &postgresConn{c, t}
}

func (c *postgresConn) do(sql string) {
	c.t.Helper()
	if _, err := c.Exec(c.t.Context(), sql); err != nil {
		c.t.Fatal(fmt.Errorf("%s: %w", sql, err))
	}
}
