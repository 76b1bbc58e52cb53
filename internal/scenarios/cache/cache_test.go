package cache

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/scenariotest"
	"github.com/perfctl/perfctl/internal/targets"
)

const (
	arrivals = 2000
	workers  = 20
)

// newRun returns a scenario over the real server with two stages of half the
// arrivals each, the second with a hit ratio of its own.
func newRun(t *testing.T, id string, overrides ...scenarios.Override) *scenario {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	return makeRun(t, id, os.LookupEnv, overrides...)
}

func makeRun(t *testing.T, id string, env func(string) (string, bool), overrides ...scenarios.Override) *scenario {
	t.Helper()
	addresses, err := targets.Resolve(func(n string) (string, string, bool) { v, ok := env(n); return v, "test", ok })
	if err != nil {
		t.Fatal(err)
	}
	d := Definition()
	overrides = append([]scenarios.Override{{Key: "backend_time", Value: "0s", Stage: -1}, {Key: "keys", Value: "300", Stage: -1}, {Key: "hit_ratio", Value: "0.5", Stage: 1}}, overrides...)
	values, errs := scenarios.NewValues(&d, 2, overrides)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s := newScenario(scenarios.Env{
		RunID: id, Seed: 3, Clock: work.NewClock(), Metrics: metrics.NewRegistry([]string{"one", "two"}), Targets: addresses, Values: values,
		Plan:     scenarios.Plan{Arrivals: arrivals, StageArrivals: []int64{arrivals / 2, arrivals / 2}, Workers: workers, Stages: []string{"one", "two"}, Shards: 1},
		Log:      slog.New(slog.DiscardHandler),
		Scenario: "cache",
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// execute runs arrivals from all workers and returns how many failed.
func execute(t *testing.T, s *scenario, from, to int64) (failed int64) {
	t.Helper()
	var next, bad atomic.Int64
	next.Store(from)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < to; n = next.Add(1) - 1 {
				a := &work.Arrival{K: n, N: n, Seed: 3, Worker: w, Stage: int(n / (arrivals / 2)), Due: s.env.Clock.Now()}
				if s.Do(t.Context(), a) != nil {
					bad.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return bad.Load()
}

func checks(t *testing.T, s *scenario) map[string]scenarios.Check {
	t.Helper()
	list, err := scenariotest.CheckWhole(t.Context(), s, weighKeys)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]scenarios.Check{}
	for _, c := range list {
		out[c.Name] = c
	}
	return out
}

func TestAHealthyRunIsExactAndTheServerAgrees(t *testing.T) {
	s := newRun(t, "healthy")
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if failed := execute(t, s, 0, arrivals); failed > 0 {
		t.Fatalf("%d arrivals failed", failed)
	}
	if one, two := s.stages[0].hit.Load(), s.stages[1].hit.Load(); one != 900 || two != 500 {
		t.Errorf("%d and %d hits, want exactly 900 and 500 of 1000", one, two)
	}
	// The server's own counters: what it answered since the keys were loaded.
	in, err := s.client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h, m := in.Hits-s.before.Hits, in.Misses-s.before.Misses; h != 1400 || m != 600 {
		t.Errorf("the server counted %d hits and %d misses, want 1400 and 600", h, m)
	}
	for name, c := range checks(t, s) {
		if !c.Passed {
			t.Errorf("%s: %s", name, c.Detail)
		}
	}
	if s.client.Reconnects() != 0 {
		t.Errorf("%d reconnects", s.client.Reconnects())
	}
}

func TestKeysThatNobodyReadSinceAreMissedAllTheSame(t *testing.T) {
	s := newRun(t, "swept")
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.client.Unlink(t.Context(), s.keys[7]).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.client.Set(t.Context(), s.keys[9], "tampered", 0).Err(); err != nil {
		t.Fatal(err)
	}
	c := checks(t, s)["cache_keys_there"]
	for _, want := range []string{"1 of 300 loaded keys are gone and 1 hold another value", "gone is " + s.keys[7], "another value is " + s.keys[9], "deleted by somebody else"} {
		if c.Passed || !strings.Contains(c.Detail, want) {
			t.Errorf("the check says %+v, want %q", c, want)
		}
	}
}

func TestFlushedKeysAreFoundAndNamed(t *testing.T) {
	s := newRun(t, "flushed")
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, s, 0, 100)
	for i := range 100 {
		if err := s.client.Unlink(t.Context(), s.keys[i]).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if failed := execute(t, s, 100, 600); failed == 0 {
		t.Error("no arrival failed though a third of the keys are gone")
	}
	if c := checks(t, s)["cache_hit_ratio_exact"]; c.Passed || strings.HasPrefix(c.Detail, "0 unexpected misses") ||
		!strings.Contains(c.Detail, "the first key that was gone is perfctl:flushed:k:") || !strings.Contains(c.Detail, "flushed or deleted by somebody else") {
		t.Errorf("the check says %+v", c)
	}
}

func TestAlteredValuesAreFound(t *testing.T) {
	s := newRun(t, "altered")
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, k := range s.keys {
		if err := s.client.SetRange(t.Context(), k, headerSize+3, "X").Err(); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, s, 0, 200)
	if c := checks(t, s)["cache_values_intact"]; c.Passed {
		t.Errorf("every value was altered and the check says %+v", c)
	}
}

func TestARestartedServerIsNamed(t *testing.T) {
	s := newRun(t, "restarted")
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	// As though the server that answered at the start had been another process
	// that had counted less.
	s.before.Instance, s.before.Hits, s.before.Misses = "another", 0, 0
	execute(t, s, 0, 100)
	if c := checks(t, s)["cache_server_agrees"]; c.Passed || !strings.Contains(c.Detail, "restarted") {
		t.Errorf("the check says %+v", c)
	}
}

func TestKilledConnectionsFailAreCountedAndComeBack(t *testing.T) {
	s := newRun(t, "killed")
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no").Err(); err != nil {
		t.Logf("the killing connection was killed too: %v", err)
	}
	failed := execute(t, s, 0, arrivals)
	// Each dead connection fails the one arrival that finds it dead.
	if failed == 0 || failed > workers {
		t.Errorf("%d arrivals failed over %d connections", failed, workers)
	}
	if s.client.Reconnects() == 0 {
		t.Error("connections were killed and none was opened again")
	}
}

func TestCloseAndResetLeaveNothing(t *testing.T) {
	s := newRun(t, "left")
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, s, 0, 200)
	removed, err := s.Reset(t.Context())
	if err != nil || !strings.Contains(strings.Join(removed, " "), "perfctl:left:") {
		t.Errorf("reset removed %v (%v)", removed, err)
	}
	keys, err := s.client.Keys(t.Context(), "perfctl:left:*").Result()
	if err != nil || len(keys) > 0 {
		t.Errorf("%d keys are left (%v)", len(keys), err)
	}
	if on, err := s.client.SIsMember(t.Context(), runsKey, "left").Result(); err != nil || on {
		t.Errorf("the run is still registered (%v)", err)
	}
}

func TestWrongPasswordNamesTheVariable(t *testing.T) {
	s := newRun(t, "wrong")
	u := *s.env.Targets.Redis.URL
	s.env.Targets.Redis.URL.User = nil
	err := s.Setup(t.Context())
	*s.env.Targets.Redis.URL = u
	if _, ok := errors.AsType[*targets.UnreachableError](err); !ok || !strings.Contains(err.Error(), "REDIS_PASSWORD") {
		t.Errorf("got %v", err)
	}
}

func TestNothingListeningIsUnreachable(t *testing.T) {
	none := func(n string) (string, bool) { return "redis://:s3cret@127.0.0.1:1", n == "REDIS_URL" }
	err := makeRun(t, "none", none).Setup(t.Context())
	if _, ok := errors.AsType[*targets.UnreachableError](err); !ok || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "--lab") {
		t.Errorf("got %v", err)
	}
}
