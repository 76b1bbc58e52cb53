package crud

import (
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/scenariotest"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// contended is a load on one row, which cannot be serialized as it comes.
func contended(retries string) []scenarios.Override {
	return []scenarios.Override{set(keyTable, "1"), set(keyMix, "update=1"), set(keyIsolation, "repeatable-read"), set(keyRetries, retries)}
}

func TestSerializationFailuresAreRetriedAndCounted(t *testing.T) {
	tr := begin(t, server(t), 500, contended("1000")...)
	tr.offer(within(t, 60*time.Second), 0, 500, firstStage)
	if failed := tr.verdicts(t); len(failed) > 0 || tr.done[""] != 500 {
		t.Errorf("%v, %v", tr.done, failed)
	}
	if n, _ := tr.totals().Counter(metrics.Selector{Name: "db_retries", Tags: metrics.Tags{Operation: "40001"}}); n == 0 {
		t.Error("no retry was counted")
	}
}

func TestWithoutRetriesASerializationFailureFailsTheArrival(t *testing.T) {
	tr := begin(t, server(t), 500, contended("0")...)
	tr.offer(within(t, 60*time.Second), 0, 500, firstStage)
	if n := tr.done[postgres.KindSerialization]; n == 0 || n+tr.done[""] != 500 {
		t.Errorf("%v", tr.done)
	}
	if failed := tr.verdicts(t); len(failed) > 0 {
		t.Errorf("%v", failed)
	}
	if n, _ := tr.totals().Counter(metrics.Selector{Name: "db_retries"}); n != 0 {
		t.Errorf("%d retries", n)
	}
}

// bounded executes 1000 inserts into a table that keeps 100 rows of them.
func bounded(t *testing.T, mode string) *trial {
	t.Helper()
	tr := begin(t, server(t), 1000, set(keyMaxRows, "100"), set(keyMix, "insert=1"), set(keyMode, mode), set(keyBatch, "20"))
	tr.offer(within(t, 60*time.Second), 0, 1000, firstStage)
	if tr.done[""] != 1000 {
		t.Errorf("%v", tr.done)
	}
	return tr
}

func TestTheTableStaysWithinItsBound(t *testing.T) {
	for _, mode := range []string{"single", "copy"} {
		tr := bounded(t, mode)
		if failed := tr.verdicts(t); len(failed) > 0 {
			t.Errorf("%s: %v", mode, failed)
		}
		var rows int64
		if err := control(t, tr.address).QueryRow(t.Context(), "SELECT count(*) FROM "+tr.table).Scan(&rows); err != nil || rows != tr.cfg.table+tr.cfg.reserve+100 {
			t.Errorf("%s: %d rows, want %d and 100: %v", mode, rows, tr.cfg.table+tr.cfg.reserve, err)
		}
	}
}

func TestRowsThatAreTakenOrComeBackBehindABoundAreFound(t *testing.T) {
	tr := bounded(t, "copy")
	tr.tamper(t, "DELETE FROM %[1]s WHERE id = (SELECT max(id) FROM %[1]s)", 1)
	tr.tamper(t, "INSERT INTO %[1]s SELECT i, 0, 0, left(repeat(md5(i || ':0'), 7), 200) FROM (SELECT min(id) - 5 AS i FROM %[1]s WHERE token >= 0) x", 1)
	failed := tr.verdicts(t)
	if !strings.HasPrefix(failed["crud_rows_lost"], "1 of 20000") || !strings.Contains(failed["crud_rows_unexpected"], "1 rows whose delete was confirmed") || len(failed) != 2 {
		t.Errorf("failed %v", failed)
	}
}

func TestRowsThatAreWrongAreNamed(t *testing.T) {
	tr := begin(t, server(t), 10, set(keyMix, "select=1"))
	tr.tamper(t, "DELETE FROM %s WHERE id IN (3, 4)", 2)
	tr.tamper(t, "UPDATE %s SET payload = 'x' WHERE id BETWEEN 10 AND 16", 7)
	tr.tamper(t, "INSERT INTO %s SELECT -5, 0, 0, left(repeat(md5('-5:0'), 7), 200)", 1)
	failed := tr.verdicts(t)
	for name, want := range map[string]string{"crud_rows_lost": ": id 3, 4", "crud_rows_intact": ": id 10, 11, 12, 13, 14 …", "crud_rows_unexpected": ": id -5"} {
		if !strings.HasSuffix(failed[name], want) {
			t.Errorf("%s: %q, want it to end with %q", name, failed[name], want)
		}
	}
}

func TestTheFloorIsMeasuredAndSetBesideTheModes(t *testing.T) {
	tr := begin(t, server(t), 20, set(keyMix, "insert=1"))
	tr.offer(within(t, 30*time.Second), 0, 20, firstStage)
	tr.Sample(t.Context())
	if h := tr.totals().Trend(metrics.Selector{Name: "db_round_trip"}); h == nil || h.N != 1 || tr.floor.idle <= 0 {
		t.Errorf("round trips %+v, before the run %v", h, tr.floor.idle)
	}
	checks, err := scenariotest.CheckWhole(within(t, 10*time.Second), tr, weighRows)
	if err != nil {
		t.Fatal(err)
	}
	last := checks[len(checks)-1]
	if !strings.Contains(last.Detail, "round trips)") || !strings.Contains(last.Detail, "SELECT 1") {
		t.Errorf("%s: %s", last.Name, last.Detail)
	}
}

func TestASaturatedPoolIsShownAsItHappens(t *testing.T) {
	tr := begin(t, server(t), 10)
	var held []postgres.Conn
	for range 6 {
		c, err := tr.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tr.offer(t.Context(), 0, 3, firstStage)
	}()
	read := func() float64 {
		tr.Sample(t.Context())
		g := tr.totals().Gauge(metrics.Selector{Name: "db_pool_waiting"})
		return g[len(g)-1]
	}
	ctx := within(t, 10*time.Second)
	for read() != 3 {
		if ctx.Err() != nil {
			t.Fatal("the waiting arrivals are not shown")
		}
		time.Sleep(time.Millisecond)
	}
	for _, c := range held {
		c.Release()
	}
	<-done
	if n := read(); n != 0 {
		t.Errorf("%v wait for a pool that is idle", n)
	}
}
