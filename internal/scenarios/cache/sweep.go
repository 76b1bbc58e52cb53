package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// sweep reads every loaded key once more: one that went, or was changed, and that no
// arrival happened to read since is found all the same. Keys with a time to live may
// have gone by themselves, and only what the others hold counts.
func (s *scenario) sweep(ctx context.Context, after *redis.Info) (scenarios.Check, error) {
	var gone, wrong, id int
	var firstGone, firstWrong string
	for batch := range slices.Chunk(s.keys, loadBatch) {
		replies, err := s.client.Pipelined(ctx, func(p driver.Pipeliner) error {
			for _, key := range batch {
				p.Get(ctx, key)
			}
			return nil
		})
		if err != nil && !errors.Is(err, driver.Nil) {
			return scenarios.Check{}, err
		}
		for i, r := range replies {
			v, err := r.(*driver.StringCmd).Result()
			switch {
			case errors.Is(err, driver.Nil):
				if gone++; firstGone == "" {
					firstGone = "; the first key that is gone is " + batch[i]
				}
			case err != nil:
				return scenarios.Check{}, err
			case !s.sizes.intact(v, uint64(id)):
				if wrong++; firstWrong == "" {
					firstWrong = "; the first key with another value is " + batch[i]
				}
			}
			id++
		}
	}
	c := scenarios.Check{Name: "cache_keys_there", Passed: wrong == 0 && (gone == 0 || s.ttl > 0),
		Detail: fmt.Sprintf("after the run, %d of %d loaded keys are gone and %d hold another value", gone, len(s.keys), wrong) + firstGone + firstWrong}
	if gone > 0 {
		c.Detail += "; " + s.cause(after)
	}
	return c, nil
}
