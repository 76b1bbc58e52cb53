package cache

import (
	"context"
	"fmt"
	"maps"
	"slices"
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

// The names in the account of the scenario: what was asked of, answered and found in
// each stage, whose place is behind the name, and over all of them; what the server
// counted; what the sweep at the end found.
const (
	sumAsked, sumAnswered, sumHit                    = "asked", "answered", "hit"
	sumGone, sumPhantom, sumWrong                    = "gone", "phantom", "wrong"
	sumStageHit, sumStageAnswered                    = "hit/", "answered/"
	factStage, factAsk                               = "stage/", "ask/"
	sumServerHits, sumServerMisses, sumServerRestart = "server_hits", "server_misses", "server_restarted"
	factCause                                        = "cause"
)

// Account sums up what was asked and found. What the server counted, and what is left of
// the keys, is the first shard's to read.
func (s *scenario) Account(ctx context.Context) (*scenarios.Account, error) {
	a := scenarios.NewAccount()
	for i := range s.stages {
		st := &s.stages[i]
		a.Sums[sumAsked] += st.asked.Load()
		a.Sums[sumHit] += st.hit.Load()
		a.Sums[sumAnswered] += st.answered.Load()
		a.Sums[sumPhantom] += st.phantom.Load()
		a.Sums[sumGone] += st.gone.Load()
		a.Sums[sumWrong] += st.wrong.Load()
		at := fmt.Sprintf("%03d", i)
		a.Sums[sumStageHit+at], a.Sums[sumStageAnswered+at] = st.hit.Load(), st.answered.Load()
		a.Facts[factStage+at], a.Facts[factAsk+at] = s.env.Plan.Stages[i], fmt.Sprintf("%.4g", 100*st.ratio)
	}
	for fault, p := range map[string]*atomic.Pointer[string]{sumGone: &s.first.gone, sumPhantom: &s.first.phantom, sumWrong: &s.first.wrong} {
		if key := p.Load(); key != nil {
			a.Named[fault] = []string{*key}
		}
	}
	s.herd.sumUp(a)
	if !s.env.Plan.First() {
		return a, nil
	}
	defer s.leaveWith(ctx)()
	after, err := s.client.Info(ctx)
	if err != nil {
		return a, fmt.Errorf("ask the server for its own counts: %w", redis.Explain(s.env.Targets.Redis, "INFO", err))
	}
	if err := s.sweep(ctx, a); err != nil {
		return a, fmt.Errorf("read the loaded keys once more: %w", redis.Explain(s.env.Targets.Redis, "read the keys", err))
	}
	a.Facts[factCause] = s.cause(&after)
	a.Sums[sumServerHits], a.Sums[sumServerMisses] = after.Hits-s.before.Hits, after.Misses-s.before.Misses
	if after.Instance != s.before.Instance || a.Sums[sumServerHits] < 0 || a.Sums[sumServerMisses] < 0 {
		a.Sums[sumServerRestart] = 1
	}
	return a, nil
}

// firstOf names the first key of a fault, with lead before it and after behind it.
func firstOf(a *scenarios.Account, fault, lead, after string) string {
	if all := a.Named[fault]; len(all) > 0 {
		return lead + all[0] + after
	}
	return ""
}

// weighKeys makes the checks of the account.
func weighKeys(a *scenarios.Account) (out scenarios.Weighed, err error) {
	n := a.Sums
	cause := ""
	if c := a.Facts[factCause]; c != "" {
		cause = "; " + c
	}
	ratio := scenarios.Check{Name: "cache_hit_ratio_exact", Passed: n[sumPhantom] == 0 && n[sumGone] == 0,
		Detail: fmt.Sprintf("%d unexpected misses, %d unexpected hits; %s", n[sumGone], n[sumPhantom], strings.Join(ofStages(a), ", ")) +
			firstOf(a, sumGone, "; the first key that was gone is ", "") + firstOf(a, sumPhantom, "; the first key that nobody wrote is ", "")}
	if n[sumGone] > 0 {
		ratio.Detail += cause
	}
	out.Checks = []scenarios.Check{ratio, {Name: "cache_values_intact", Passed: n[sumWrong] == 0,
		Detail: fmt.Sprintf("%d of %d values read were not the ones written%s", n[sumWrong], n[sumHit], firstOf(a, sumWrong, ": ", " was the first"))}}
	if n[sumHotHits]+n[sumHotMisses] > 0 {
		out.Checks = append(out.Checks, weighHot(a))
	}
	if _, known := a.Facts[factCause]; !known {
		return out, nil // the server was not asked
	}
	out.Checks = append(out.Checks, weighSweep(a, cause))
	server := scenarios.Check{Name: "cache_server_agrees", Detail: "the server's counters began anew during the run: it was restarted, or somebody reset them"}
	if n[sumServerRestart] == 0 {
		hits := n[sumHit] + n[sumPhantom] + n[sumHotHits]
		misses := n[sumAnswered] - n[sumHit] - n[sumPhantom] + n[sumHotMisses]
		server.Passed = n[sumServerHits] >= hits && n[sumServerMisses] >= misses
		server.Detail = fmt.Sprintf("the server counted %d hits and %d misses, of all its clients; this one saw %d and %d",
			n[sumServerHits], n[sumServerMisses], hits, misses)
	}
	out.Checks = append(out.Checks, server)
	return out, nil
}

// ofStages tells the hits of each stage against those that were asked for.
func ofStages(a *scenarios.Account) (out []string) {
	for _, key := range slices.Sorted(maps.Keys(a.Sums)) {
		at, ok := strings.CutPrefix(key, sumStageAnswered)
		if n := a.Sums[key]; ok && n > 0 {
			hit := a.Sums[sumStageHit+at]
			out = append(out, fmt.Sprintf("%s %d of %d (%.4g%%, asked %s%%)", a.Facts[factStage+at], hit, n, 100*float64(hit)/float64(n), a.Facts[factAsk+at]))
		}
	}
	return out
}
