package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func TestFailuresAreCountedByWhatTheServerSaid(t *testing.T) {
	state := func(code, severity string) error {
		return fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code, SeverityUnlocalized: severity})
	}
	for _, c := range []struct {
		err      error
		kind     work.Kind
		definite bool
	}{
		{state("57014", "ERROR"), work.KindTimeout, true},
		{state("55P03", "ERROR"), work.KindTimeout, true},
		{state("40001", "ERROR"), KindSerialization, true},
		{state("40P01", "ERROR"), KindSerialization, true},
		{state("23505", "ERROR"), KindConstraint, true},
		{state("08006", "FATAL"), work.KindClosed, false},
		{state("57P01", "FATAL"), work.KindClosed, false},
		{state("57P03", "FATAL"), work.KindClosed, false},
		{state("53300", "FATAL"), work.KindRejected, false},
		{state("42P01", "ERROR"), work.KindRejected, true},
		{state("", "ERROR"), work.KindRejected, true},
		{errReconnecting, work.KindClosed, true},
		{errRolledBack, work.KindRejected, true},
		{pgconn.ErrConnClosed, work.KindClosed, false},
		{context.Canceled, work.KindTimeout, false},
		{context.DeadlineExceeded, work.KindTimeout, false},
		{io.ErrUnexpectedEOF, work.KindClosed, false},
		{syscall.ECONNREFUSED, work.KindRefused, false},
		{errors.New("something"), work.KindOther, false},
		{work.Fail(work.KindWrong, errors.New("x")), work.KindWrong, false},
	} {
		if got := work.KindOf(Fail(c.err)); got != c.kind {
			t.Errorf("%v: kind %s, want %s", c.err, got, c.kind)
		}
		want := Unknown
		if c.definite {
			want = Refused
		}
		if got := OutcomeOf(c.err); got != want {
			t.Errorf("%v: outcome %d, want %d", c.err, got, want)
		}
	}
	if Fail(nil) != nil || OutcomeOf(nil) != Committed {
		t.Error("no error must be a success")
	}
}

func TestOutcomesRememberEveryWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := NewOutcomes(rapid.Int64Range(0, 10000).Draw(t, "room"))
		want := map[int64]Write{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			n := rapid.Int64Range(0, 30000).Draw(t, "n")
			if rapid.Bool().Draw(t, "see") {
				o.See(n)
				if w, ok := want[n]; ok {
					w.Seen++
					want[n] = w
				}
				continue
			}
			w := Write{N: n, Outcome: rapid.SampledFrom([]Outcome{Committed, Refused, Unknown}).Draw(t, "outcome"),
				Rows: rapid.Int64Range(0, MaxRows).Draw(t, "rows")}
			o.Set(n, w.Outcome, int(w.Rows))
			want[n] = w
		}
		last := int64(-1)
		o.Each(func(w Write) {
			// What was seen of a write before it was sent is not kept.
			if w.N <= last || w != want[w.N] || o.Get(w.N) != w {
				t.Fatalf("got %+v after %d, want %+v", w, last, want[w.N])
			}
			last = w.N
			delete(want, w.N)
		})
		if len(want) > 0 {
			t.Fatalf("forgotten: %v", want)
		}
	})
}

func TestTableNamesNeedNoQuotesAndFit(t *testing.T) {
	if got := TableName("crud_", "2026-11-24-ab12"); got != "perfctl.crud_2026_11_24_ab12" {
		t.Error(got)
	}
	rapid.Check(t, func(t *rapid.T) {
		run := rapid.StringMatching(`[a-z0-9-]{1,200}`).Draw(t, "run")
		name, found := strings.CutPrefix(TableName("voting_votes_", run), Schema+".")
		if !found || len(name) > maxName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || !strings.HasPrefix(name, "voting_votes_") {
			t.Fatalf("%q", name)
		}
		if other := TableName("voting_votes_", run+"x"); other == Schema+"."+name {
			t.Fatalf("runs %q and %q share a table", run, run+"x")
		}
	})
}

func TestInt64OfReadsWhatParamsWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := NewParams(2)
		long, short := rapid.Int64().Draw(t, "bigint"), rapid.Int32().Draw(t, "integer")
		p.Int64(0, long)
		p.Int32(1, short)
		a, okA := Int64Of(p.values[0])
		b, okB := Int64Of(p.values[1])
		if !okA || !okB || a != long || b != int64(short) {
			t.Fatalf("%d %d became %d %d", long, short, a, b)
		}
	})
	if _, ok := Int64Of([]byte("abc")); ok {
		t.Error("three bytes are no number")
	}
}

// A server that is gone without a word must not hold a worker for ever, and a
// deadline of the driver must still count where it is nearer.
func TestSilentServerIsGivenUp(t *testing.T) {
	for _, c := range []struct{ outer, want time.Duration }{{0, 3 * time.Second}, {time.Second, time.Second}, {time.Minute, 3 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			defer func() { _, _ = near.Close(), far.Close() }()
			b := &boundedConn{Conn: near, limit: 3 * time.Second}
			if c.outer > 0 {
				if err := b.SetDeadline(time.Now().Add(c.outer)); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range []func([]byte) (int, error){b.Read, b.Write} {
				start := time.Now()
				if c.outer > 0 {
					_ = b.SetDeadline(start.Add(c.outer))
				}
				_, err := f(make([]byte, 1))
				if took := time.Since(start); took != c.want || work.KindOf(err) != work.KindTimeout {
					t.Errorf("outer deadline %v: gave up after %v with %v, want %v", c.outer, took, err, c.want)
				}
			}
		})
	}
}
