package lab

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// addRedisTroubles lets a Redis be brought into trouble by its commands. Each trouble
// holds the connection by which it is ended.
func addRedisTroubles(s *server, connect func() *redis.Client) {
	// set begins by one setting, and ends with what it was.
	set := func(ctx context.Context, c *redis.Client, name, value string) (Mend, error) {
		before, err := c.ConfigGet(ctx, name).Result()
		if err == nil {
			err = c.ConfigSet(ctx, name, value).Err()
		}
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return func(ctx context.Context) error {
			return errors.Join(c.ConfigSet(ctx, name, before[name]).Err(), c.Close())
		}, nil
	}
	s.trouble(MemoryAlarm, func(ctx context.Context, _ int) (Mend, error) { return set(ctx, connect(), "maxmemory", "1") })
	s.trouble(FlushAll, func(ctx context.Context, _ int) (Mend, error) {
		c := connect()
		defer c.Close()
		return func(context.Context) error { return nil }, c.FlushAll(ctx).Err()
	})
	s.trouble(ReadOnly, func(ctx context.Context, _ int) (Mend, error) {
		c := connect()
		// Nobody listens at port 1: it waits for a master that never comes, and keeps
		// what it has.
		if err := c.ReplicaOf(ctx, "127.0.0.1", "1").Err(); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return func(ctx context.Context) error { return errors.Join(c.ReplicaOf(ctx, "NO", "ONE").Err(), c.Close()) }, nil
	})
	s.trouble(ConnectionLimit, func(ctx context.Context, n int) (Mend, error) {
		c := connect()
		mend, err := set(ctx, c, "maxclients", strconv.Itoa(n+1)) // its own is one
		if err != nil {
			return nil, err
		}
		if err := untilFew(ctx, func() (bool, error) { return endClients(ctx, c, n) }); err != nil {
			return nil, errors.Join(err, mend(context.WithoutCancel(ctx)))
		}
		return mend, nil
	})
}

// endClients ends the clients of a Redis above n, the newest first, c's own apart. It
// says whether there were none.
func endClients(ctx context.Context, c *redis.Client, n int) (bool, error) {
	own, err := c.ClientID(ctx).Result()
	if err != nil {
		return false, err
	}
	list, err := c.ClientList(ctx).Result()
	if err != nil {
		return false, err
	}
	var others []int64
	for line := range strings.Lines(list) {
		id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
		if v, err := strconv.ParseInt(id, 10, 64); err == nil && v != own {
			others = append(others, v)
		}
	}
	slices.Sort(others)
	if len(others) <= n {
		return true, nil
	}
	for _, id := range others[n:] {
		if err := c.ClientKillByFilter(ctx, "ID", strconv.FormatInt(id, 10)).Err(); err != nil {
			return false, err
		}
	}
	return false, nil
}
