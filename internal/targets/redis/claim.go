package redis

import (
	"context"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/targets"
)

const (
	claimPrefix = "perfctl:claim:"
	// claimTime is how long a claim outlives a run that was killed; claimEvery is how
	// often a run that goes on renews it.
	claimTime  = 30 * time.Second
	claimEvery = 10 * time.Second
)

// Claim holds a name, by a key that ends by itself soon after the run does. The error is
// a *targets.UnreachableError, which wraps targets.ErrClaimed where another run holds the
// name.
func Claim(ctx context.Context, a targets.Address, name string) (targets.Claim, error) {
	c, err := Open(ctx, a, Options{Connections: 1, Timeout: dialTimeout, Name: "perfctl-" + name + "-claim"})
	if err != nil {
		return nil, err
	}
	key := claimPrefix + name
	err = c.Do(ctx, "SET", key, name, "NX", "PX", claimTime.Milliseconds()).Err()
	if err == nil {
		x := &claim{client: c, key: key, done: make(chan struct{})}
		x.ended, x.end = context.WithCancel(context.WithoutCancel(ctx))
		go x.renew()
		return x, nil
	}
	_ = c.Close()          // the error that matters is the one above
	if err == driver.Nil { //nolint:errorlint // the driver returns it bare
		return nil, targets.Claimed(a, name)
	}
	return nil, Explain(a, "claim the run "+name, err)
}

type claim struct {
	client *Client
	key    string
	ended  context.Context
	end    context.CancelFunc
	done   chan struct{}
}

func (c *claim) renew() {
	defer close(c.done)
	tick := time.NewTicker(claimEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.ended.Done():
			return
		case <-tick.C:
			_ = c.client.PExpire(c.ended, c.key, claimTime).Err() // one that fails is tried again
		}
	}
}

func (c *claim) Release(ctx context.Context) {
	c.end()
	<-c.done
	_ = c.client.Del(ctx, c.key).Err() // it ends by itself
	_ = c.client.Close()
}
