package redis

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

// answers are the error replies that have a step of their own.
var answers = []struct{ prefix, next string }{
	{"WRONGPASS", "the password or the user is wrong: set REDIS_PASSWORD (or REDIS_URL)"},
	{"NOAUTH", "the server wants a password: set REDIS_PASSWORD (or REDIS_URL)"},
	{"ERR invalid password", "the password is wrong: set REDIS_PASSWORD (or REDIS_URL)"},
	{"ERR AUTH", "the server has no password and REDIS_PASSWORD gives one: unset it"},
	{"ERR Client sent AUTH", "the server has no password and REDIS_PASSWORD gives one: unset it"},
	{"NOPERM", "the user may not run this command: grant it with ACL SETUSER, for keys perfctl:*"},
	{"LOADING", "the server is still loading its data: wait for it"},
	{"MISCONF", "the server refuses writes because it cannot save: free disk space or CONFIG SET stop-writes-on-bgsave-error no"},
	{"READONLY", "this is a replica: set REDIS_HOST to the primary"},
	{"ERR max number of clients", "the server takes no more clients: raise maxclients or lower --set cache.pool_size"},
	{"DENIED", "the server is in protected mode: set a password or bind it to loopback"},
}

// Explain wraps an error of the server with the step that fits it.
func Explain(addr targets.Address, tried string, err error) error {
	next := ""
	for _, a := range answers {
		if strings.HasPrefix(err.Error(), a.prefix) {
			next = a.next
			break
		}
	}
	return targets.Unreachable(addr, tried, err, next)
}

// Classify gives an error of a command its kind.
func Classify(err error) error {
	if err == nil {
		return nil
	}
	var reply driver.Error
	switch {
	case errors.Is(err, driver.ErrPoolTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return work.Fail(work.KindTimeout, err)
	case errors.As(err, &reply):
		return work.Fail(work.KindRejected, err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Timeout() {
		return work.Fail(work.KindTimeout, err)
	}
	return work.Fail(work.KindOf(err), err)
}
