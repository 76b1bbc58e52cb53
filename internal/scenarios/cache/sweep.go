package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/scenarios"
)

// sweep reads every loaded key once more: one that went, or was changed, and that no
// arrival happened to read since is found all the same. Keys with a time to live may
// have gone by themselves, and only what the others hold counts.
func (s *scenario) sweep(ctx context.Context, a *scenarios.Account) error {
	var id int
	a.Sums[sumLoaded] = int64(len(s.keys))
	if s.ttl > 0 {
		a.Sums[sumExpiring] = 1
	}
	for batch := range slices.Chunk(s.keys, loadBatch) {
		replies, err := s.client.Pipelined(ctx, func(p driver.Pipeliner) error {
			for _, key := range batch {
				p.Get(ctx, key)
			}
			return nil
		})
		if err != nil && !errors.Is(err, driver.Nil) {
			return err
		}
		for i, r := range replies {
			v, err := r.(*driver.StringCmd).Result()
			switch {
			case errors.Is(err, driver.Nil):
				a.Fault(sumSweptGone, batch[i])
			case err != nil:
				return err
			case !s.sizes.intact(v, uint64(id)):
				a.Fault(sumSweptWrong, batch[i])
			}
			id++
		}
	}
	return nil
}

// The names in the account of the sweep.
const sumLoaded, sumExpiring, sumSweptGone, sumSweptWrong = "loaded", "expiring", "swept_gone", "swept_wrong"

// weighSweep makes the check of the sweep.
func weighSweep(a *scenarios.Account, cause string) scenarios.Check {
	n := a.Sums
	c := scenarios.Check{Name: "cache_keys_there", Passed: n[sumSweptWrong] == 0 && (n[sumSweptGone] == 0 || n[sumExpiring] > 0),
		Detail: fmt.Sprintf("after the run, %d of %d loaded keys are gone and %d hold another value", n[sumSweptGone], n[sumLoaded], n[sumSweptWrong]) +
			firstOf(a, sumSweptGone, "; the first key that is gone is ", "") + firstOf(a, sumSweptWrong, "; the first key with another value is ", "")}
	if n[sumExpiring] == 0 {
		c.Balance = &scenarios.Balance{Kept: n[sumLoaded], Lost: n[sumSweptGone]}
	}
	if n[sumSweptGone] > 0 {
		c.Detail += cause
	}
	return c
}
