package flow

import (
	"strings"
	"testing"
)

func TestStatementsThatLeaveSomethingOnTheirConnectionAreRefused(t *testing.T) {
	for sql, want := range map[string]string{
		"BEGIN":                           "transaction: {steps",
		"begin;":                          "transaction: {steps",
		"/* a /* b */ */ -- c\n Begin":    "transaction: {steps",
		"START TRANSACTION":               "START TRANSACTION cannot be a step",
		"COMMIT":                          "transaction: {steps",
		"END":                             "transaction: {steps",
		"ROLLBACK":                        "transaction: {steps",
		"ABORT":                           "transaction: {steps",
		"COMMIT PREPARED 'x'":             "COMMIT PREPARED cannot be",
		"SAVEPOINT a":                     "belongs to a transaction",
		"RELEASE SAVEPOINT a":             "belongs to a transaction",
		"LOCK TABLE x":                    "belongs to a transaction",
		"DECLARE c CURSOR FOR SELECT 1":   "belongs to a transaction",
		"FETCH c":                         "belongs to a transaction",
		"SET search_path = a":             "SET LOCAL",
		"set local statement_timeout = 1": "SET LOCAL",
		"RESET ALL":                       "changes its connection",
		"LISTEN a":                        "changes its connection",
		"DISCARD ALL":                     "changes its connection",
		"PREPARE a AS SELECT 1":           "changes its connection",
		"DEALLOCATE a":                    "changes its connection",
		"CREATE TEMP TABLE a (b int)":     "a temporary table",
		"CREATE OR REPLACE TEMP VIEW a AS SELECT 1": "a temporary table",
		"SELECT 1 INTO TEMPORARY a":                 "a temporary table",
		"SELECT pg_advisory_lock($1)":               "pg_advisory_xact_lock",
		"SELECT set_config('a', 'b', false)":        "third argument",
		"SELECT 1; SELECT 2":                        "one statement",
		"SELECT 'a;b'; $$x$$":                       "one statement",
		"":                                          "is empty",
		"-- nothing":                                "is empty",
	} {
		if err := unsafeStatement(sql, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", sql, err, want)
		}
	}
	for _, sql := range []string{
		"SELECT 1", "SELECT 'BEGIN; COMMIT' AS \"set;\";", "SELECT 1; -- done\n /* really */ ;", "SELECT E'it\\'s; BEGIN' || $$a;b$$ || $x$ ; $$ $x$",
		"WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", "DO $$ BEGIN PERFORM 1; END $$", "CALL p($1, $2)", "CREATE TABLE temp (a int)",
		"UPDATE accounts SET balance = balance - $2 WHERE id = $1", "SELECT pg_advisory_xact_lock(1)", "SELECT $1::int + $2", "TRUNCATE a", "NOTIFY a", "SELECT lock, set_at FROM commits",
	} {
		if err := unsafeStatement(sql, false); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestStatementsThatEndOrOutlastATransactionAreRefusedInIt(t *testing.T) {
	for sql, want := range map[string]string{
		"BEGIN":               "cannot be a step of a transaction",
		"COMMIT":              "cannot be a step of a transaction",
		"ROLLBACK":            "end: rollback",
		"SET search_path = a": "SET LOCAL",
		"SET SESSION x = 1":   "SET LOCAL",
		"VACUUM":              "by itself only",
		"LISTEN a":            "changes its connection",
		"DECLARE c CURSOR WITH HOLD FOR SELECT 1":                 "outlasts",
		"CREATE TEMP TABLE a (b int)":                             "a temporary table",
		"SELECT pg_try_advisory_lock(1)":                          "pg_try_advisory_xact_lock",
		"CREATE TEMP TABLE a ON COMMIT PRESERVE ROWS AS SELECT 1": "a temporary table",
	} {
		if err := unsafeStatement(sql, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", sql, err, want)
		}
	}
	for _, sql := range []string{
		"SAVEPOINT a", "ROLLBACK TO SAVEPOINT a", "ROLLBACK TO a", "RELEASE a", "SET LOCAL lock_timeout = '1s'", "SET CONSTRAINTS ALL DEFERRED",
		"SET TRANSACTION READ ONLY", "LOCK TABLE a IN SHARE MODE", "DECLARE c CURSOR FOR SELECT 1", "FETCH 10 FROM c",
		"SELECT set_config('a', 'b', true)", "SELECT 1 FOR UPDATE",
	} {
		if err := unsafeStatement(sql, true); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func FuzzSQLWords(f *testing.F) {
	f.Add("SELECT E'a\\'' || $a$ x $a$ -- b\n /* c /* d */ */; $1")
	f.Fuzz(func(t *testing.T, sql string) {
		for _, inside := range []bool{false, true} {
			_ = unsafeStatement(sql, inside)
		}
		if words, _ := sqlWords(sql); len(words) > len(sql) {
			t.Errorf("%d words in %d bytes", len(words), len(sql))
		}
	})
}
