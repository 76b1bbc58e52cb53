package run

import (
	"context"
	"errors"
	"strconv"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// claim holds the run's identity at every target, where a user chose it: two runs with
// one would take each other's tasks, rows and keys away.
func (x *Prepared) claim(ctx context.Context) error {
	r := &x.plan.request
	if r.ID == "" {
		return nil
	}
	name := r.ID
	if r.Shards > 1 {
		name += "." + strconv.Itoa(r.Shard)
	}
	ctx, cancel := context.WithTimeout(ctx, SetupTimeout)
	defer cancel()
	var errs []error
	for _, k := range x.plan.targetKinds() {
		a := x.addresses.Address(k)
		var c targets.Claim
		var err error
		switch k {
		case targets.RabbitMQ:
			c, err = rabbitmq.Claim(ctx, a, name)
		case targets.Postgres:
			c, err = postgres.Claim(ctx, a, name)
		case targets.Redis:
			c, err = redis.Claim(ctx, a, name)
		case targets.API: // nothing there is the run's
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		x.claims = append(x.claims, c)
	}
	return exitcode.With(exitcode.Unreachable, errors.Join(errs...))
}

// release gives the identity back.
func (x *Prepared) release(ctx context.Context) {
	for _, c := range x.claims {
		c.Release(ctx)
	}
	x.claims = nil
}
