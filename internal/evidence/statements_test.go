package evidence

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

func TestAStatementThatReadsManyTimesItsPagesIsSeen(t *testing.T) {
	s := statements{log: slog.New(slog.DiscardHandler), by: map[int64]*statement{}}
	calls, pages := int64(0), int64(0)
	read := func(n, each int64) bool {
		calls, pages = calls+n, pages+n*each
		return s.see(1, calls, pages) != nil
	}
	for range 5 {
		if read(100, 4) {
			t.Fatal("a usual reading is taken for another plan")
		}
	}
	if read(100, 90) {
		t.Error("90 pages in place of 4 are no other plan: the statement is still cheap")
	}
	if read(2, 2500) {
		t.Error("two calls are too few to say so")
	}
	for range 3 {
		if !read(100, 2500) {
			t.Error("2500 pages in place of 4 are not seen")
		}
	}
	if read(100, 4) {
		t.Error("it is seen after it is over")
	}
}

func TestARefusedExtensionIsSaidOnce(t *testing.T) {
	at := reach(t).Postgres
	c := connect(t, at)
	var log strings.Builder
	s := statements{log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 2 {
		if err := s.refused(errors.New("no such function"), c.Conn); err != nil {
			t.Error(err)
		}
	}
	if !s.blind || strings.Count(log.String(), "pg_stat_statements cannot be read") != 1 {
		t.Errorf("blind %v; %s", s.blind, log.String())
	}
}

func TestALostIndexIsSeen(t *testing.T) {
	at := reach(t).Postgres
	c := connect(t, at)
	c.do("DROP TABLE IF EXISTS evidence_wide")
	c.do("CREATE TABLE evidence_wide (key int, pad text)")
	defer c.do("DROP TABLE evidence_wide")
	c.do("INSERT INTO evidence_wide SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i")
	c.do("CREATE INDEX evidence_wide_key ON evidence_wide (key)")
	c.do("VACUUM ANALYZE evidence_wide")
	ask := func(until func() bool) {
		for i := range 3000 {
			c.do("SELECT pad FROM evidence_wide WHERE key = 17")
			if i%10 == 0 && until() {
				return
			}
			time.Sleep(2 * time.Millisecond) // some in every second
		}
	}
	began := time.Now()
	all := watched(t, NewPostgres(at, "evidence", slog.New(slog.DiscardHandler)), func(seen func(string) bool) {
		ask(func() bool { return time.Since(began) > (usualReadings+2)*time.Second })
		c.do("DROP INDEX evidence_wide_key")
		dropped := time.Now()
		ask(func() bool { return time.Since(dropped) > 3*time.Second || seen(exemplars.Plan) })
	})
	plans := only(all, exemplars.Plan)
	if len(plans) == 0 || !strings.Contains(plans[0].By, "FROM evidence_wide WHERE key") || plans[0].From < 1000*usualReadings {
		t.Errorf("%+v", plans)
	}
}
