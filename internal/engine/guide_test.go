package engine

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/profiles"
)

// guided sends user 1 off at 1 s, 2 s and 3 s, and user 2 home at once.
type guided struct {
	mu    sync.Mutex
	times int
	dues  []time.Duration
}

func (g *guided) Do(_ context.Context, a *work.Arrival) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dues = append(g.dues, a.Due)
	time.Sleep(10 * time.Millisecond)
	return nil
}

func (g *guided) Next(_, user int, _ time.Duration) (time.Duration, bool, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if user != 1 || g.times == 3 {
		return 0, false, true
	}
	g.times++
	return time.Duration(g.times) * time.Second, true, true
}

func TestAGuideSaysWhenItsUsersArrivalsAreDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &guided{}
		b := newBench(t, oneClosed(time.Minute, profiles.Users{From: 2, To: 2}), nil, func(c *Config) { c.Lanes[0].Executor = g })
		b.run(t, t.Context(), t.Context())
		if got := b.account(); got.succeeded != 3 || !got.addsUp() {
			t.Errorf("%+v, want 3 arrivals", got)
		}
		for i, due := range g.dues {
			if at := due - b.begin; at != time.Duration(i+1)*time.Second {
				t.Errorf("arrival %d was due at %v", i, at)
			}
		}
		if n := b.Elapsed(); n > 4*time.Second {
			t.Errorf("the run went on for %v after its users were done", n)
		}
	})
}
