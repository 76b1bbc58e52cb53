//go:build causes

package main

import (
	"strconv"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/targets/redis/redistest"
)

func plantedInRedis() []planted {
	var client *driver.Client
	var server *redistest.Server
	with := func(keys int) func(t *testing.T) []string {
		return func(t *testing.T) []string {
			server = redistest.Start(t, "enable-debug-command yes")
			client = driver.NewClient(&driver.Options{Addr: server.Address(), Protocol: 2, DisableIdentity: true, ReadTimeout: 20 * time.Second})
			t.Cleanup(func() { _ = client.Close() })
			if keys > 0 {
				ask(t, client, "DEBUG", "POPULATE", keys, "perfctl-causes", 120)
			}
			return []string{"--scenario", "cache", "-e", "REDIS_URL=redis://" + server.Address()}
		}
	}
	return []planted{
		{name: "DEBUG SLEEP in Redis", args: with(0), want: `^command .*DEBUG SLEEP`, plant: func(t *testing.T) (from, to time.Time) {
			return meanwhile(func() { ask(t, client, "DEBUG", "SLEEP", "0.9") })
		}},
		{name: "a large KEYS", args: with(1_000_000), want: `^command .*(?i)KEYS`, plant: func(t *testing.T) (from, to time.Time) {
			return meanwhile(func() { ask(t, client, "KEYS", "*9*9*9*7") })
		}},
		{name: "a fork for a snapshot", rate: 400, args: with(3_000_000), want: `^fork `, plant: func(t *testing.T) (from, to time.Time) {
			return meanwhile(func() {
				ask(t, client, "BGSAVE")
				time.Sleep(500 * time.Millisecond)
			})
		}},
		{name: "processor time that the server was refused", want: `^throttled .*Redis`, rate: 500,
			args: func(t *testing.T) []string {
				args := with(0)(t)
				pid := ask(t, client, "INFO", "server")
				id := regexpNumber(t, pid, `process_id:(\d+)`)
				group := newGroup(t)
				group.add(t, id)
				throttleNext = group
				return append(args, "--watch", "redis="+strconv.Itoa(id))
			}, plant: func(t *testing.T) (from, to time.Time) { return throttleNext.squeeze(t, 1500*time.Millisecond, 1) }},
	}
}

// ask sends a command and returns its answer as text.
func ask(t *testing.T, c *driver.Client, words ...any) string {
	t.Helper()
	answer, err := c.Do(t.Context(), words...).Result()
	if err != nil {
		t.Fatalf("%v: %v", words, err)
	}
	text, _ := answer.(string)
	return text
}
