package crud

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/scenariotest"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/postgres/postgrestest"
)

// server returns the address of the database under test.
func server(t testing.TB) targets.Address {
	t.Helper()
	return postgrestest.Address(t)
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(postgrestest.Exit)) }

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// trial is a scenario with what a run gives it.
type trial struct {
	*scenario
	all *metrics.Collector
	// done counts arrivals by the kind of their failure, "" for success.
	mu   sync.Mutex
	done map[work.Kind]int64
}

const trialWorkers = 16

var serial atomic.Int64

func newTrial(t testing.TB, a targets.Address, arrivals int64, over ...scenarios.Override) *trial {
	t.Helper()
	stages := []string{"first", "second", "third", "fourth"}
	reg, clock := metrics.NewRegistry(stages), work.NewClock()
	s, err := newScenario(scenarios.Env{
		RunID: fmt.Sprintf("test-%x-%d", time.Now().UnixNano(), serial.Add(1)), Seed: 7, Clock: clock, Metrics: reg,
		Targets: &targets.Settings{Postgres: a}, Scenario: "crud",
		Values: values(t, len(stages), append([]scenarios.Override{set(keyTable, "500"), set(keyPool, "6")}, over...)...),
		Plan:   scenarios.Plan{Arrivals: arrivals, Workers: trialWorkers, Stages: stages},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &trial{scenario: s, done: map[work.Kind]int64{},
		all: metrics.NewCollector(reg, clock.Now, func(time.Duration) int { return 0 })}
}

// begin sets a trial up; its end removes everything, or the test fails.
func begin(t testing.TB, a targets.Address, arrivals int64, over ...scenarios.Override) *trial {
	t.Helper()
	tr := newTrial(t, a, arrivals, over...)
	t.Cleanup(func() {
		if err := tr.Close(within(t, 20*time.Second)); err != nil {
			t.Errorf("close: %v", err)
		}
		c := control(t, a)
		var left bool
		if err := c.QueryRow(within(t, 10*time.Second), "SELECT to_regclass($1) IS NOT NULL", tr.table).Scan(&left); err != nil || left {
			t.Errorf("table %s is left behind: %v (%v)", tr.table, left, err)
		}
	})
	if err := tr.Setup(within(t, 30*time.Second)); err != nil {
		t.Fatal(err)
	}
	return tr
}

// offer executes the arrivals from to until, spread over the workers; stage
// says in which stage each is.
func (tr *trial) offer(ctx context.Context, from, until int64, stage func(n int64) int) {
	var wg sync.WaitGroup
	for w := range trialWorkers {
		wg.Go(func() {
			for n := from + int64(w); n < until; n += trialWorkers {
				now := tr.clock.Now()
				a := work.Arrival{K: n, N: n, Seed: 7, Due: now, Started: now, Stage: stage(n), Worker: w}
				kind := work.Kind("")
				if err := tr.Do(ctx, &a); err != nil {
					kind = work.KindOf(err)
				}
				tr.mu.Lock()
				tr.done[kind]++
				tr.mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func firstStage(int64) int { return 0 }

// totals returns what was recorded.
func (tr *trial) totals() *metrics.Totals {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	tr.all.Run(ctx)
	var out *metrics.Totals
	tr.all.Totals(func(t *metrics.Totals) { out = t })
	return out
}

// verdicts returns the checks that failed, by name.
func (tr *trial) verdicts(t testing.TB) map[string]string {
	t.Helper()
	checks, err := scenariotest.CheckWhole(within(t, 20*time.Second), tr, weighRows)
	if err != nil {
		t.Fatal(err)
	}
	failed := map[string]string{}
	for _, c := range checks {
		t.Logf("%s %v: %s", c.Name, c.Passed, c.Detail)
		if !c.Passed {
			failed[c.Name] = c.Detail
		}
	}
	return failed
}

func control(t testing.TB, a targets.Address) *pgx.Conn {
	t.Helper()
	c, err := postgres.Connect(within(t, 10*time.Second), a, postgres.Options{Run: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// tamper changes the trial's table behind its back.
func (tr *trial) tamper(t testing.TB, sql string, rows int64) {
	t.Helper()
	tag, err := control(t, tr.address).Exec(within(t, 10*time.Second), fmt.Sprintf(sql, tr.table))
	if err != nil || tag.RowsAffected() != rows {
		t.Fatalf("%s touched %d rows, want %d: %v", sql, tag.RowsAffected(), rows, err)
	}
}

func TestMixedLoadIsAccountedFor(t *testing.T) {
	for _, over := range [][]scenarios.Override{
		nil,
		{set(keyKeys, "zipf"), set(keyTransaction, "true"), set(keyPayload, "1000")},
		{set(keyKeys, "hotspot"), set(keyMode, "multi-row"), set(keyBatch, "7"), set(keyPayload, "1")},
	} {
		tr := begin(t, server(t), 2000, over...)
		tr.offer(within(t, 60*time.Second), 0, 2000, firstStage)
		if tr.done[""] != 2000 {
			t.Errorf("%d of 2000 arrivals succeeded: %v", tr.done[""], tr.done)
		}
		if failed := tr.verdicts(t); len(failed) > 0 {
			t.Errorf("nothing went wrong, and yet: %v", failed)
		}
		var operations int64
		for _, name := range opNames {
			if h := tr.totals().Trend(metrics.Selector{Name: "db_query_duration", Tags: metrics.Tags{Operation: name}}); h != nil {
				operations += h.N
			}
		}
		if over == nil && operations != 2000 {
			t.Errorf("%d operations recorded, want 2000", operations)
		}
	}
}

func TestEveryInsertModeWritesTheSameRows(t *testing.T) {
	tr := begin(t, server(t), 80, set(keyMix, "insert=1"), set(keyBatch, "50"),
		scenarios.Override{Key: keyMode, Value: "multi-row", Stage: 1, Place: "test"},
		scenarios.Override{Key: keyMode, Value: "batch", Stage: 2, Place: "test"},
		scenarios.Override{Key: keyMode, Value: "copy", Stage: 3, Place: "test"})
	tr.offer(within(t, 60*time.Second), 0, 80, func(n int64) int { return int(n / 20) })
	if failed := tr.verdicts(t); len(failed) > 0 || tr.done[""] != 80 {
		t.Errorf("%v, %v", tr.done, failed)
	}
	for mode, want := range map[string]int64{"single": 20, "multi-row": 1000, "batch": 1000, "copy": 1000} {
		n, _ := tr.totals().Counter(metrics.Selector{Name: "crud_rows", Tags: metrics.Tags{Operation: mode}})
		if n != want {
			t.Errorf("%s: %d rows counted, want %d", mode, n, want)
		}
	}
}

func TestWhatHappensBehindTheClientsBackIsFound(t *testing.T) {
	a := server(t)
	for _, c := range []struct {
		name, sql string
		rows      int64
		want      string
	}{
		{"an inserted row is gone", "DELETE FROM %[1]s WHERE id = (SELECT max(id) FROM %[1]s)", 1, "crud_rows_lost"},
		{"a row from before the run is gone", "DELETE FROM %s WHERE id = 3", 1, "crud_rows_lost"},
		{"a row to be deleted is gone", "DELETE FROM %[1]s WHERE id = (SELECT max(id) FROM %[1]s WHERE id < 560)", 1, "crud_rows_lost"},
		{"a payload is altered", "UPDATE %s SET payload = 'x' WHERE id = 7", 1, "crud_rows_intact"},
		{"a row's writer is altered", "UPDATE %[1]s SET token = token + 1 WHERE id = (SELECT max(id) FROM %[1]s)", 1, "crud_rows_intact"},
		{"an update is undone", "UPDATE %[1]s SET version = version - 1 WHERE id = (SELECT min(id) FROM %[1]s WHERE version > 0)", 1, "crud_updates_counted"},
		{"an update nobody sent", "UPDATE %s SET version = version + 1 WHERE id = 9", 1, "crud_updates_counted"},
		{"a row nobody wrote", "INSERT INTO %[1]s SELECT max(id) + 1000, 0, 0, left(repeat(md5(max(id) + 1000 || ':0'), 7), 200) FROM %[1]s", 1, "crud_rows_unexpected"},
		{"a row below all ids", "INSERT INTO %s SELECT -5, 0, 0, left(repeat(md5('-5:0'), 7), 200)", 1, "crud_rows_unexpected"},
		{"a deleted row is back", "INSERT INTO %s SELECT 501, 0, -1, left(repeat(md5('501:-1'), 7), 200)", 1, "crud_rows_unexpected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// 400 arrivals delete about 20 of the 57 rows written for it, from
			// id 501 on.
			tr := begin(t, a, 400)
			tr.offer(within(t, 60*time.Second), 0, 400, firstStage)
			tr.tamper(t, c.sql, c.rows)
			failed := tr.verdicts(t)
			if failed[c.want] == "" || len(failed) != 1 {
				t.Errorf("failed %v, want only %s", failed, c.want)
			}
		})
	}
}

func TestWrongAnswersFailTheArrival(t *testing.T) {
	a := server(t)
	for _, c := range []struct{ mix, sql string }{
		{"select=1", "DELETE FROM %s WHERE id <= 500"},
		{"select=1", "UPDATE %s SET payload = 'x' WHERE id <= 500"},
		{"update=1", "DELETE FROM %s WHERE id <= 500"},
	} {
		tr := begin(t, a, 40, set(keyMix, c.mix))
		tr.tamper(t, c.sql, 500)
		tr.offer(within(t, 30*time.Second), 0, 40, firstStage)
		if tr.done[work.KindWrong] != 40 {
			t.Errorf("%s after %q: %v, want 40 wrong answers", c.mix, c.sql, tr.done)
		}
	}
}

// terminate ends server processes of the trial's pool until it ended n of them.
func (tr *trial) terminate(t testing.TB, c *pgx.Conn, n int) {
	for killed := 0; killed < n; {
		var k int
		err := c.QueryRow(context.Background(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE application_name = $1 AND state = 'active'`, "perfctl/"+tr.options.Run).Scan(&k)
		if err != nil {
			t.Error(err)
			return
		}
		killed += k
	}
}

func TestLostConnectionsAreCountedAndReplaced(t *testing.T) {
	for _, over := range [][]scenarios.Override{{set(keyTransaction, "true")}, {set(keyMode, "batch"), set(keyBatch, "20")}, {set(keyMode, "copy"), set(keyBatch, "20")}} {
		a := server(t)
		tr := begin(t, a, 100_000, over...)
		c := control(t, a)
		const losses = 5
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			tr.terminate(t, c, losses)
		}()
		// Rounds of arrivals, until the connections were lost in one of them.
		ctx := within(t, 60*time.Second)
		n := int64(0)
		for lost := false; !lost; n += 200 {
			select {
			case <-ended:
				lost = true
			default:
			}
			tr.offer(ctx, n, n+200, firstStage)
		}
		var all int64
		for _, k := range tr.done {
			all += k
		}
		// Each lost connection fails the arrival that has it. One query may
		// find a process that is ending already, so there may be fewer.
		failed := all - tr.done[""]
		if all != n || failed == 0 || failed != tr.done[work.KindClosed] {
			t.Errorf("%d of %d arrivals accounted for: %v", all, n, tr.done)
		}
		before := tr.done[""]
		tr.offer(ctx, n, n+200, firstStage)
		if tr.done[""]-before != 200 {
			t.Errorf("the pool did not recover: %v", tr.done)
		}
		if k, _ := tr.totals().Counter(metrics.Selector{Name: "db_reconnects"}); k == 0 {
			t.Error("no reconnect was counted")
		}
		if failed := tr.verdicts(t); len(failed) > 0 {
			t.Errorf("%v", failed)
		}
	}
}

func TestStormOfLossesIsBounded(t *testing.T) {
	a := server(t)
	tr := begin(t, a, 100_000)
	c := control(t, a)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				tr.terminate(t, c, 1)
			}
		}
	}()
	ctx := within(t, 60*time.Second)
	began := tr.clock.Now()
	tr.offer(ctx, 0, 3000, firstStage)
	opened, _ := tr.totals().Counter(metrics.Selector{Name: "db_reconnects"})
	// Twice the pool at once, then 50 a second.
	if bound := int64(2*6 + 50*(tr.clock.Now()-began).Seconds() + 1); opened > bound || opened == 0 {
		t.Errorf("%d connections opened anew, want 1 to %d", opened, bound)
	}
	// terminate returns only once it found somebody: let it.
	close(stop)
	n := int64(3000)
	for over := false; !over; n += 16 {
		select {
		case <-ended:
			over = true
		default:
		}
		tr.offer(ctx, n, n+16, firstStage)
	}
	var all int64
	for _, k := range tr.done {
		all += k
	}
	if all != n || all != tr.done[""]+tr.done[work.KindClosed] {
		t.Errorf("%d of %d arrivals accounted for: %v", all, n, tr.done)
	}
	// Then it is over, and the pool fills up again.
	for whole := false; !whole; n++ {
		tr.offer(ctx, n, n+1, firstStage)
		whole = tr.pool.Stat().TotalConns() == 6
		if ctx.Err() != nil {
			t.Fatal("the pool does not fill up again")
		}
	}
	if failed := tr.verdicts(t); len(failed) > 0 {
		t.Errorf("%v", failed)
	}
}

func TestTargetThatCannotBeUsedFailsTheSetup(t *testing.T) {
	a := server(t)
	u := *a.URL
	u.Path = "/perf_" + fmt.Sprintf("%x", time.Now().UnixNano())
	none := newTrial(t, targets.Address{Kind: a.Kind, URL: &u}, 10)
	var unreachable *targets.UnreachableError
	if err := none.Setup(within(t, 10*time.Second)); !errors.As(err, &unreachable) {
		t.Errorf("missing database: %v", err)
	}
	if err := none.Close(within(t, 10*time.Second)); err != nil {
		t.Errorf("nothing was made, and closing says: %v", err)
	}
	u = *a.URL
	u.User = url.UserPassword(a.URL.User.Username(), "s3cr3t-wrong")
	if err := newTrial(t, targets.Address{Kind: a.Kind, URL: &u}, 10).Setup(within(t, 10*time.Second)); !errors.As(err, &unreachable) {
		t.Errorf("wrong password: %v", err)
	}
}

func TestPoolIsShownAndResetRemovesWhatAKilledRunLeft(t *testing.T) {
	a := server(t)
	tr := begin(t, a, 10)
	tr.Sample(t.Context())
	all := tr.totals()
	for name, want := range map[string]float64{"db_connection_pool_size": 6, "db_pool_max": 6, "db_pool_in_use": 0, "db_pool_idle": 6, "db_pool_utilisation": 0} {
		if g := all.Gauge(metrics.Selector{Name: name}); len(g) != 1 || g[0] != want {
			t.Errorf("%s is %v, want %v", name, g, want)
		}
	}
	// Another process resets while this one is as good as killed.
	removed, err := newTrial(t, a, 1).Reset(within(t, 10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, r := range removed {
		found = found || r == "table "+tr.table
	}
	if !found {
		t.Errorf("removed %v, and not %s", removed, tr.table)
	}
}
