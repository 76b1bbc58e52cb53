package postgres

import (
	"github.com/perfctl/perfctl/internal/metrics"
)

// The metrics that every scenario with a pool emits.
var (
	// PoolWait is the wait for a connection.
	PoolWait = metrics.Desc{Name: "db_pool_wait", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RolePoolWait, Part: "the database connection pool",
		Help: "from when a worker started an arrival until it had a connection, failures left out"}
	// QueryDuration is one statement.
	QueryDuration = metrics.Desc{Name: "db_query_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleLatency, Part: "the database",
		Help: "from when a statement was sent until its result was read, successes only; the wait for a connection is not in it"}
	// TransactionDuration is one transaction.
	TransactionDuration = metrics.Desc{Name: "db_transaction_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleLatency,
		Help: "from when BEGIN was sent until the commit was confirmed, successes only; a statement outside of a transaction is one of its own"}
	// Transactions counts transactions by their outcome.
	Transactions = metrics.Desc{Name: "db_transactions", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "transactions that ended; the outcome tag is committed, rolled_back, or unknown where the connection was lost in the commit; a statement outside of a transaction is one of its own"}
	// Retries counts tries after the first one.
	Retries = metrics.Desc{Name: "db_retries", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleRetries,
		Help: "operations or transactions tried again because the server gave them up for another's sake; the operation tag is the SQLSTATE: 40001 serialization failure, 40P01 deadlock"}
	// Reconnects counts connections opened within the run.
	Reconnects = metrics.Desc{Name: "db_reconnects", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleReconnects,
		Help: "connections opened after the set-up, in place of lost ones"}
	// ReconnectDuration is how long opening one took.
	ReconnectDuration = metrics.Desc{Name: "db_reconnect_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from dialling until the connection was open and its statements prepared, for connections opened after the set-up"}
	// PoolSize is the number of open connections.
	PoolSize = metrics.Desc{Name: "db_connection_pool_size", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount, Role: metrics.RolePoolSize, Part: "the database connection pool",
		Help: "connections of the pool that are open or being opened"}
	// PoolInUse is the number of connections at work.
	PoolInUse = metrics.Desc{Name: "db_pool_in_use", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount,
		Help: "connections of the pool that an operation holds, at the instant of the reading"}
	// PoolIdle is the number of idle connections.
	PoolIdle = metrics.Desc{Name: "db_pool_idle", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount,
		Help: "connections of the pool that nobody holds"}
	// PoolMax is the pool's bound.
	PoolMax = metrics.Desc{Name: "db_pool_max", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount, Role: metrics.RolePoolMax, Part: "the database connection pool",
		Help: "connections that the pool may have"}
	// PoolWaiting is the number of operations that wait for a connection.
	PoolWaiting = metrics.Desc{Name: "db_pool_waiting", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount,
		Help: "operations that wait for a connection of the pool, at the instant of the reading: above 0 the pool is saturated"}
	// PoolUtilisation is the share of the pool in use.
	PoolUtilisation = metrics.Desc{Name: "db_pool_utilisation", Kind: metrics.KindGauge, Unit: metrics.UnitRatio, Role: metrics.RolePoolUse, Part: "the database connection pool",
		Help: "db_pool_in_use / db_pool_max"}
)

// Metrics lists the descriptions above.
func Metrics() []metrics.Desc {
	return []metrics.Desc{PoolWait, QueryDuration, TransactionDuration, Transactions, Reconnects, ReconnectDuration,
		PoolSize, PoolInUse, PoolIdle, PoolMax, PoolWaiting, PoolUtilisation}
}

// Gauges are the readings of a pool.
type Gauges struct {
	size, inUse, idle, most, waiting, share *metrics.Gauge
}

// NewGauges declares the gauges of a pool under the tags.
func NewGauges(r *metrics.Registry, t metrics.Tags) Gauges {
	return Gauges{r.Gauge(PoolSize, t), r.Gauge(PoolInUse, t), r.Gauge(PoolIdle, t), r.Gauge(PoolMax, t), r.Gauge(PoolWaiting, t), r.Gauge(PoolUtilisation, t)}
}

// Read takes the readings of the pool, which may be nil before it is open.
func (g Gauges) Read(p *Pool) {
	if p == nil {
		return
	}
	s := p.Stat()
	g.size.Set(float64(s.TotalConns()))
	g.inUse.Set(float64(s.AcquiredConns()))
	g.idle.Set(float64(s.IdleConns()))
	g.most.Set(float64(s.MaxConns()))
	g.waiting.Set(float64(p.waiting.Load()))
	g.share.Set(float64(s.AcquiredConns()) / float64(max(s.MaxConns(), 1)))
}
