package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func TestStatementsOfATracedArrivalSayToWhichTraceTheyBelong(t *testing.T) {
	s := NewStatement("test_traced", "SELECT octet_length(query)::bigint, position('/*traceparent=''00-' IN query)::bigint, $1::bigint FROM pg_stat_activity WHERE pid = pg_backend_pid() -- last")
	p := open(t, server(t), Options{Size: 1, Statements: []*Statement{s}})
	ctx := within(t, 10*time.Second)
	for _, traced := range []bool{false, true, false} {
		c, err := p.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		notes := &work.Notes{}
		if traced {
			notes.Trace = work.TraceID{1, 2, 3}
		}
		o := (&work.Arrival{Notes: notes}).Begin("postgres", "read", time.Second)
		c.Note(o, time.Second, s.SQL)
		for range 2 { // on its own, and in a transaction
			params := NewParams(1)
			params.Int64(0, 7)
			var got []int64
			r := c.Query(ctx, s, params)
			for r.NextRow() {
				for _, v := range r.Values() {
					n, _ := Int64Of(v)
					got = append(got, n)
				}
			}
			if _, err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if len(got) != 3 || got[2] != 7 || (got[1] > 0) != traced || (got[0] > int64(len(s.SQL))) != traced {
				t.Errorf("traced %v: %v", traced, got)
			}
			tx := c.Begin(ctx)
			rows, err := tx.ExecLast(s, params)
			if err = tx.End(err); err != nil || rows != 1 {
				t.Errorf("in a transaction: %d rows, %v", rows, err)
			}
		}
		if text, ok := c.commented("SELECT 1"); ok != traced || traced && !strings.HasPrefix(text, "SELECT 1\n/*traceparent='00-010203") {
			t.Errorf("traced %v: %q", traced, text)
		}
		c.Release()
	}
}
