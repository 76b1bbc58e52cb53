package evidence

import (
	"context"
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// redisCounts are figures of INFO, most of which only grow.
type redisCounts struct {
	forks, evicted, expiryCapped int64
	known                        bool
}

// count notes what the server counts and says of itself: forks and the writing of
// snapshots, evictions, an expiry that does not keep up, and events of LATENCY.
func (w *redisWatcher) count(ctx context.Context, c *redis.Client, j *Journal, open *spans, before float64) error {
	stats, err := c.UniversalClient.Info(ctx, "stats").Result()
	if err != nil {
		if !w.noInfo {
			w.noInfo = true
			w.log.Info("Redis does not let INFO be read: perfctl slow knows less of it", "cause", err)
		}
		return nil
	}
	at := j.Now()
	if persistence, err := c.UniversalClient.Info(ctx, "persistence").Result(); err == nil &&
		field(persistence, "rdb_bgsave_in_progress")+field(persistence, "aof_rewrite_in_progress") > 0 {
		open.see("snapshot", exemplars.Evidence{From: before, To: at, Source: "redis", Kind: exemplars.Snapshot, What: "wrote its data to disk from a copy of itself"})
	}
	now := redisCounts{forks: field(stats, "total_forks"), evicted: field(stats, "evicted_keys"), expiryCapped: field(stats, "expired_time_cap_reached_count"), known: true}
	was := w.counts
	w.counts = now
	if !was.known {
		return nil
	}
	v := exemplars.Evidence{From: before, To: at, Source: "redis"}
	if took := float64(field(stats, "latest_fork_usec")) / 1000; now.forks > was.forks && took >= slowFork {
		v.Kind, v.Took, v.What = exemplars.Fork, took, fmt.Sprintf("copied itself to write its data to disk, and did nothing else for %s", figure.WholeMillis(took))
		if w.stall.To >= v.From && w.stall.To-w.stall.From >= took/2 {
			v.From, v.To = w.stall.From, w.stall.To
		}
		j.Note(v)
	}
	v.From, v.Took = before, 0
	if n := now.evicted - was.evicted; n > 0 {
		v.Kind, v.What = exemplars.Evictions, fmt.Sprintf("%d keys were evicted for want of memory", n)
		j.Note(v)
	}
	if n := now.expiryCapped - was.expiryCapped; n > 0 {
		v.Kind, v.What = exemplars.Expiry, "spent all the time that it may on removing expired keys, and had more"
		j.Note(v)
	}
	w.latency(ctx, c, j, at)
	return nil
}

// latency notes the events that the server's own monitor saw since the last time, where
// it is on (latency-monitor-threshold).
func (w *redisWatcher) latency(ctx context.Context, c *redis.Client, j *Journal, at float64) {
	if w.noLatency {
		return
	}
	all, err := c.UniversalClient.Do(ctx, "LATENCY", "LATEST").Slice()
	if err != nil {
		w.noLatency = ctx.Err() == nil // refused or renamed: what it would tell is extra
		return
	}
	for _, item := range all {
		e, _ := item.([]any)
		if len(e) < 3 {
			continue
		}
		name, _ := e[0].(string)
		second, _ := e[1].(int64)
		took, _ := e[2].(int64)
		known := w.events[name]
		w.events[name] = second
		// Commands are told better by SLOWLOG.
		if known == 0 && !w.latencyRead || second == known || strings.Contains(name, "command") {
			continue
		}
		j.Note(exemplars.Evidence{From: at - 2000, To: at, Source: "redis", Kind: exemplars.Latency, Took: float64(took),
			What: fmt.Sprintf("was held up by %s for %d ms", name, took)})
	}
	w.latencyRead = true
}
