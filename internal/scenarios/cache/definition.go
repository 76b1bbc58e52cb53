// Package cache is the scenario of a cache in front of a back end: reads with
// an exactly controlled hit ratio, and on a miss what a program does about it.
// It holds no driver and no other scenario.
package cache

import (
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/keys"
	"github.com/perfctl/perfctl/internal/targets"
)

// Definition returns the scenario's definition.
func Definition() scenarios.Definition {
	return scenarios.Definition{
		Name:     "cache",
		Summary:  "GET a key with an exact hit ratio; on a miss fetch from the back end and SET; done with the value in hand and in the cache",
		Targets:  []targets.Kind{targets.Redis},
		Also:     also,
		Settings: settings(),
		Metrics: []metrics.Desc{hitRatio, command, missPenalty, backend, hits, misses, unexpected, fetches, redundant, stampede,
			memoryUsed, dataset, bytesPerEntry, evicted, reconnects, redirects},
		Weigh: weighKeys,
		New:   func(e scenarios.Env) (scenarios.Scenario, error) { return newScenario(e), nil },
	}
}

// also returns the back end's database, where there is one.
func also(v *scenarios.Values) []targets.Kind {
	if v.Text(0, "backend") == database {
		return []targets.Kind{targets.Postgres}
	}
	return nil
}

func settings() []scenarios.Option {
	return []scenarios.Option{
		{Key: "hit_ratio", Default: "0.9", Type: scenarios.Float{Min: 0, Max: 1}, PerStage: true,
			Help: "share of reads that hit, exact over each stage"},
		{Key: "keys", Default: "10000", Type: scenarios.Int{Min: 1, Max: 1_000_000},
			Help: "keys loaded at the start, from which hits are drawn"},
		{Key: "value_size", Default: "512", Type: scenarios.Int{Min: headerSize, Max: 1 << 20},
			Help: "size of a value, in bytes"},
		{Key: "value_size_max", Default: "0", Type: scenarios.Int{Min: 0, Max: 1 << 20},
			Help: "size of the largest value: sizes are spread evenly from value_size to it; 0 where all are equal"},
		{Key: "distribution", Default: keys.Names[keys.Uniform], Type: scenarios.Enum(keys.Names[:]), PerStage: true,
			Help: "which keys hits fall on: " + keys.Help},
		{Key: "ttl", Default: "0s", Type: scenarios.Duration{Max: 24 * time.Hour},
			Help: "time to live of the loaded keys; 0 for none. A key that expires in the run is an unexpected miss"},
		{Key: "ttl_jitter", Default: "0", Type: scenarios.Float{Min: 0, Max: 1},
			Help: "part of ttl by which a key may expire earlier, so that not all expire at once"},
		{Key: "miss_ttl", Default: "60s", Type: scenarios.Duration{Min: time.Second, Max: 24 * time.Hour},
			Help: "time to live of what misses write, so that memory stays bounded"},
		{Key: "hot_share", Default: "0", Type: scenarios.Float{Min: 0, Max: 1}, PerStage: true,
			Help: "share of arrivals that read one hot key, which expires every hot_ttl: all that then miss it fetch it at once, a stampede. They are not part of hit_ratio"},
		{Key: "hot_ttl", Default: "1s", Type: scenarios.Duration{Min: time.Millisecond, Max: 24 * time.Hour},
			Help: "time to live of the hot key"},
		{Key: "coalesce", Default: "false", Type: scenarios.Bool{},
			Help: "whether misses of the hot key wait for the fetch that is under way, as a program with single-flight does"},
		{Key: "backend", Default: simulated, Type: scenarios.Enum{simulated, database},
			Help: "where a miss is fetched from: simulated (a wait of backend_time) or database (a row of a table of perfctl's own in PostgreSQL)"},
		{Key: "backend_rows", Default: "10000", Type: scenarios.Int{Min: 1, Max: 10_000_000},
			Help: "rows of the database's table"},
		{Key: "backend_pool", Default: "20", Type: scenarios.Int{Min: 1, Max: 5000},
			Help: "connections to the database; never more than arrivals in flight"},
		{Key: "backend_time", Default: "2ms", Type: scenarios.Duration{Max: time.Minute}, PerStage: true,
			Help: "mean time of the simulated back end"},
		{Key: "backend_distribution", Default: "constant", Type: scenarios.Enum{"constant", "exponential"}, PerStage: true,
			Help: "distribution of the back end's time"},
		{Key: "pool_size", Default: "50", Type: scenarios.Int{Min: 1, Max: 10_000},
			Help: "connections, to each primary of a cluster, all open from the start; never more than arrivals in flight"},
		{Key: "timeout", Default: "5s", Type: scenarios.Duration{Min: time.Millisecond, Max: 10 * time.Minute},
			Help: "bound on one command"},
	}
}

var (
	hitRatio = metrics.Desc{Name: "cache_hit_ratio", Kind: metrics.KindRate, Unit: metrics.UnitRatio, Role: metrics.RoleHitRatio,
		Help: "reads that found their key ÷ reads that the server answered; reads of the hot key are not in it"}
	command = metrics.Desc{Name: "redis_command_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleLatency, Part: "the cache",
		Help: "from when a command was given to the driver until its reply was read, waiting for a connection included"}
	missPenalty = metrics.Desc{Name: "cache_miss_penalty", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "what a miss costs beyond its GET: from the reply that there is no such key until the SET of the fetched value was confirmed, or until the fetch that it waited for was done"}
	backend = metrics.Desc{Name: "cache_backend_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Part: "the back end behind the cache",
		Help: "from the reply that there is no such key until the back end gave the value"}
	hits = metrics.Desc{Name: "cache_hits", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "reads that found their key"}
	misses = metrics.Desc{Name: "cache_misses", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "reads that did not"}
	unexpected = metrics.Desc{Name: "cache_unexpected_misses", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "reads of a loaded key that was gone: evicted, expired or flushed"}
	fetches = metrics.Desc{Name: "cache_backend_fetches", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "fetches from the back end"}
	redundant = metrics.Desc{Name: "cache_stampede_fetches", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "fetches of the hot key that began while another fetch of it was under way: what coalescing saves"}
	stampede = metrics.Desc{Name: "cache_stampede_size", Kind: metrics.KindGauge, Unit: metrics.UnitCount,
		Help: "fetches of the hot key in its largest stampede since the last reading"}
	memoryUsed = metrics.Desc{Name: "redis_memory_used_bytes", Kind: metrics.KindGauge, Unit: metrics.UnitBytes, Role: metrics.RoleMemory,
		Help: "memory that the server allocated (INFO used_memory); of a cluster, all primaries together"}
	dataset = metrics.Desc{Name: "redis_dataset_bytes", Kind: metrics.KindGauge, Unit: metrics.UnitBytes,
		Help: "memory of the server's data (INFO used_memory_dataset)"}
	bytesPerEntry = metrics.Desc{Name: "cache_bytes_per_entry", Kind: metrics.KindGauge, Unit: metrics.UnitBytes,
		Help: "growth of the server's allocated memory over the loading of the keys ÷ their number"}
	evicted = metrics.Desc{Name: "redis_evicted_keys", Kind: metrics.KindGauge, Unit: metrics.UnitCount,
		Help: "keys that the server removed for want of memory since the start of the run"}
	reconnects = metrics.Desc{Name: "redis_reconnects", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount, Role: metrics.RoleReconnects,
		Help: "connections opened after the first ones"}
	redirects = metrics.Desc{Name: "redis_redirects", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount,
		Help: "commands that had to be sent to another node of the cluster (MOVED, ASK), since the start of the run; only of a cluster"}
)
