package vm

import (
	"context"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// Stores open what a script reaches besides HTTP. What an address leads to is opened
// once, guarded, and shared by all users. They may be used by several goroutines.
type Stores interface {
	// Redis returns the client of an address, a URL.
	Redis(ctx context.Context, address string) (*redis.Client, error)
	// Postgres returns the pool of an address, a URL or words such as host=127.0.0.1.
	Postgres(ctx context.Context, address string) (*postgres.Pool, error)
	// RabbitMQ returns the connections to the broker at an address, a URL.
	RabbitMQ(ctx context.Context, address string) (*Broker, error)
}

// The metrics of stores.
var (
	RedisCommand = metrics.Desc{Name: "redis_command_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleLatency, Part: "the cache",
		Help: "from when a script asked for a command of Redis until its reply was read, a wait for a connection included; those that failed left out"}
	QueryDuration = postgres.QueryDuration
)

// timed measures what a store did for a script; one that failed is in no figure.
func (v *VM) timed(d metrics.Desc, operation string, began time.Duration, err error) {
	if err != nil || v.phase != phaseRun {
		return
	}
	took := v.now() - began
	v.cache.store(d, operation, v.group).Record(v.stage, took)
	r := v.s.recorder
	if r.selects(d.Name) {
		get := func(k string) (string, bool) { return operation, k == "operation" }
		r.each(v, d.Name, sample{get: get}, func(x *selected) { x.trend.Record(v.stage, took) })
	}
}

// counted adds to a counter of what a store did for a script.
func (v *VM) counted(d metrics.Desc, n int64) {
	if n == 0 || v.phase != phaseRun {
		return
	}
	r := v.s.recorder
	r.reg.Counter(d, v.cache.tags("", v.group)).Add(v.stage, n)
	r.each(v, d.Name, sample{}, func(x *selected) { x.count.Add(v.stage, n) })
}

// store is the series of what a store does.
func (c *seriesCache) store(d metrics.Desc, operation, group string) *metrics.Trend {
	k := seriesKey{d.Name, operation, group}
	x := c.stores[k]
	if x == nil {
		x = c.r.reg.Trend(d, c.tags(operation, group))
		if c.stores == nil {
			c.stores = map[seriesKey]*metrics.Trend{}
		}
		if len(c.stores) < 2*maxNames {
			c.stores[k] = x
		}
	}
	return x
}
