package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// hotID is the identity of the hot key in its value.
const hotID = 1 << 63

// herd is the one hot key that expires while many read it. Whoever misses it
// fetches it again, all at once: a stampede, unless fetches are coalesced.
type herd struct {
	key      string
	ttl      time.Duration
	coalesce bool

	hits, misses, wrong atomic.Int64
	// fetching is how many fetches of the key are under way, size how many
	// there were since the first of them began, peak the largest since the
	// last reading, most the largest of the run.
	fetching, size, peak, most atomic.Int64
	// expiries counts fetches that no other was under way with, redundant the
	// rest, joined the misses that waited for another's fetch.
	expiries, redundant, joined atomic.Int64

	mu     sync.Mutex
	flight *flight
}

// flight is a fetch that others wait for.
type flight struct {
	done chan struct{}
	err  error
}

// readHot reads the hot key.
func (s *scenario) readHot(ctx context.Context, a *work.Arrival, st *stage, w *worker) error {
	h := &s.herd
	start := s.env.Clock.Now()
	note := begin(a, "get", start, h.key)
	v, err := s.read(ctx, a, h.key)
	replied := s.env.Clock.Now()
	note.Ended(replied, nil)
	switch {
	case err == nil:
		h.hits.Add(1)
		s.get.Record(a.Stage, replied-start)
		if !s.sizes.intact(v, hotID) {
			h.wrong.Add(1)
			return work.Asked("GET "+h.key, work.Fail(work.KindWrong, errWrong))
		}
		return nil
	case !errors.Is(err, driver.Nil):
		return work.Asked("GET "+h.key, redis.Classify(err))
	}
	h.misses.Add(1)
	s.get.Record(a.Stage, replied-start)
	if h.coalesce {
		return s.joinFetch(ctx, a, st, w, replied)
	}
	return s.fetchHot(ctx, a, st, w, replied)
}

// joinFetch waits for the fetch that is under way, or makes it.
func (s *scenario) joinFetch(ctx context.Context, a *work.Arrival, st *stage, w *worker, missed time.Duration) error {
	h := &s.herd
	h.mu.Lock()
	f := h.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		h.flight = f
		h.mu.Unlock()
		f.err = s.fetchHot(ctx, a, st, w, missed)
		h.mu.Lock()
		h.flight = nil
		h.mu.Unlock()
		close(f.done)
		return f.err
	}
	h.mu.Unlock()
	h.joined.Add(1)
	select {
	case <-f.done:
		s.penalty.Record(a.Stage, s.env.Clock.Now()-missed)
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fetchHot fetches the hot key and writes it.
func (s *scenario) fetchHot(ctx context.Context, a *work.Arrival, st *stage, w *worker, missed time.Duration) error {
	h := &s.herd
	if h.fetching.Add(1) == 1 {
		h.size.Store(1)
		h.expiries.Add(1)
	} else {
		h.size.Add(1)
		h.redundant.Add(1)
		s.redundant.Add(a.Stage, 1)
	}
	n := h.size.Load()
	raise(&h.peak, n)
	raise(&h.most, n)
	defer h.fetching.Add(-1)
	return s.fetchAndSet(ctx, a, st, w, h.key, hotID, h.ttl, missed)
}

// raise stores v where it is higher.
func raise(to *atomic.Int64, v int64) {
	for o := to.Load(); v > o && !to.CompareAndSwap(o, v); o = to.Load() {
	}
}

// The names in the account of the hot key.
const (
	sumHotHits, sumHotMisses, sumHotWrong = "hot_hits", "hot_misses", "hot_wrong"
	sumExpiries, sumRedundant, sumJoined  = "hot_expiries", "hot_redundant", "hot_joined"
	peakFetching                          = "hot_fetching"
)

// sumUp adds what became of the hot key to an account. Each shard tells its own fetches
// that were under way at once.
func (h *herd) sumUp(a *scenarios.Account) {
	a.Sums[sumHotHits], a.Sums[sumHotMisses], a.Sums[sumHotWrong] = h.hits.Load(), h.misses.Load(), h.wrong.Load()
	a.Sums[sumExpiries], a.Sums[sumRedundant], a.Sums[sumJoined] = h.expiries.Load(), h.redundant.Load(), h.joined.Load()
	a.Peaks[peakFetching] = h.most.Load()
}

// weighHot reports the stampedes.
func weighHot(a *scenarios.Account) scenarios.Check {
	n := a.Sums
	return scenarios.Check{Name: "cache_hot_key_intact", Passed: n[sumHotWrong] == 0, Detail: fmt.Sprintf(
		"%d of %d reads of the hot key were not what was written; it was fetched %d times after it had expired, and %d times more while a fetch was under way (at most %d at once); %d misses waited for another's fetch",
		n[sumHotWrong], n[sumHotHits], n[sumExpiries], n[sumRedundant], a.Peaks[peakFetching], n[sumJoined])}
}
