package voting

import (
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

func TestATallyThatIsWrongWhileTheRunGoesOnIsSeenByTheReader(t *testing.T) {
	tr := begin(t, server(t), 200)
	tr.offer(within(t, 30*time.Second), 0, 50)
	tr.tamper(t, "UPDATE TALLY SET votes = votes + 1000 WHERE choice = 0", 10)
	tr.offer(within(t, 30*time.Second), 50, 200)
	if err := tr.Drain(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	// Put right again before the recount, which finds nothing.
	tr.tamper(t, "UPDATE TALLY SET votes = votes - 1000 WHERE choice = 0", 10)
	failed := tr.verdicts(t)
	if d := failed["tally_readings"]; !strings.Contains(d, "proposal ") || len(failed) != 1 {
		t.Errorf("failed %v", failed)
	}
}

func TestAQuorumThatTheReaderNeverSeesIsTold(t *testing.T) {
	tr := begin(t, server(t), 200)
	tr.tamper(t, "UPDATE TALLY SET votes = votes - 1000", 30)
	tr.offer(within(t, 30*time.Second), 0, 200)
	// The reader goes on looking for each; the end of the run ends it.
	failed := tr.verdicts(t)
	if failed["tally_readings"] == "" || failed["tally_mismatch"] == "" {
		t.Errorf("failed %v", failed)
	}
	if h := tr.totals().Trend(metrics.Selector{Name: "voting_visible_time"}); h != nil && h.N > 0 {
		t.Errorf("%d proposals were seen with a quorum", h.N)
	}
}

func TestFaultsAreNamedByAgentAndProposal(t *testing.T) {
	tr := begin(t, server(t), 200)
	tr.offer(within(t, 30*time.Second), 0, 200)
	lost, flipped := tr.ballot(7, 17), tr.ballot(7, 42)
	tr.tamper(t, "DELETE FROM VOTES WHERE number = 17", 1)
	tr.tamper(t, "UPDATE VOTES SET choice = (choice + 1) % 3 WHERE number = 42", 1)
	failed := tr.verdicts(t)
	for name, want := range map[string]ballot{"votes_lost": lost, "votes_flipped": flipped} {
		if who := whose(want, ""); !strings.Contains(failed[name], who) {
			t.Errorf("%s: %q does not name %q", name, failed[name], who)
		}
	}
	if d := failed["tally_mismatch"]; !strings.Contains(d, "votes for "+choiceName(lost.choice)) {
		t.Errorf("tally_mismatch: %s", d)
	}
}

func TestConflictingVotesNeedNoMoreThanOneConnection(t *testing.T) {
	tr := begin(t, server(t), 100, set(keyConflict, "1"), set(keyPool, "1"))
	tr.offer(within(t, 30*time.Second), 0, 100)
	if failed := tr.verdicts(t); len(failed) > 0 || tr.done[""] != 100 {
		t.Errorf("%v, %v", tr.done, failed)
	}
}

func TestConflictingVotesThatAreBothTakenFailTheArrival(t *testing.T) {
	tr := begin(t, server(t), 50, set(keyConflict, "1"))
	tr.tamper(t, "ALTER TABLE VOTES DROP CONSTRAINT "+strings.TrimPrefix(tr.votes, postgres.Schema+".")+"_pkey", 0)
	tr.offer(within(t, 30*time.Second), 0, 50)
	if failed := tr.verdicts(t); tr.done[work.KindWrong] != 50 || failed["votes_duplicated"] == "" {
		t.Errorf("%v, %v", tr.done, failed)
	}
}
