package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// keyPrefix leads every key that perfctl writes, runsKey names the runs that
// wrote some.
const (
	keyPrefix = "perfctl:"
	runsKey   = "perfctl:runs"
)

// loadBatch is how many keys are written by one pipeline.
const loadBatch = 500

// Setup opens the connections and loads the keys.
func (s *scenario) Setup(ctx context.Context) error {
	addr := s.env.Targets.Redis
	if err := s.open(ctx); err != nil {
		return err
	}
	if s.store != nil {
		if err := s.store.make(ctx, s); err != nil {
			return err
		}
		if err := s.store.open(ctx, s); err != nil {
			return err
		}
	}
	c := s.client
	if err := c.SAdd(ctx, runsKey, s.run).Err(); err != nil {
		return redis.Explain(addr, "write "+runsKey, err)
	}
	empty, err := c.Info(ctx)
	if err != nil {
		return redis.Explain(addr, "INFO", err)
	}
	if err := s.load(ctx); err != nil {
		return redis.Explain(addr, "load the keys", err)
	}
	// Reads before this point are not the run's.
	if s.before, err = c.Info(ctx); err != nil {
		return redis.Explain(addr, "INFO", err)
	}
	s.entry.Set(float64(s.before.UsedMemory-empty.UsedMemory) / float64(len(s.keys)))
	return nil
}

// open opens the connections to the cache.
func (s *scenario) open(ctx context.Context) (err error) {
	s.client, err = redis.Open(ctx, s.env.Targets.Redis, redis.Options{
		Connections: min(s.env.Plan.Part(s.env.Values.Int(0, "pool_size")), s.env.Plan.Workers),
		Timeout:     s.env.Values.Duration(0, "timeout"), Name: "perfctl-" + s.run,
	})
	if err != nil {
		return err
	}
	s.together = s.client.Together(s.sizes.most)
	return nil
}

// Shares says that the keys, and the table behind them, are the whole run's.
func (s *scenario) Shares() string { return "its keys" }

// HandOver has nothing to tell: the run's identity names the keys.
func (s *scenario) HandOver() ([]byte, error) { return nil, nil }

// Join opens the connections to the keys that the first shard loaded.
func (s *scenario) Join(ctx context.Context, _ []byte) (err error) {
	s.loaded.Store(int64(len(s.keys)))
	if err := s.open(ctx); err != nil {
		return err
	}
	if s.store != nil {
		s.stored.Store(s.store.rows)
		if err := s.store.open(ctx, s); err != nil {
			return err
		}
	}
	if s.before, err = s.client.Info(ctx); err != nil {
		return redis.Explain(s.env.Targets.Redis, "INFO", err)
	}
	return nil
}

// ttlOf returns the time to live of a loaded key: ttl, less a random part of it
// of up to ttl_jitter, so that keys that were written at once do not expire at
// once.
func (s *scenario) ttlOf(id uint64) time.Duration {
	if s.ttl == 0 {
		return 0
	}
	u := work.Unit(work.Mix(s.env.Seed, id, streamTTL))
	return max(s.ttl-time.Duration(u*s.jitter*float64(s.ttl)), time.Millisecond)
}

func (s *scenario) load(ctx context.Context) error {
	id := 0
	for batch := range slices.Chunk(s.keys, s.env.Pace.Batch(loadBatch)) {
		if err := s.env.Pace.Wait(ctx, len(batch)); err != nil {
			return err
		}
		_, err := s.client.Pipelined(ctx, func(p driver.Pipeliner) error {
			for _, key := range batch {
				p.Set(ctx, key, s.sizes.appendValue(nil, uint64(id)), s.ttlOf(uint64(id)))
				id++
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.loaded.Add(int64(len(batch)))
	}
	return nil
}

// Tell tells how many keys are loaded, as long as some are not.
func (s *scenario) Progress() string {
	if s.store != nil && s.stored.Load() < s.store.rows {
		return fmt.Sprintf("%d of %d rows written", s.stored.Load(), s.store.rows)
	}
	n := s.loaded.Load()
	if n == int64(len(s.keys)) {
		return ""
	}
	return fmt.Sprintf("%d of %d keys written", n, len(s.keys))
}

// Close removes the run's keys.
func (s *scenario) Close(ctx context.Context) error {
	var stored error
	if s.store != nil {
		stored = s.store.close(ctx, s)
	}
	if s.client == nil {
		return stored
	}
	defer s.leaveWith(ctx)()
	var err error
	if s.env.Plan.First() { // the others' keys, too
		err = remove(ctx, s.client, s.run)
	}
	if err != nil {
		err = redis.Explain(s.env.Targets.Redis, "remove the run's keys", err)
	}
	return errors.Join(err, stored, s.client.Close())
}

// leaveWith ends every command with ctx: the driver itself waits for an answer as long
// as its time-outs say, again and again. What is returned ends that.
func (s *scenario) leaveWith(ctx context.Context) func() {
	if s.client == nil {
		return func() {}
	}
	stop := context.AfterFunc(ctx, func() { _ = s.client.Close() })
	return func() { stop() }
}

// remove deletes the keys of a run, on every server that holds some, then its name.
func remove(ctx context.Context, c *redis.Client, run string) error {
	err := c.EachPrimary(ctx, func(ctx context.Context, n *driver.Client) error {
		for cursor := uint64(0); ; {
			keys, next, err := n.Scan(ctx, cursor, keyPrefix+run+":*", 1000).Result()
			if err != nil {
				return err
			}
			if err := unlink(ctx, c, keys); err != nil {
				return err
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	})
	if err != nil {
		return err
	}
	return c.SRem(ctx, runsKey, run).Err()
}

// unlink removes keys: by one command of each where they are spread over slots.
func unlink(ctx context.Context, c *redis.Client, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	if !c.IsCluster() {
		return c.Unlink(ctx, keys...).Err()
	}
	_, err := c.Pipelined(ctx, func(p driver.Pipeliner) error {
		for _, key := range keys {
			p.Unlink(ctx, key)
		}
		return nil
	})
	return err
}

// Reset removes the keys of every run that left some.
func (s *scenario) Reset(ctx context.Context) ([]string, error) {
	addr := s.env.Targets.Redis
	c, err := redis.Open(ctx, addr, redis.Options{Connections: 1, Timeout: 30 * time.Second, Name: "perfctl-reset"})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	runs, err := c.SMembers(ctx, runsKey).Result()
	if err != nil {
		return nil, redis.Explain(addr, "read "+runsKey, err)
	}
	var removed []string
	for _, run := range runs {
		if err := remove(ctx, c, run); err != nil {
			return removed, redis.Explain(addr, "remove the keys of run "+run, err)
		}
		removed = append(removed, fmt.Sprintf("the keys %s%s:*", keyPrefix, run))
	}
	return removed, nil
}
