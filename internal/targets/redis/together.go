package redis

import (
	"context"
	"runtime"
	"sync"

	driver "github.com/redis/go-redis/v9"
)

// The bounds of one pipeline: its answers are all read before any of them is known,
// so they must be few and short enough to arrive as one.
const (
	maxTogether      = 64
	maxTogetherBytes = 64 << 10
)

// Together reads keys for callers that ask at the same time, by one pipeline of the
// driver: one connection, one write, one wake-up for all their answers. Each has its
// own answer or error. A pipeline that breaks fails those whose answers were not read.
//
// It waits for nobody: who asks first lets those run that are ready to, and then sends
// what they asked for with his own. A cluster's keys are read one by one, since those of
// a pipeline would be spread over its nodes.
type Together struct {
	client *Client
	most   int
	// yield lets others run.
	yield func()
	mu    sync.Mutex
	open  *pipeline // takes more, nil for none
}

// pipeline is what is sent together.
type pipeline struct {
	driver.Pipeliner
	done chan struct{}
}

// Together returns a reader of keys whose values are at most so many bytes.
func (c *Client) Together(bytes int) *Together {
	return &Together{client: c, most: min(maxTogetherBytes/max(bytes, 1), maxTogether), yield: runtime.Gosched}
}

// Get reads a key, with others where some ask at the same time. The error is the
// driver's.
func (t *Together) Get(ctx context.Context, key string) (string, error) {
	if t.most < 2 || t.client.IsCluster() {
		return t.client.Get(ctx, key).Result()
	}
	p, cmd, first := t.join(ctx, key)
	if !first {
		<-p.done
		return cmd.Result()
	}
	defer close(p.done)
	t.yield()
	t.shut(p)
	if p.Len() == 1 { // nobody came: a pipeline would only cost more
		return t.client.Get(ctx, key).Result()
	}
	_, _ = p.Exec(ctx) // each command has its own error
	return cmd.Result()
}

// join adds a command to the open pipeline; first says that it opened one.
func (t *Together) join(ctx context.Context, key string) (p *pipeline, cmd *driver.StringCmd, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p = t.open
	if first = p == nil; first {
		p = &pipeline{t.client.Pipeline(), make(chan struct{})}
		t.open = p
	}
	cmd = p.Get(ctx, key)
	if p.Len() >= t.most {
		t.open = nil
	}
	return p, cmd, first
}

// shut lets nobody else into a pipeline.
func (t *Together) shut(p *pipeline) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == p {
		t.open = nil
	}
}
