package probe

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// What is read of PostgreSQL, from the statistics views of versions 14 to 18.
var (
	pgConnections = Gauge("pg_connections", metrics.UnitCount, "clients connected to the server, of every database (pg_stat_activity)").As(metrics.RoleConnections)
	pgMax         = Gauge("pg_connections_max", metrics.UnitCount, "connections that the server allows (max_connections)")
	pgActive      = Gauge("pg_active", metrics.UnitCount, "clients of the database that execute a statement at the instant of the reading")
	pgLockWaits   = Gauge("pg_lock_waits", metrics.UnitCount, "clients of the database that wait for a lock at the instant of the reading")
	pgOldest      = Gauge("pg_oldest_transaction_seconds", metrics.UnitSeconds, "age of the oldest open transaction of the database; 0 where there is none")
	pgHitRatio    = Gauge("pg_cache_hit_ratio", metrics.UnitRatio, "share of the database's block reads since the last reading that the server's cache answered").As(metrics.RoleHitRatio)
	pgCommits     = Counter("pg_commits", "transactions of the database that were committed, of all clients")
	pgRollbacks   = Counter("pg_rollbacks", "transactions of the database that were rolled back, of all clients")
	pgDeadlocks   = Counter("pg_deadlocks", "deadlocks in the database")
	pgTemp        = metrics.Desc{Name: "pg_temp_bytes", Kind: metrics.KindCounter, Unit: metrics.UnitBytes, Help: "bytes of temporary files that queries of the database wrote: work_mem was too small"}
	pgWAL         = metrics.Desc{Name: "pg_wal_bytes", Kind: metrics.KindCounter, Unit: metrics.UnitBytes, Help: "bytes of write-ahead log that the server wrote"}
	pgCheckpoints = Counter("pg_checkpoints", "checkpoints, timed and asked for")
)

func postgresMetrics() []metrics.Desc {
	return []metrics.Desc{pgConnections, pgMax, pgActive, pgLockWaits, pgOldest, pgHitRatio, pgCommits, pgRollbacks, pgDeadlocks, pgTemp, pgWAL, pgCheckpoints}
}

type postgresReader struct {
	Target
	conn   *pgx.Conn
	query  string
	gauges Gauges

	connections, limit, active, lockWaits, oldest, hitRatio *metrics.Gauge
	commits, rollbacks, deadlocks, temp, wal, checkpoints   *Delta
	hit, read                                               float64
	seen                                                    bool
}

// NewPostgres returns a reader of a PostgreSQL server.
func NewPostgres(t Target) Reader {
	none := metrics.Tags{}
	g := func(d metrics.Desc) *metrics.Gauge { return t.Metrics.Gauge(d, none) }
	c := func(d metrics.Desc) *Delta { return NewDelta(t.Metrics.Counter(d, none)) }
	r := &postgresReader{Target: t,
		connections: g(pgConnections), limit: g(pgMax), active: g(pgActive), lockWaits: g(pgLockWaits), oldest: g(pgOldest), hitRatio: g(pgHitRatio),
		commits: c(pgCommits), rollbacks: c(pgRollbacks), deadlocks: c(pgDeadlocks), temp: c(pgTemp), wal: c(pgWAL), checkpoints: c(pgCheckpoints),
	}
	r.gauges = Gauges{r.connections, r.limit, r.active, r.lockWaits, r.oldest, r.hitRatio}
	return r
}

func (r *postgresReader) String() string {
	return "the statistics of PostgreSQL at " + r.Address.String()
}

// pgQuery reads everything in one statement; the count of checkpoints moved to a
// view of its own in version 17.
const pgQuery = `SELECT d.xact_commit, d.xact_rollback, d.deadlocks, d.temp_bytes, d.blks_hit, d.blks_read,
 a.clients, a.active, a.waiting, a.oldest, current_setting('max_connections')::bigint,
 CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') END::float8,
 (SELECT `
const pgQueryRest = `)
FROM pg_stat_database d, (SELECT
  count(*) AS clients,
  count(*) FILTER (WHERE state = 'active' AND datname = current_database()) AS active,
  count(*) FILTER (WHERE wait_event_type = 'Lock' AND datname = current_database()) AS waiting,
  coalesce(extract(epoch FROM max(clock_timestamp() - xact_start) FILTER (WHERE datname = current_database())), 0)::float8 AS oldest
 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) a
WHERE d.datname = current_database()`

func (r *postgresReader) open(ctx context.Context) error {
	c, err := postgres.Connect(ctx, r.Address, postgres.Options{Run: r.Run + " probe"})
	if err != nil {
		return err
	}
	var version int
	if err := c.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		_ = c.Close(ctx)
		return err
	}
	checkpoints := "checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter"
	if version >= 170000 {
		checkpoints = "num_timed + num_requested FROM pg_stat_checkpointer"
	}
	r.conn, r.query = c, pgQuery+checkpoints+pgQueryRest
	return nil
}

func (r *postgresReader) Read(ctx context.Context, stage int) error {
	err := r.once(ctx, stage)
	if err != nil {
		r.gauges.Unset()
		r.Close(ctx)
	}
	return err
}

func (r *postgresReader) once(ctx context.Context, stage int) error {
	if r.conn == nil {
		if err := r.open(ctx); err != nil {
			return err
		}
	}
	var commits, rollbacks, deadlocks, temp, hit, read, clients, active, waiting, oldest, limit, checkpoints float64
	var wal sql.NullFloat64
	if err := r.conn.QueryRow(ctx, r.query).Scan(&commits, &rollbacks, &deadlocks, &temp, &hit, &read,
		&clients, &active, &waiting, &oldest, &limit, &wal, &checkpoints); err != nil {
		return err
	}
	r.connections.Set(clients)
	r.limit.Set(limit)
	r.active.Set(active)
	r.lockWaits.Set(waiting)
	r.oldest.Set(oldest)
	if reads := hit - r.hit + read - r.read; r.seen && reads > 0 {
		r.hitRatio.Set((hit - r.hit) / reads)
	}
	r.hit, r.read, r.seen = hit, read, true
	r.commits.See(stage, commits)
	r.rollbacks.See(stage, rollbacks)
	r.deadlocks.See(stage, deadlocks)
	r.temp.See(stage, temp)
	r.checkpoints.See(stage, checkpoints)
	if wal.Valid {
		r.wal.See(stage, wal.Float64)
	}
	return nil
}

func (r *postgresReader) Close(ctx context.Context) {
	if r.conn != nil {
		_ = r.conn.Close(ctx) // it is only read from
		r.conn = nil
	}
}
