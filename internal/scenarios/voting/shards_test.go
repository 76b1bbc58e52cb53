package voting

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/scenarios"
)

// Where no row of the tally tells which vote decided, the votes of all shards do.
func TestTheDecidingVoteIsFoundAmongThoseOfAllShards(t *testing.T) {
	ms := int64(time.Millisecond)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano()
	a := scenarios.NewAccount()
	a.Facts[factAgents], a.Facts[factQuorum], a.Facts[factMode] = "5", "3", slotted
	for _, all := range [][]share{
		// Proposal 0: the third vote for choice 1 is this shard's second.
		{{Proposal: 0, Opened: at, Votes: 3, Committed: [choices][]vote{1: {{0, 2 * ms, 0}, {30 * ms, 40 * ms, 1}}, 2: {{1 * ms, 90 * ms, 1}}}},
			{Proposal: 1, Opened: at, Votes: 1, Committed: [choices][]vote{0: {{0, ms, 0}}}}},
		{{Proposal: 0, Opened: at - 5*ms, Votes: 2, Committed: [choices][]vote{1: {{0, 55 * ms, 1}, {38 * ms, 39 * ms, 0}}}}},
	} {
		part, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		a.Parts = append(a.Parts, part)
	}
	opened, values, err := together(a)
	if err != nil || opened != 2 {
		t.Fatalf("%d opened, %v", opened, err)
	}
	got := map[string]scenarios.Value{}
	for _, v := range values {
		if _, twice := got[v.Desc.Name]; twice {
			t.Errorf("%s twice", v.Desc.Name)
		}
		got[v.Desc.Name] = v
	}
	// Of 2, 34, 40 and 50 ms the third is the first shard's, 45 ms after the opening; the
	// newest up to it was due at 33 ms by that shard's opening.
	if v := got[consensusTime.Name]; v.Value != 45*time.Millisecond || v.Stage != 1 {
		t.Errorf("consensus after %v in stage %d", v.Value, v.Stage)
	}
	if v := got[consensusLag.Name]; v.Value != 7*time.Millisecond || v.Stage != 1 {
		t.Errorf("consensus lag %v in stage %d", v.Value, v.Stage)
	}
	if _, seen := got[visibleTime.Name]; seen {
		t.Error("nobody saw it")
	}
}
