package voting

import (
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// A vote whose tally fails, or whose commit, is told with the statement that failed.
func TestAVoteThatFailsNamesItsStatement(t *testing.T) {
	for name, c := range map[string]struct{ does, want string }{
		"vote":   {"CREATE TRIGGER refuses BEFORE INSERT ON VOTES FOR EACH ROW EXECUTE FUNCTION VOTES_refuses()", "vote (INSERT"},
		"tally":  {"CREATE TRIGGER refuses BEFORE UPDATE ON TALLY FOR EACH ROW EXECUTE FUNCTION VOTES_refuses()", "tally ("},
		"commit": {"CREATE CONSTRAINT TRIGGER refuses AFTER INSERT ON VOTES DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION VOTES_refuses()", "COMMIT: "},
	} {
		t.Run(name, func(t *testing.T) {
			tr := begin(t, server(t), 1)
			db := control(t, tr.address)
			do := func(sql string) {
				t.Helper()
				if _, err := db.Exec(within(t, 10*time.Second), strings.NewReplacer("VOTES", tr.votes, "TALLY", tr.tally).Replace(sql)); err != nil {
					t.Error(err)
				}
			}
			do("CREATE FUNCTION VOTES_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$")
			defer do("DROP FUNCTION VOTES_refuses() CASCADE")
			do(c.does)
			now := tr.env.Clock.Now()
			err := tr.Do(within(t, 30*time.Second), &work.Arrival{Seed: 7, Due: now, Started: now})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to tell %q", err, c.want)
			}
		})
	}
}
