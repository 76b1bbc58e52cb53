package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Schema is perfctl's own schema. Nothing outside of it is ever written.
const Schema = "perfctl"

// schemaLock is the advisory lock of those who make or remove the schema:
// "perfctl" in ASCII.
const schemaLock = 0x7065726663746c

// mark begins the comment of every object that perfctl made.
const mark = "perfctl run "

// maxName is how long a name may be in PostgreSQL.
const maxName = 63

// TableName returns the name of a run's table, to be used as it is in SQL: the
// schema, the prefix, the run's identity with underscores.
func TableName(prefix, run string) string {
	name := []byte(strings.ToLower(prefix + run))
	for i, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			name[i] = '_'
		}
	}
	if len(name) > maxName {
		h := fnv.New32a()
		_, _ = h.Write(name)
		name = fmt.Appendf(name[:maxName-9], "_%08x", h.Sum32())
	}
	return Schema + "." + string(name)
}

// Table is a table to be made.
type Table struct {
	// Name is a TableName.
	Name string
	// Columns is what stands between the parentheses of CREATE TABLE.
	Columns string
}

// Create makes the tables, and the schema where it is missing, in one
// transaction. Each table's comment says which run made it and when.
func Create(ctx context.Context, c *pgx.Conn, run string, tables ...Table) error {
	return locked(ctx, c, func(tx pgx.Tx) error {
		if err := makeSchema(ctx, tx); err != nil {
			return err
		}
		comment := quoteText(mark + run + ", created " + time.Now().UTC().Format(time.RFC3339))
		for _, t := range tables {
			for _, sql := range []string{
				"CREATE TABLE " + t.Name + " (" + t.Columns + ")",
				"COMMENT ON TABLE " + t.Name + " IS " + comment,
			} {
				if _, err := tx.Exec(ctx, sql); err != nil {
					return fmt.Errorf("create table %s: %w", t.Name, err)
				}
			}
		}
		return nil
	})
}

// makeSchema asks first: CREATE SCHEMA IF NOT EXISTS wants the right to create
// even where there is nothing to create.
func makeSchema(ctx context.Context, tx pgx.Tx) error {
	var there bool
	if err := tx.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", Schema).Scan(&there); err != nil {
		return err
	}
	if there {
		return nil
	}
	if _, err := tx.Exec(ctx, "CREATE SCHEMA "+Schema); err != nil {
		return fmt.Errorf("create schema %s: %w", Schema, err)
	}
	_, err := tx.Exec(ctx, "COMMENT ON SCHEMA "+Schema+" IS 'made by perfctl, which removes it with: perfctl reset'")
	return err
}

// Drop removes tables of a run, in one transaction. A table that is gone
// already is no error.
func Drop(ctx context.Context, c *pgx.Conn, names ...string) error {
	for _, name := range names {
		if _, err := c.Exec(ctx, "DROP TABLE IF EXISTS "+name); err != nil && !hasCode(err, "3F000") {
			return fmt.Errorf("drop table %s: %w", name, err)
		}
	}
	return nil
}

// Reset removes every table in perfctl's schema that a run made and whose name
// begins with the prefix, and the schema once it is empty. It says what it
// removed.
func Reset(ctx context.Context, c *pgx.Conn, prefix string) ([]string, error) {
	names, err := leftovers(ctx, c, prefix)
	if err != nil {
		return nil, fmt.Errorf("list the tables in schema %s: %w", Schema, err)
	}
	var removed []string
	for _, name := range names {
		if _, err := c.Exec(ctx, "DROP TABLE IF EXISTS "+pgx.Identifier{Schema, name}.Sanitize()); err != nil {
			return removed, fmt.Errorf("drop table %s.%s: %w", Schema, name, err)
		}
		removed = append(removed, "table "+Schema+"."+name)
	}
	gone, err := dropSchema(ctx, c)
	if gone {
		removed = append(removed, "schema "+Schema)
	}
	return removed, err
}

func leftovers(ctx context.Context, c *pgx.Conn, prefix string) ([]string, error) {
	rows, err := c.Query(ctx, `SELECT t.relname::text FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
		WHERE n.nspname = $1 AND t.relkind = 'r' AND starts_with(t.relname::text, $2)
		AND starts_with(obj_description(t.oid, 'pg_class'), $3) ORDER BY 1`, Schema, prefix, mark)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// dropSchema removes the schema if it is perfctl's own and holds nothing.
func dropSchema(ctx context.Context, c *pgx.Conn) (gone bool, err error) {
	err = locked(ctx, c, func(tx pgx.Tx) error {
		var ours bool
		err := tx.QueryRow(ctx, `SELECT coalesce(bool_or(starts_with(obj_description(oid, 'pg_namespace'), 'made by perfctl')), false)
			FROM pg_namespace WHERE nspname = $1`, Schema).Scan(&ours)
		if err != nil || !ours {
			return err
		}
		if _, err := tx.Exec(ctx, "DROP SCHEMA "+Schema+" RESTRICT"); err != nil {
			return err
		}
		gone = true
		return nil
	})
	if hasCode(err, "2BP01") { // dependent_objects_still_exist
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("drop schema %s: %w", Schema, err)
	}
	return gone, nil
}

// locked runs f in a transaction that holds the schema's lock.
func locked(ctx context.Context, c *pgx.Conn, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(schemaLock)); err != nil {
			return err
		}
		return f(tx)
	})
}

func hasCode(err error, code string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == code
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
