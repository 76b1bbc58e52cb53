package cache

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// name keeps the first key of a fault.
func (s *scenario) name(to *atomic.Pointer[string], key string) {
	if to.Load() == nil {
		to.CompareAndSwap(nil, &key)
	}
}

// first returns a name for a message, with a leading colon; nothing where there
// is none.
func first(p *atomic.Pointer[string]) string {
	if key := p.Load(); key != nil {
		return ": " + *key + " was the first"
	}
	return ""
}

// named tells the first keys that are gone, or there though never written.
func (s *scenario) named() string {
	var out string
	if key := s.first.gone.Load(); key != nil {
		out += "; the first key that was gone is " + *key
	}
	if key := s.first.phantom.Load(); key != nil {
		out += "; the first key that nobody wrote is " + *key
	}
	return out
}

// cause tells why keys are gone, as far as the server's counters say.
func (s *scenario) cause(after *redis.Info) string {
	evicted, expired := after.Evicted-s.before.Evicted, after.Expired-s.before.Expired
	switch {
	case after.Instance != s.before.Instance:
		return "the server was restarted meanwhile"
	case evicted > 0:
		return fmt.Sprintf("the server evicted %d keys for want of memory meanwhile", evicted)
	case s.ttl > 0 && expired > 0:
		return fmt.Sprintf("%d keys expired meanwhile: raise cache.ttl (%v), or shorten the run", expired, s.ttl)
	}
	return "the server evicted none: they were flushed or deleted by somebody else"
}

// Check compares the hits with what was asked and with the server's own count.
func (s *scenario) Check(ctx context.Context) ([]scenarios.Check, error) {
	var asked, hit, phantom, gone, wrong, answered int64
	var detail []string
	exact := true
	for i := range s.stages {
		st := &s.stages[i]
		asked, hit, answered = asked+st.asked.Load(), hit+st.hit.Load(), answered+st.answered.Load()
		phantom, gone, wrong = phantom+st.phantom.Load(), gone+st.gone.Load(), wrong+st.wrong.Load()
		exact = exact && st.phantom.Load() == 0 && st.gone.Load() == 0
		if n := st.answered.Load(); n > 0 {
			detail = append(detail, fmt.Sprintf("%s %d of %d (%.4g%%, asked %.4g%%)",
				s.env.Plan.Stages[i], st.hit.Load(), n, 100*float64(st.hit.Load())/float64(n), 100*st.ratio))
		}
	}
	checks := []scenarios.Check{
		{Name: "cache_hit_ratio_exact", Passed: exact, Detail: fmt.Sprintf("%d unexpected misses, %d unexpected hits; %s", gone, phantom, strings.Join(detail, ", ")) + s.named()},
		{Name: "cache_values_intact", Passed: wrong == 0, Detail: fmt.Sprintf("%d of %d values read were not the ones written%s", wrong, hit, first(&s.first.wrong))},
	}
	if n := s.herd.hits.Load() + s.herd.misses.Load(); n > 0 {
		checks = append(checks, s.herd.check())
	}
	after, err := s.client.Info(ctx)
	if err != nil {
		return checks, fmt.Errorf("ask the server for its own counts: %w", redis.Explain(s.env.Targets.Redis, "INFO", err))
	}
	swept, err := s.sweep(ctx, &after)
	if err != nil {
		return checks, fmt.Errorf("read the loaded keys once more: %w", redis.Explain(s.env.Targets.Redis, "read the keys", err))
	}
	checks = append(checks, swept)
	serverHits, serverMisses := after.Hits-s.before.Hits, after.Misses-s.before.Misses
	ownHits := hit + phantom + s.herd.hits.Load()
	ownMisses := answered - hit - phantom + s.herd.misses.Load()
	if gone > 0 {
		checks[0].Detail += "; " + s.cause(&after)
	}
	if after.Instance != s.before.Instance || serverHits < 0 || serverMisses < 0 {
		return append(checks, scenarios.Check{Name: "cache_server_agrees",
			Detail: "the server's counters began anew during the run: it was restarted, or somebody reset them"}), nil
	}
	checks = append(checks, scenarios.Check{
		Name: "cache_server_agrees", Passed: serverHits >= ownHits && serverMisses >= ownMisses,
		Detail: fmt.Sprintf("the server counted %d hits and %d misses, of all its clients; this one saw %d and %d",
			serverHits, serverMisses, ownHits, ownMisses),
	})
	return checks, nil
}
