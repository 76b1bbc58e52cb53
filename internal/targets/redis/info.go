package redis

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	driver "github.com/redis/go-redis/v9"
)

// Info is what a server says of itself; of a cluster, what its primaries say
// together. A field that it does not tell is 0.
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

// Info asks the server, or every primary of the cluster, and adds up what they
// say.
func (c *Client) Info(ctx context.Context) (Info, error) {
	nodes, err := c.Infos(ctx)
	if err != nil {
		return Info{}, err
	}
	return Sum(nodes), nil
}

// Infos asks the server, or every primary of the cluster, and returns what each
// says, in the order of their instances.
func (c *Client) Infos(ctx context.Context) ([]Info, error) {
	var mu sync.Mutex
	var out []Info
	err := c.EachPrimary(ctx, func(ctx context.Context, n *driver.Client) error {
		text, err := n.Info(ctx).Result()
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		out = append(out, parseInfo(text))
		return nil
	})
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Instance, b.Instance) })
	return out, err
}

// Sum adds up what servers say. The instance is another one where one of theirs
// is.
func Sum(nodes []Info) Info {
	if len(nodes) == 0 {
		return Info{}
	}
	all := nodes[0]
	for _, n := range nodes[1:] {
		all.Instance += "," + n.Instance
		for _, f := range []struct {
			to *int64
			n  int64
		}{
			{&all.UsedMemory, n.UsedMemory}, {&all.Dataset, n.Dataset}, {&all.Hits, n.Hits}, {&all.Misses, n.Misses},
			{&all.Evicted, n.Evicted}, {&all.Expired, n.Expired}, {&all.Clients, n.Clients}, {&all.Blocked, n.Blocked},
			{&all.Resident, n.Resident}, {&all.MaxMemory, n.MaxMemory}, {&all.Commands, n.Commands},
		} {
			*f.to += f.n
		}
		all.CPU += n.CPU
	}
	return all
}

// infoField returns a field of what INFO answers, empty where there is none.
func infoField(text, name string) string {
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && k == name {
			return v
		}
	}
	return ""
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
