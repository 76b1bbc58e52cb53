package cache

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/postgres/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Exit(m.Run()) }

func over(pairs ...string) []scenarios.Override {
	var out []scenarios.Override
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, scenarios.Override{Key: pairs[i], Value: pairs[i+1], Stage: -1})
	}
	return out
}

func TestEveryMetricEmittedIsDeclaredAndNoOther(t *testing.T) {
	d := Definition()
	v, _ := scenarios.NewValues(&d, 1, nil)
	reg := metrics.NewRegistry(nil)
	if _, err := d.New(scenarios.Env{Metrics: reg, Targets: &targets.Settings{}, Values: v, Plan: scenarios.Plan{Workers: 1}}); err != nil {
		t.Fatal(err)
	}
	names := func(all []metrics.Desc) (out []string) {
		for _, m := range all {
			out = append(out, m.Name)
		}
		slices.Sort(out)
		return out
	}
	if got, want := names(reg.Descs()), names(d.Metrics); !slices.Equal(got, want) {
		t.Errorf("registered %v, declared %v", got, want)
	}
}

func TestValuesOfManySizesAreToldApart(t *testing.T) {
	z := newSizes(3, 100, 200)
	seen := map[int]bool{}
	for id := range uint64(2000) {
		v := string(z.appendValue(nil, id))
		if len(v) != z.of(id) || len(v) < 100 || len(v) > 200 || !z.intact(v, id) {
			t.Fatalf("key %d: %d bytes", id, len(v))
		}
		if z.intact(v, id+1) || z.intact(v[:len(v)-1]+"?", id) {
			t.Fatalf("key %d: another value is taken for its own", id)
		}
		seen[len(v)] = true
	}
	if len(seen) != 101 {
		t.Errorf("%d sizes from 100 to 200", len(seen))
	}
}

// rush lets every worker read the hot key once, at the same time.
func rush(t *testing.T, s *scenario) {
	t.Helper()
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			if err := s.Do(t.Context(), &work.Arrival{K: int64(w), N: int64(w), Seed: 3, Worker: w, Due: s.env.Clock.Now()}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestAStampedeIsShown(t *testing.T) {
	s := newRun(t, "stampede", over("hot_share", "1", "hot_ttl", "1h", "backend_time", "300ms")...)
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	rush(t, s)
	if n := s.herd.expiries.Load() + s.herd.redundant.Load(); n != workers || s.herd.most.Load() < 2 {
		t.Errorf("%d fetches, at most %d at once; every one of %d arrivals missed", n, s.herd.most.Load(), workers)
	}
	s.Sample(t.Context())
	rush(t, s)
	got := checks(t, s)
	if c := got["cache_hot_key_intact"]; !c.Passed || !strings.Contains(c.Detail, "0 of 20 reads of the hot key") {
		t.Errorf("%+v", c)
	}
	if c := got["cache_server_agrees"]; !c.Passed || !strings.Contains(c.Detail, "this one saw 20 and 20") {
		t.Errorf("%+v", c)
	}
	if c := got["cache_hit_ratio_exact"]; !c.Passed {
		t.Errorf("%+v", c)
	}
	if err := s.client.Set(t.Context(), s.herd.key, "another", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if s.Do(t.Context(), &work.Arrival{Seed: 3}) == nil || checks(t, s)["cache_hot_key_intact"].Passed {
		t.Error("an altered hot key was taken for its own")
	}
}

func TestCoalescedMissesFetchOnce(t *testing.T) {
	s := newRun(t, "coalesced", over("hot_share", "1", "hot_ttl", "1h", "backend_time", "500ms", "coalesce", "true")...)
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	rush(t, s)
	// One whose GET is slow may miss before the value is there and be too late
	// to wait for it.
	if n := s.herd.redundant.Load(); n != 0 || s.herd.joined.Load() == 0 || s.herd.most.Load() != 1 {
		t.Errorf("%d redundant fetches, %d waited, %d at once", n, s.herd.joined.Load(), s.herd.most.Load())
	}
}

func TestKeysThatExpireAreNamedAsSuch(t *testing.T) {
	s := newRun(t, "expired", over("ttl", "2ms", "ttl_jitter", "0.5", "hit_ratio", "1")...)
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The server counts a key as expired when somebody asks for it.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for n := int64(1); n > 0; {
		var err error
		if n, err = s.client.Exists(ctx, s.keys...).Result(); err != nil {
			t.Fatal(err)
		}
	}
	s.before.Expired = 0
	execute(t, s, 0, 50)
	if c := checks(t, s)["cache_hit_ratio_exact"]; c.Passed || !strings.Contains(c.Detail, "raise cache.ttl") {
		t.Errorf("%+v", c)
	}
}

func TestTimesToLiveAreSpread(t *testing.T) {
	s := newRun(t, "spread", over("ttl", "100s", "ttl_jitter", "0.5")...)
	least, most := time.Duration(math.MaxInt64), time.Duration(0)
	for id := range uint64(1000) {
		d := s.ttlOf(id)
		least, most = min(least, d), max(most, d)
	}
	if least < 50*time.Second || least > 52*time.Second || most > 100*time.Second || most < 98*time.Second {
		t.Errorf("from %v to %v, want 50 s to 100 s", least, most)
	}
}

func TestTheBackEndMayBeADatabase(t *testing.T) {
	s := newRun(t, "database", over("backend", "database", "backend_rows", "100", "hit_ratio", "0.5")...)
	s.env.Targets.Postgres = postgrestest.Address(t)
	d := Definition()
	if kinds := d.Also(s.env.Values); !slices.Equal(kinds, []targets.Kind{targets.Postgres}) {
		t.Errorf("it also needs %v", kinds)
	}
	if err := s.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if failed := execute(t, s, 0, 400); failed > 0 {
		t.Errorf("%d arrivals failed", failed)
	}
	for name, c := range checks(t, s) {
		if !c.Passed {
			t.Errorf("%s: %s", name, c.Detail)
		}
	}
	c, err := postgres.Connect(t.Context(), s.env.Targets.Postgres, postgres.Options{Run: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	// Its rows are deleted in the middle of the run.
	if _, err := c.Exec(t.Context(), "DELETE FROM "+s.store.table); err != nil {
		t.Fatal(err)
	}
	if failed := execute(t, s, 400, 800); failed != 200 {
		t.Errorf("%d of 200 misses failed, with a back end that has no rows", failed)
	}
	if err := s.store.close(t.Context(), s); err != nil {
		t.Error(err)
	}
	wantGone(t, c, s.store.table)
	s.store = nil
}

func wantGone(t *testing.T, c *pgx.Conn, table string) {
	t.Helper()
	var left bool
	if err := c.QueryRow(context.Background(), "SELECT to_regclass($1) IS NOT NULL", table).Scan(&left); err != nil || left {
		t.Errorf("table %s is left behind (%v)", table, err)
	}
}

func TestTheHitRatioIsExactBesideTheHotKey(t *testing.T) {
	s := makeRun(t, "exact", func(string) (string, bool) { return "", false }, over("hot_share", "0.2", "hit_ratio", "0.9")...)
	st := &s.stages[0]
	var hot, hits, misses int64
	seen := map[int64]bool{}
	for n := range int64(arrivals / 2) {
		isHot, rank := st.hot.deal(3^hotSeed, n)
		switch {
		case isHot:
			hot++
			continue
		case seen[rank]:
			t.Fatalf("two arrivals have rank %d", rank)
		case st.stagePlan.hit(3, st.first+rank):
			hits++
		default:
			misses++
		}
		seen[rank] = true
	}
	if hot != 200 || hits != 720 || misses != 80 {
		t.Errorf("%d hot reads, %d hits, %d misses; want 200, 720, 80", hot, hits, misses)
	}
}
