package redis

import (
	"context"
	"strconv"
	"strings"
)

// Info is what the server says of itself. A field that it does not tell is 0.
type Info struct {
	// Version is the server's, "valkey 8.0.1" for a Valkey.
	Version string
	// Instance is another one after a restart.
	Instance string
	// UsedMemory is all that the server allocated, Dataset what its data take,
	// in bytes.
	UsedMemory, Dataset int64
	// Hits and Misses count key look-ups of reads, of all clients.
	Hits, Misses int64
	// Evicted counts keys that the server removed for want of memory.
	Evicted int64
	// Expired counts keys that outlived their time.
	Expired int64
	// Clients is how many are connected, Blocked how many of them wait in a
	// blocking command.
	Clients, Blocked int64
	// Resident is the server's resident memory and MaxMemory what it may allocate,
	// 0 for any amount, in bytes.
	Resident, MaxMemory int64
	// Commands counts what was executed, of all clients.
	Commands int64
	// CPU is the processor time that the server used, in seconds.
	CPU float64
}

// Info asks the server.
func (c *Client) Info(ctx context.Context) (Info, error) {
	text, err := c.Client.Info(ctx).Result()
	if err != nil {
		return Info{}, err
	}
	return parseInfo(text), nil
}

// parseInfo reads INFO by the names of its fields; unknown ones are ignored.
func parseInfo(text string) Info {
	var in Info
	valkey := ""
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		n, _ := strconv.ParseInt(value, 10, 64) // texts stay 0 and are read below
		switch name {
		case "redis_version":
			in.Version = value
		case "run_id":
			in.Instance = value
		case "valkey_version":
			valkey = value
		case "used_memory":
			in.UsedMemory = n
		case "used_memory_dataset":
			in.Dataset = n
		case "keyspace_hits":
			in.Hits = n
		case "keyspace_misses":
			in.Misses = n
		case "evicted_keys":
			in.Evicted = n
		case "expired_keys":
			in.Expired = n
		case "connected_clients":
			in.Clients = n
		case "blocked_clients":
			in.Blocked = n
		case "used_memory_rss":
			in.Resident = n
		case "maxmemory":
			in.MaxMemory = n
		case "total_commands_processed":
			in.Commands = n
		case "used_cpu_sys", "used_cpu_user":
			seconds, _ := strconv.ParseFloat(value, 64)
			in.CPU += seconds
		}
	}
	if valkey != "" {
		in.Version = "valkey " + valkey
	}
	return in
}
