package crud

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// A failed transaction is told with the statement that failed.
func TestATransactionThatFailsNamesItsStatement(t *testing.T) {
	for name, c := range map[string]struct{ does, want string }{
		"insert": {"CREATE TRIGGER refuses BEFORE INSERT ON %[1]s FOR EACH ROW EXECUTE FUNCTION %[1]s_refuses()", "insert (INSERT"},
		"update": {"CREATE TRIGGER refuses BEFORE UPDATE ON %[1]s FOR EACH ROW EXECUTE FUNCTION %[1]s_refuses()", "update (UPDATE"},
		"commit": {"CREATE CONSTRAINT TRIGGER refuses AFTER UPDATE ON %[1]s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION %[1]s_refuses()", "COMMIT: "},
		"no row": {"CREATE RULE refuses AS ON UPDATE TO %[1]s DO INSTEAD NOTHING", "update (UPDATE"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := begin(t, server(t), 1, set(keyMix, "insert=1"), set(keyTransaction, "true"))
			db := control(t, tr.address)
			for _, sql := range []string{
				"CREATE FUNCTION %[1]s_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$",
				c.does,
			} {
				if _, err := db.Exec(t.Context(), fmt.Sprintf(sql, tr.table)); err != nil {
					t.Fatal(err)
				}
			}
			defer func() {
				_, err := db.Exec(t.Context(), fmt.Sprintf("DROP FUNCTION %[1]s_refuses() CASCADE", tr.table))
				if err != nil {
					t.Error(err)
				}
			}()
			now := tr.clock.Now()
			err := tr.Do(within(t, 30*time.Second), &work.Arrival{Seed: 7, Due: now, Started: now})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to tell %q", err, c.want)
			}
		})
	}
}
