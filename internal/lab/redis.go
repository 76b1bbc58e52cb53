package lab

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

type redisMaker struct{ program string }

func findRedis() (maker, string) {
	if p := program([]string{"redis-server", "valkey-server"}, "/usr/bin", "/usr/local/bin"); p != "" {
		return redisMaker{p}, ""
	}
	return nil, "redis-server"
}

func (m redisMaker) prepare(_ context.Context, dir string, _ func(string)) (*server, error) {
	ports, err := choosePorts(1)
	if err != nil {
		return nil, err
	}
	data, password := filepath.Join(dir, "redis"), secret()
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	// Snapshots and the append-only file are off: what is measured is a cache,
	// and a fork in mid-run would be the lab's doing, not the target's.
	conf := fmt.Sprintf("bind 127.0.0.1\nport %d\nrequirepass %s\nsave \"\"\nappendonly no\ndir %q\ndaemonize no\n", ports[0], password, data)
	file := filepath.Join(data, "redis.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	addr := "127.0.0.1:" + strconv.Itoa(ports[0])
	u := url.URL{Scheme: "redis", Host: addr, User: url.UserPassword("", password)}
	connect := func() *redis.Client {
		return redis.NewClient(&redis.Options{
			Addr: addr, Password: password, MaxRetries: -1, DialerRetries: 1, ReadTimeout: time.Second, PoolSize: 1, Protocol: 2, DisableIdentity: true,
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		})
	}
	out := &server{
		Name: Redis, Log: filepath.Join(dir, "redis.log"), Quit: syscall.SIGTERM, dir: data,
		args: []string{m.program, file},
		Settings: []Setting{
			{"REDIS_HOST", "127.0.0.1"}, {"REDIS_PORT", strconv.Itoa(ports[0])}, {"REDIS_PASSWORD", password}, {"REDIS_URL", u.String()},
		},
		ready: func(ctx context.Context) error {
			c := connect()
			defer c.Close()
			return c.Ping(ctx).Err()
		},
	}
	addRedisTroubles(out, connect)
	return out, nil
}
