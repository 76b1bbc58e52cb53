package probe

import (
	"context"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// What is read of Redis and Valkey, from INFO, by the names of its fields.
var (
	redisMemory  = Gauge("redis_memory_bytes", metrics.UnitBytes, "memory that the server allocated (used_memory)").As(metrics.RoleMemory)
	redisRSS     = Gauge("redis_memory_rss_bytes", metrics.UnitBytes, "resident memory of the server (used_memory_rss)").As(metrics.RoleMemory)
	redisLimit   = Gauge("redis_memory_limit_bytes", metrics.UnitBytes, "memory from which on the server evicts or refuses (maxmemory); 0 for none")
	redisClients = Gauge("redis_clients", metrics.UnitCount, "clients that are connected").As(metrics.RoleConnections)
	redisBlocked = Gauge("redis_blocked_clients", metrics.UnitCount, "clients that wait in a blocking command").As(metrics.RoleConnections)
	redisCPU     = Gauge("redis_cpu_percent", metrics.UnitPercent, "processor time of the server since the last reading, in percent of one core; commands are executed by one thread. Of a cluster, of the busiest primary")

	redisCommands = Counter("redis_commands", "commands that the server executed, of all clients")
	redisHits     = Counter("redis_keyspace_hits", "look-ups of keys that were there, of all clients")
	redisMisses   = Counter("redis_keyspace_misses", "look-ups of keys that were not there, of all clients")
	redisEvicted  = Counter("redis_evictions", "keys that the server removed for want of memory")
	redisExpired  = Counter("redis_expirations", "keys that outlived their time")
)

func redisMetrics() []metrics.Desc {
	return []metrics.Desc{redisMemory, redisRSS, redisLimit, redisClients, redisBlocked, redisCPU, redisCommands, redisHits, redisMisses, redisEvicted, redisExpired}
}

type redisReader struct {
	Target
	client *redis.Client
	gauges Gauges

	memory, rss, limit, clients, blocked, cpu *metrics.Gauge
	commands, hits, misses, evicted, expired  *Delta
	used                                      map[string]float64 // processor time by instance, in seconds
	at                                        time.Time
}

// NewRedis returns a reader of a Redis or Valkey server.
func NewRedis(t Target) Reader {
	none := metrics.Tags{}
	g := func(d metrics.Desc) *metrics.Gauge { return t.Metrics.Gauge(d, none) }
	c := func(d metrics.Desc) *Delta { return NewDelta(t.Metrics.Counter(d, none)) }
	r := &redisReader{Target: t,
		memory: g(redisMemory), rss: g(redisRSS), limit: g(redisLimit), clients: g(redisClients), blocked: g(redisBlocked), cpu: g(redisCPU),
		commands: c(redisCommands), hits: c(redisHits), misses: c(redisMisses), evicted: c(redisEvicted), expired: c(redisExpired),
	}
	r.gauges = Gauges{r.memory, r.rss, r.limit, r.clients, r.blocked, r.cpu}
	return r
}

func (r *redisReader) String() string { return "INFO of Redis at " + r.Address.String() }

func (r *redisReader) Read(ctx context.Context, stage int) error {
	err := r.once(ctx, stage)
	if err != nil {
		r.gauges.Unset()
		r.Close(ctx)
	}
	return err
}

func (r *redisReader) once(ctx context.Context, stage int) error {
	if r.client == nil {
		c, err := redis.Open(ctx, r.Address, redis.Options{Connections: 1, Timeout: timeout, Name: "perfctl-" + r.Run + "-probe"})
		if err != nil {
			return err
		}
		r.client = c
	}
	nodes, err := r.client.Infos(ctx)
	if err != nil {
		return err
	}
	in := redis.Sum(nodes)
	r.memory.Set(float64(in.UsedMemory))
	r.rss.Set(float64(in.Resident))
	r.limit.Set(float64(in.MaxMemory))
	r.clients.Set(float64(in.Clients))
	r.blocked.Set(float64(in.Blocked))
	r.readCPU(nodes, time.Now())
	r.commands.See(stage, float64(in.Commands))
	r.hits.See(stage, float64(in.Hits))
	r.misses.See(stage, float64(in.Misses))
	r.evicted.See(stage, float64(in.Evicted))
	r.expired.See(stage, float64(in.Expired))
	return nil
}

// readCPU sets the processor time of the busiest server, as far as it is one that
// was read before.
func (r *redisReader) readCPU(nodes []redis.Info, now time.Time) {
	busiest, known := 0.0, false
	used := map[string]float64{}
	for _, n := range nodes {
		used[n.Instance] = n.CPU
		if before, ok := r.used[n.Instance]; ok && n.CPU >= before {
			busiest, known = max(busiest, n.CPU-before), true
		}
	}
	if past := now.Sub(r.at); known && past > 0 {
		r.cpu.Set(100 * busiest / past.Seconds())
	}
	r.used, r.at = used, now
}

func (r *redisReader) Close(context.Context) {
	if r.client != nil {
		_ = r.client.Close() // it is only read from
		r.client = nil
	}
}
