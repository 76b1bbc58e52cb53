//go:build causes

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// database opens a connection of the test's own.
func database(t *testing.T) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), os.Getenv("DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func do(t *testing.T, c *pgx.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// flow writes a flow of the test's own and returns how it is run.
func flow(t *testing.T, text string, more ...string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "flow.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return append([]string{"--flow", file}, more...)
}

// hold keeps what some statements took for a while.
func hold(t *testing.T, c *pgx.Conn, statements ...string) (from, to time.Time) {
	t.Helper()
	return meanwhile(func() {
		do(t, c, append([]string{"BEGIN"}, statements...)...)
		time.Sleep(1300 * time.Millisecond)
		do(t, c, "ROLLBACK")
	})
}

func plantedInPostgres() []planted {
	hot := func(t *testing.T) []string {
		do(t, database(t), "DROP TABLE IF EXISTS causes_hot", "CREATE TABLE causes_hot (id int PRIMARY KEY, n bigint NOT NULL)",
			"INSERT INTO causes_hot SELECT i, 0 FROM generate_series(1, 20) i")
		return flow(t, "steps:\n  - name: count\n    sql: {query: \"UPDATE causes_hot SET n = n + 1 WHERE id = $1\", args: [\"{{random 1 20}}\"]}\n")
	}
	crud := func(*testing.T) []string { return []string{"--scenario", "crud"} }
	return []planted{
		{name: "a lock on a hot row", args: hot, want: `^lock .*UPDATE causes_hot SET n = 0`, plant: func(t *testing.T) (from, to time.Time) {
			return hold(t, database(t), "UPDATE causes_hot SET n = 0 WHERE id = 7")
		}},
		{name: "a lock on the table by DDL", args: hot, want: `^lock .*ALTER TABLE causes_hot`, plant: func(t *testing.T) (from, to time.Time) {
			return hold(t, database(t), "ALTER TABLE causes_hot ADD COLUMN note text")
		}},
		{name: "a checkpoint storm", args: crud, want: `checkpoint`, lasts: 16 * time.Second, rate: 300, plant: func(t *testing.T) (from, to time.Time) {
			c := database(t)
			return meanwhile(func() {
				do(t, c, "DROP TABLE IF EXISTS causes_bulk", "CREATE TABLE causes_bulk (id int, pad text)")
				for range 2 {
					do(t, c, "INSERT INTO causes_bulk SELECT i, repeat('x', 900) FROM generate_series(1, 300000) i", "CHECKPOINT")
				}
				do(t, c, "DROP TABLE causes_bulk")
			})
		}},
		{name: "an exhausted pool", args: exhaustible, want: `^pool .*PostgreSQL`, plant: func(t *testing.T) (from, to time.Time) {
			c := database(t)
			return meanwhile(func() {
				do(t, c, "UPDATE causes_knob SET v = 0.06")
				time.Sleep(1200 * time.Millisecond)
				do(t, c, "UPDATE causes_knob SET v = 0.001")
			})
		}},
		{name: "a paused backend", args: crud, want: `^stopped `, plant: pauseBackend},
		{name: "a statement that lost its index", args: indexed, want: `^(plan|busy) .*causes_wide`, plant: func(t *testing.T) (from, to time.Time) {
			c := database(t)
			return meanwhile(func() {
				do(t, c, "ALTER INDEX causes_wide_key RENAME TO causes_gone", "DROP INDEX causes_gone")
				time.Sleep(2500 * time.Millisecond)
				do(t, c, "CREATE INDEX causes_wide_key ON causes_wide (key)")
			})
		}},
	}
}

// exhaustible has statements that take as long as the test says, on two connections.
func exhaustible(t *testing.T) []string {
	do(t, database(t), "DROP TABLE IF EXISTS causes_knob", "CREATE TABLE causes_knob (v float8)", "INSERT INTO causes_knob VALUES (0.001)")
	return flow(t, "steps:\n  - name: wait\n    sql: {query: \"SELECT pg_sleep(v) FROM causes_knob\"}\n", "--set", "flow.pool_size=2")
}

// indexed reads a table by an index.
func indexed(t *testing.T) []string {
	do(t, database(t), "DROP TABLE IF EXISTS causes_wide", "CREATE TABLE causes_wide (key int, pad text)",
		"INSERT INTO causes_wide SELECT i, repeat('x', 100) FROM generate_series(1, 150000) i", "CREATE INDEX causes_wide_key ON causes_wide (key)", "VACUUM ANALYZE causes_wide",
		"ALTER TABLE causes_wide SET (parallel_workers = 0)")
	return flow(t, "steps:\n  - name: read\n    sql: {query: \"SELECT pad FROM causes_wide WHERE key = $1\", args: [\"{{random 1 150000}}\"]}\n")
}

// pauseBackend stops the server's process behind one of the run's connections.
func pauseBackend(t *testing.T) (from, to time.Time) {
	t.Helper()
	var pid int
	err := database(t).QueryRow(t.Context(), "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'perfctl/%' AND query LIKE '%perfctl.crud_%' ORDER BY query_start DESC LIMIT 1").Scan(&pid)
	if err != nil {
		t.Fatal(fmt.Errorf("find a process: %w", err))
	}
	return meanwhile(func() {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
		time.Sleep(1300 * time.Millisecond)
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	})
}
