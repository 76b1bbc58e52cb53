package evidence

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

func TestSpansJoinWhatFollowsOnItself(t *testing.T) {
	j := NewJournal(func() time.Duration { return 0 })
	s := newSpans(j)
	for at := 0.0; at < 500; at += 100 {
		s.see("a", exemplars.Evidence{From: at, To: at + 100, Kind: "a"})
		if at == 200 {
			s.see("b", exemplars.Evidence{From: at, To: at + 100, Kind: "b"})
		}
		s.sweep()
	}
	s.end()
	got := map[string][2]float64{}
	j.Take(func(v *exemplars.Evidence) { got[v.Kind] = [2]float64{v.From, v.To} })
	if len(got) != 2 || got["a"] != [2]float64{0, 500} || got["b"] != [2]float64{200, 300} {
		t.Errorf("spans %v", got)
	}
}

func TestALongSpanIsWrittenInPieces(t *testing.T) {
	j := NewJournal(func() time.Duration { return 0 })
	s := newSpans(j)
	for at := 0.0; at < 3*longest; at += 100 {
		s.see("a", exemplars.Evidence{From: at, To: at + 100})
		s.sweep()
	}
	n, to := 0, 0.0
	s.end()
	j.Take(func(v *exemplars.Evidence) {
		if n > 0 && v.From != to {
			t.Errorf("a piece begins at %g, the one before ended at %g", v.From, to)
		}
		n, to = n+1, v.To
	})
	if n < 3 || to != 3*longest {
		t.Errorf("%d pieces up to %g", n, to)
	}
}

func TestTheRootOfAChainOfLocksIsNamed(t *testing.T) {
	all := map[int32]*backend{
		1: {pid: 1, waitType: "Lock", blockers: []int32{2, 3}},
		2: {pid: 2, waitType: "Lock", blockers: []int32{3}},
		3: {pid: 3, state: "idle in transaction"},
		4: {pid: 4, blockers: []int32{5}}, 5: {pid: 5, blockers: []int32{4}}, // a deadlock
		6: {pid: 6, blockers: []int32{99}}, // not to be seen
	}
	if got := roots(all[1], all); len(got) != 1 || got[0] != 3 {
		t.Errorf("roots %v, want 3", got)
	}
	if got := roots(all[4], all); len(got) != 0 {
		t.Errorf("roots of a circle: %v", got)
	}
	if got := roots(all[6], all); len(got) != 1 || got[0] != 99 {
		t.Errorf("roots %v, want 99", got)
	}
}

type failing struct{ calls int }

func (f *failing) String() string { return "a server" }
func (f *failing) Watch(context.Context, *Journal) error {
	f.calls++
	return errors.New("permission denied")
}

func TestWhatCannotBeWatchedIsSaidOnceAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s, f := NewSet(slog.New(slog.NewTextHandler(&log, nil))), &failing{}
		s.Add(f)
		ctx, cancel := context.WithTimeout(t.Context(), 5*again+again/2)
		defer cancel()
		s.Run(ctx, NewJournal(func() time.Duration { return 0 }))
		if f.calls != 6 || strings.Count(log.String(), "permission denied") != 1 {
			t.Errorf("tried %d times; log:\n%s", f.calls, log.String())
		}
	})
}

func TestInfoIsRead(t *testing.T) {
	text := "# Stats\r\ntotal_forks:3\r\nevicted_keys:17\r\nlatest_fork_usec:412\r\n"
	if field(text, "total_forks") != 3 || field(text, "evicted_keys") != 17 || field(text, "absent") != 0 {
		t.Error("wrong fields")
	}
	if got := command([]string{"EVAL", strings.Repeat("x", 500), "0", "a"}); len(got) > 130 || !strings.HasSuffix(got, "…") {
		t.Errorf("command %q", got)
	}
}
