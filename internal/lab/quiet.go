package lab

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// silence keeps the driver's own log off the terminal: that a server does not
// answer yet is what waiting for it is about.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func quietRedis() { redis.SetLogger(silence{}) }
