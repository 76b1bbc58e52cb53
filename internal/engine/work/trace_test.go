package work

import (
	"math"
	"regexp"
	"testing"
)

func TestWhichArrivalsAreTracedDependsOnSeedAndNumber(t *testing.T) {
	const n, share = 20_000, 0.1
	one, other := &Tracing{Run: 1, Share: share}, &Tracing{Run: 2, Share: share}
	traced, seen := 0, map[TraceID]bool{}
	for k := range int64(n) {
		a := &Arrival{K: k, Seed: 9}
		x, y := one.Of(a), other.Of(a)
		if x.None() != y.None() {
			t.Fatalf("arrival %d is traced in one run of a seed only", k)
		}
		if x.None() {
			continue
		}
		traced++
		if x == y || seen[x] {
			t.Fatalf("arrival %d has the trace of another", k)
		}
		seen[x] = true
	}
	if limit := 5 * math.Sqrt(n*share*(1-share)); math.Abs(float64(traced)-n*share) > limit {
		t.Errorf("%d of %d are traced, want about %g", traced, n, n*share)
	}
	if !(*Tracing)(nil).Of(&Arrival{}).None() {
		t.Error("something is traced without being asked for")
	}
}

func TestTheHeaderIsThatOfTheTraceContext(t *testing.T) {
	a := &Arrival{K: 1, Notes: new(Notes)}
	a.Notes.Trace = (&Tracing{Share: 1}).Of(a)
	first, second := a.Begin("api", "a", 0).TraceParent(), a.Begin("api", "b", 0).TraceParent()
	if !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`).MatchString(first) || first == second || first[:36] != second[:36] {
		t.Errorf("%s and %s", first, second)
	}
	a.Notes.Trace = TraceID{}
	if got := a.Last().TraceParent(); got != "" || (*Op)(nil).TraceParent() != "" {
		t.Errorf("%q without a trace", got)
	}
}
