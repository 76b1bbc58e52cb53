package voting

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
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
	stages := []string{"first", "second"}
	reg, clock := metrics.NewRegistry(stages), work.NewClock()
	s, err := newScenario(scenarios.Env{
		RunID: fmt.Sprintf("test-%x-%d", time.Now().UnixNano(), serial.Add(1)), Seed: 7, Clock: clock, Metrics: reg,
		Targets: &targets.Settings{Postgres: a}, Scenario: "voting",
		Values: values(t, append([]scenarios.Override{set(keyAgents, "20"), set(keyProposals, "10"), set(keyOpen, "10"), set(keyPool, "6")}, over...)...),
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
		err := c.QueryRow(within(t, 10*time.Second), "SELECT coalesce(to_regclass($1), to_regclass($2)) IS NOT NULL", tr.votes, tr.tally).Scan(&left)
		if err != nil || left {
			t.Errorf("tables %s, %s are left behind: %v (%v)", tr.votes, tr.tally, left, err)
		}
	})
	if err := tr.Setup(within(t, 30*time.Second)); err != nil {
		t.Fatal(err)
	}
	return tr
}

// offer executes the arrivals from to until, spread over the workers.
func (tr *trial) offer(ctx context.Context, from, until int64) {
	var wg sync.WaitGroup
	for w := range trialWorkers {
		wg.Go(func() {
			for n := from + int64(w); n < until; n += trialWorkers {
				now := tr.env.Clock.Now()
				a := work.Arrival{K: n, N: n, Seed: 7, Due: now, Started: now, Stage: int(n % 2), Worker: w}
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
	checks, err := scenariotest.CheckWhole(within(t, 20*time.Second), tr, weighVotes)
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

// tamper changes the trial's tables behind its back; VOTES and TALLY stand for
// their names.
func (tr *trial) tamper(t testing.TB, sql string, rows int64) {
	t.Helper()
	sql = strings.NewReplacer("VOTES", tr.votes, "TALLY", tr.tally).Replace(sql)
	tag, err := control(t, tr.address).Exec(within(t, 10*time.Second), sql)
	if err != nil || tag.RowsAffected() != rows {
		t.Fatalf("%s touched %d rows, want %d: %v", sql, tag.RowsAffected(), rows, err)
	}
}

func TestEveryVoteIsCountedInEveryMode(t *testing.T) {
	a := server(t)
	for _, mode := range []string{hotRow, slotted, computed} {
		// A round and a half: the last one stays incomplete.
		tr := begin(t, a, 300, set(keyTally, mode))
		tr.offer(within(t, 30*time.Second), 0, 300)
		if err := tr.Drain(within(t, 10*time.Second)); err != nil {
			t.Fatal(err)
		}
		if failed := tr.verdicts(t); len(failed) > 0 || tr.done[""] != 300 {
			t.Errorf("%s: %v, %v", mode, tr.done, failed)
		}
		tr.Sample(t.Context())
		all := tr.totals()
		if g := all.Gauge(metrics.Selector{Name: "voting_accuracy"}); len(g) != 1 || g[0] != 1 {
			t.Errorf("%s: accuracy %v", mode, g)
		}
		if n, _ := all.Counter(metrics.Selector{Name: "votes_cast"}); n != 300 {
			t.Errorf("%s: %d votes cast, want 300", mode, n)
		}
		want := map[string]int64{"voting_latency": 300, "db_transaction_duration": 300, "db_pool_wait": 300, "db_query_duration": 600,
			"voting_consensus_time": tr.decidable(300), "voting_consensus_lag": tr.decidable(300),
			"voting_visible_time": tr.decidable(300), "voting_visibility_lag": tr.decidable(300), "voting_all_time": 10}
		if mode == computed {
			want["db_query_duration"] = 300
		}
		for name, n := range want {
			if h := all.Trend(metrics.Selector{Name: name}); h == nil || h.N != n {
				t.Errorf("%s: %s recorded %+v, want %d", mode, name, h, n)
			}
		}
	}
}

// decidable counts the proposals on which the first n votes reach the quorum.
func (tr *trial) decidable(n int64) (decided int64) {
	votes := map[[2]int64]int64{}
	for i := range n {
		b := tr.ballot(7, i)
		key := [2]int64{b.proposal, int64(b.choice)}
		if votes[key]++; votes[key] == tr.quorum {
			decided++
		}
	}
	return decided
}

func TestSecondVotesAreRefused(t *testing.T) {
	for _, over := range [][]scenarios.Override{{set(keyResubmit, "1")}, {set(keyConflict, "1")}, {set(keyConflict, "1"), set(keyTally, slotted)}, {set(keyConflict, "1"), set(keyTally, computed)}} {
		testSecondVotes(t, over...)
	}
}

func testSecondVotes(t *testing.T, over ...scenarios.Override) {
	t.Helper()
	tr := begin(t, server(t), 200, over...)
	tr.offer(within(t, 30*time.Second), 0, 200)
	if failed := tr.verdicts(t); len(failed) > 0 || tr.done[""] != 200 {
		t.Errorf("%v, %v", tr.done, failed)
	}
	if n, _ := tr.totals().Counter(metrics.Selector{Name: "votes_duplicate"}); n != 200 {
		t.Errorf("%d second votes were refused, want 200", n)
	}
}

func TestSecondVoteThatIsTakenFailsTheArrival(t *testing.T) {
	tr := begin(t, server(t), 200, set(keyResubmit, "1"))
	// A database without its key.
	tr.tamper(t, "ALTER TABLE VOTES DROP CONSTRAINT "+strings.TrimPrefix(tr.votes, postgres.Schema+".")+"_pkey", 0)
	tr.offer(within(t, 30*time.Second), 0, 200)
	if tr.done[work.KindWrong] != 200 {
		t.Errorf("%v, want 200 wrong answers", tr.done)
	}
	if failed := tr.verdicts(t); failed["votes_duplicated"] == "" || failed["vote_count_accuracy"] == "" {
		t.Errorf("failed %v", failed)
	}
}

func TestVotesThatAreTamperedWithAreFound(t *testing.T) {
	a := server(t)
	for _, c := range []struct {
		name, mode, sql string
		want            []string
		accuracy        float64
	}{
		{"a vote is gone", computed, "DELETE FROM VOTES WHERE number = 17", []string{"votes_lost"}, 0.995},
		{"a vote is gone, and so is its tally", hotRow,
			"WITH d AS (DELETE FROM VOTES WHERE number = 17 RETURNING *) UPDATE TALLY t SET votes = votes - 1 FROM d WHERE t.proposal = d.proposal AND t.choice = d.choice",
			[]string{"votes_lost"}, 0.995},
		{"a vote is gone, and the tally has it", hotRow, "DELETE FROM VOTES WHERE number = 17", []string{"votes_lost", "tally_mismatch"}, 0.99},
		{"a vote is flipped", computed, "UPDATE VOTES SET choice = (choice + 1) % 3 WHERE number = 17", []string{"votes_flipped"}, 0.995},
		{"a vote goes to another agent", computed, "UPDATE VOTES SET agent = 999 WHERE number = 17", []string{"votes_flipped"}, 0.995},
		{"a vote nobody cast", computed, "INSERT INTO VOTES VALUES (0, 999, 1, 5000)", []string{"votes_phantom"}, 0.995},
		{"a vote is there twice", computed, "INSERT INTO VOTES SELECT proposal, 999, choice, number FROM VOTES WHERE number = 17", []string{"votes_duplicated"}, 0.995},
		{"a tally is too high", hotRow, "UPDATE TALLY SET votes = votes + 1 WHERE proposal = 3 AND choice = 0", []string{"tally_mismatch"}, 0.995},
		{"a slot is too low", slotted, "UPDATE TALLY SET votes = votes - 1 WHERE proposal = 3 AND choice = 0 AND slot = 2", []string{"tally_mismatch"}, 0.995},
		{"a tally is gone", hotRow, "DELETE FROM TALLY WHERE proposal = 3 AND choice = 0", []string{"tally_mismatch"}, 0.995},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := begin(t, a, 200, set(keyTally, c.mode))
			tr.offer(within(t, 30*time.Second), 0, 200)
			tr.tamper(t, c.sql, 1)
			failed := tr.verdicts(t)
			for _, want := range append(c.want, "vote_count_accuracy") {
				if failed[want] == "" {
					t.Errorf("%s passed", want)
				}
				delete(failed, want)
			}
			if len(failed) > 0 {
				t.Errorf("failed too: %v", failed)
			}
			if g := tr.totals().Gauge(metrics.Selector{Name: "voting_accuracy"}); len(g) != 1 || math.Abs(g[0]-c.accuracy) > 1e-9 {
				t.Errorf("accuracy %v, want %v", g, c.accuracy)
			}
		})
	}
}

func TestMissingTallyFailsTheArrival(t *testing.T) {
	tr := begin(t, server(t), 40)
	tr.tamper(t, "DELETE FROM TALLY WHERE choice = 0", 10)
	tr.offer(within(t, 30*time.Second), 0, 40)
	var ayes int64
	for n := range int64(40) {
		if tr.ballot(7, n).choice == yes {
			ayes++
		}
	}
	if tr.done[work.KindWrong] != ayes || tr.done[""] != 40-ayes {
		t.Errorf("%v, want %d wrong answers", tr.done, ayes)
	}
}

func TestMoreVotesThanPlannedAreRefused(t *testing.T) {
	tr := begin(t, server(t), 5)
	tr.offer(within(t, 30*time.Second), 0, 200)
	if tr.done[work.KindExhausted] == 0 || tr.done[""]+tr.done[work.KindExhausted] != 200 {
		t.Errorf("%v", tr.done)
	}
	if failed := tr.verdicts(t); len(failed) > 0 {
		t.Errorf("%v", failed)
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

func TestVotesOfUnknownOutcomeAreReconciled(t *testing.T) {
	a := server(t)
	for _, mode := range []string{hotRow, computed} {
		tr := begin(t, a, 100_000, set(keyTally, mode))
		c := control(t, a)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			tr.terminate(t, c, 5)
		}()
		ctx := within(t, 60*time.Second)
		n := int64(0)
		for lost := false; !lost; n += 200 {
			select {
			case <-ended:
				lost = true
			default:
			}
			tr.offer(ctx, n, n+200)
		}
		failed := n - tr.done[""]
		if failed == 0 || failed != tr.done[work.KindClosed] {
			t.Errorf("%s: of %d votes: %v", mode, n, tr.done)
		}
		before := tr.done[""]
		tr.offer(ctx, n, n+200)
		if tr.done[""]-before != 200 {
			t.Errorf("%s: the pool did not recover: %v", mode, tr.done)
		}
		if failed := tr.verdicts(t); len(failed) > 0 {
			t.Errorf("%s: %v", mode, failed)
		}
		all := tr.totals()
		if k, _ := all.Counter(metrics.Selector{Name: "votes_cast"}); k != tr.done[""] {
			t.Errorf("%s: %d votes cast, %d arrivals succeeded", mode, k, tr.done[""])
		}
		if k, _ := all.Counter(metrics.Selector{Name: "db_reconnects"}); k == 0 {
			t.Errorf("%s: no reconnect was counted", mode)
		}
	}
}

func TestResetRemovesWhatAKilledRunLeft(t *testing.T) {
	a := server(t)
	tr := begin(t, a, 10)
	removed, err := newTrial(t, a, 1).Reset(within(t, 10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{tr.votes, tr.tally} {
		if !slices.Contains(removed, "table "+name) {
			t.Errorf("removed %v, and not %s", removed, name)
		}
	}
}
