// Package crud is the scenario of records in PostgreSQL: an arrival inserts,
// selects, updates or deletes, row by row or in batches of one mode or
// another, and at the end every row is accounted for. How PostgreSQL is
// reached lives in targets/postgres, when arrivals come in the engine.
package crud

import (
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/keys"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// Definition describes the scenario.
func Definition() scenarios.Definition {
	return scenarios.Definition{
		Name:     "crud",
		Summary:  "inserts, selects, updates or deletes rows in PostgreSQL and is done when the result is read; inserts go one by one or in batches",
		Targets:  []targets.Kind{targets.Postgres},
		Settings: settings(),
		Metrics:  append(postgres.Metrics(), rowsInserted, rowsTrimmed, batchDuration, postgres.Retries, roundTrip),
		Weigh:    weighRows,
		New:      func(env scenarios.Env) (scenarios.Scenario, error) { return newScenario(env) },
	}
}

// The scenario's own metrics; the operation tag is the insert mode.
var (
	rowsInserted = metrics.Desc{Name: "crud_rows", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleBatchRows,
		Help: "rows whose insert was committed; the operation tag is the insert mode"}
	batchDuration = metrics.Desc{Name: "crud_batch_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleBatch,
		Help: "from when the rows of one insert were sent until all were committed, successes only; the operation tag is the insert mode"}
)

// What is deleted again and what the rest is measured against.
var (
	rowsTrimmed = metrics.Desc{Name: "crud_rows_trimmed", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "rows inserted by the run that it deleted again to keep to max_rows"}
	roundTrip = metrics.Desc{Name: "db_round_trip", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "a SELECT 1 on a connection of its own, from sent to read, once a second: the floor under every statement"}
)

// The names of the settings.
const (
	keyMode        = "mode"
	keyBatch       = "batch_size"
	keyMix         = "mix"
	keyKeys        = "keys"
	keyTransaction = "transaction"
	keyPayload     = "payload_size"
	keyTable       = "table_size"
	keyMaxRows     = "max_rows"
	keyIsolation   = "isolation"
	keyRetries     = "retries"
	keyPool        = "pool_size"
	keyStatement   = "statement_timeout"
	keyLock        = "lock_timeout"
)

// isolationDefault leaves the server's own isolation level.
const isolationDefault = "default"

// The insert modes.
const (
	modeSingle = iota
	modeMultiRow
	modeBatch
	modeCopy
	modeCount
)

var modeNames = [modeCount]string{"single", "multi-row", "batch", "copy"}

func settings() []scenarios.Option {
	return []scenarios.Option{
		{Key: keyMode, Default: modeNames[modeSingle], Type: scenarios.Enum(modeNames[:]), PerStage: true,
			Help: "how an insert writes: single (one row), multi-row (one INSERT with many rows), batch (one INSERT a row, sent together), copy (COPY FROM STDIN)"},
		{Key: keyBatch, Default: "100", Type: scenarios.Int{Min: 1, Max: 5000}, PerStage: true,
			Help: "rows of one insert in every mode but single"},
		{Key: keyMix, Default: "insert=40,select=40,update=15,delete=5", Type: scenarios.Text{Valid: validMix}, PerStage: true,
			Help: "operations and their weights, as in insert=40,select=60; one that is left out does not happen"},
		{Key: keyKeys, Default: keys.Names[keys.Uniform], Type: scenarios.Enum(keys.Names[:]), PerStage: true,
			Help: "which rows are selected and updated: " + keys.Help},
		{Key: keyTransaction, Default: "false", Type: scenarios.Bool{}, PerStage: true,
			Help: "an insert of one row also updates another one, both in one transaction"},
		{Key: keyPayload, Default: "200", Type: scenarios.Int{Min: 1, Max: 100_000},
			Help: "bytes of a row's payload"},
		{Key: keyTable, Default: "10000", Type: scenarios.Int{Min: 1, Max: 10_000_000},
			Help: "rows written before the run, which are selected and updated; rows to delete come on top"},
		{Key: keyMaxRows, Default: "0", Type: scenarios.Int{Min: 0, Max: 10_000_000},
			Help: "rows inserted by the run that stay in the table; an insert beyond deletes the oldest, so that a soak measures a table of one size. 0 for no bound"},
		{Key: keyIsolation, Default: isolationDefault, Type: scenarios.Enum{isolationDefault, "read-committed", "repeatable-read", "serializable"},
			Help: "isolation level of every statement and transaction; default leaves the server's own setting"},
		{Key: keyRetries, Default: "3", Type: scenarios.Int{Min: 0, Max: 1000},
			Help: "how often an operation is tried again, at once, after a serialization failure (SQLSTATE 40001) or a deadlock (40P01)"},
		{Key: keyPool, Default: "20", Type: scenarios.Int{Min: 1, Max: 5000},
			Help: "connections, all opened before the run"},
		{Key: keyStatement, Default: "10s", Type: scenarios.Duration{Max: time.Hour},
			Help: "the server ends a statement after this time; 0s leaves the server's own setting"},
		{Key: keyLock, Default: "5s", Type: scenarios.Duration{Max: time.Hour},
			Help: "the server ends a wait for a lock after this time; 0s leaves the server's own setting"},
	}
}
