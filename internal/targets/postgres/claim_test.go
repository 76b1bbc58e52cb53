package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/targets"
)

// Of two runs with one identity the second is refused while the first goes on, and its
// shards are none of that.
func TestAnIdentityIsClaimedOnce(t *testing.T) {
	a := server(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	first, err := Claim(ctx, a, "claimed-once")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Claim(ctx, a, "claimed-once"); !errors.Is(err, targets.ErrClaimed) {
		t.Errorf("the second one's error is %v", err)
	}
	shard, err := Claim(ctx, a, "claimed-once.1")
	if err != nil {
		t.Fatal(err)
	}
	shard.Release(ctx)
	first.Release(ctx)
	again, err := Claim(ctx, a, "claimed-once")
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	again.Release(ctx)
}
