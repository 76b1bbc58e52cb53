package metrics

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	testTrend   = Desc{Name: "op_time", Kind: KindTrend, Unit: UnitTime, Help: "a time"}
	testCounter = Desc{Name: "ops", Kind: KindCounter, Unit: UnitCount, Help: "a count"}
	testGauge   = Desc{Name: "depth", Kind: KindGauge, Unit: UnitCount, Help: "a reading"}
	testRate    = Desc{Name: "hit_ratio", Kind: KindRate, Unit: UnitRatio, Help: "a share"}
)

func TestASnapshotASecondHoldsWhatHappenedInIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := NewRegistry([]string{"first", "second"})
		trend := reg.Trend(testTrend, Tags{Scenario: "s"})
		count := reg.Counter(testCounter, Tags{})
		depth := reg.Gauge(testGauge, Tags{})
		ratio := reg.Rate(testRate, Tags{})
		origin := time.Now()
		c := NewCollector(reg, func() time.Duration { return time.Since(origin) },
			func(d time.Duration) int { return int(d / (2 * time.Second)) })

		type second struct {
			n, delta, hits int64
			gauge          float64
			stage          int
			last           bool
		}
		var got []second
		c.Subscribe(func(s *Snapshot) {
			sec := second{stage: s.Stage, last: s.Last}
			for _, v := range s.Trends {
				sec.n += v.Hist.N
			}
			for _, v := range s.Counters {
				sec.delta += v.Delta
			}
			for _, v := range s.Rates {
				sec.hits += v.Hits
			}
			for _, v := range s.Gauges {
				sec.gauge += v.Value
			}
			got = append(got, sec)
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { c.Run(ctx) })

		time.Sleep(500 * time.Millisecond)
		trend.Record(0, time.Millisecond)
		trend.Record(0, 2*time.Millisecond)
		count.Add(0, 7)
		ratio.Add(0, true)
		ratio.Add(0, false)
		time.Sleep(time.Second)
		depth.Set(4)
		time.Sleep(time.Second)
		trend.Record(1, time.Second)
		synctest.Wait()
		cancel()
		wg.Wait()

		want := []second{{2, 7, 1, 0, 0, false}, {0, 0, 0, 4, 0, false}, {1, 0, 0, 4, 1, true}}
		if len(got) != len(want) {
			t.Fatalf("got %d snapshots %v, want %v", len(got), got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("second %d: got %+v, want %+v", i, got[i], want[i])
			}
		}
		c.Totals(func(tot *Totals) {
			h := tot.Trend(Selector{Name: "op_time"})
			if h.N != 3 || h.Min != int64(time.Millisecond) || h.Max != int64(time.Second) {
				t.Errorf("totals over both stages: %+v", h)
			}
			if h := tot.Trend(Selector{Name: "op_time", Tags: Tags{Stage: "second"}}); h.N != 1 {
				t.Errorf("stage second holds %d values, want 1", h.N)
			}
		})
	})
}

func TestNothingIsLostBetweenSnapshots(t *testing.T) {
	reg := NewRegistry([]string{"only"})
	trend := reg.Trend(testTrend, Tags{})
	origin := time.Now()
	c := NewCollector(reg, func() time.Duration { return time.Since(origin) }, func(time.Duration) int { return 0 })
	const workers, each = 8, 20_000
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				trend.Record(0, time.Duration(w*each+i))
			}
		})
	}
	recorded := make(chan struct{})
	go func() { wg.Wait(); close(recorded) }()
	for draining := true; draining; {
		select {
		case <-recorded:
			draining = false
		default:
		}
		c.take(!draining)
	}
	c.Totals(func(tot *Totals) {
		h := tot.Trend(Selector{Name: "op_time"})
		if h.N != workers*each {
			t.Errorf("recorded %d values, collected %d", workers*each, h.N)
		}
		if want := float64(workers*each) * (workers*each - 1) / 2; h.Sum != want {
			t.Errorf("sum %g, want %g", h.Sum, want)
		}
	})
}

func TestRecordDoesNotAllocate(t *testing.T) {
	reg := NewRegistry([]string{"only"})
	trend := reg.Trend(testTrend, Tags{})
	count := reg.Counter(testCounter, Tags{})
	trend.Record(0, time.Millisecond)
	if n := testing.AllocsPerRun(1000, func() {
		trend.Record(0, time.Millisecond)
		count.Add(0, 1)
	}); n != 0 {
		t.Fatalf("%g allocations for each record", n)
	}
}

func TestSameSeriesIsTheSameHandle(t *testing.T) {
	reg := NewRegistry(nil)
	defer func() {
		if all := reg.Series(); len(all) != 2 || all[0].Key() != "ops{scenario:a}" {
			t.Errorf("declared two series, listed %v", all)
		}
	}()
	first := reg.Counter(testCounter, Tags{Scenario: "a"})
	if again := reg.Counter(testCounter, Tags{Scenario: "a"}); first != again {
		t.Error("declaring a counter twice made two")
	}
	if first == reg.Counter(testCounter, Tags{Scenario: "b"}) {
		t.Error("two scenarios share one counter")
	}
}

func BenchmarkRecord(b *testing.B) {
	trend := NewRegistry(nil).Trend(testTrend, Tags{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		d := time.Duration(0)
		for pb.Next() {
			trend.Record(0, d)
			d = (d + 997) % (50 * time.Millisecond)
		}
	})
}

func BenchmarkSnapshot(b *testing.B) {
	reg := NewRegistry([]string{"only"})
	var trends []*Trend
	for _, op := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		trends = append(trends, reg.Trend(testTrend, Tags{Operation: op}))
	}
	origin := time.Now()
	c := NewCollector(reg, func() time.Duration { return time.Since(origin) }, func(time.Duration) int { return 0 })
	b.ReportAllocs()
	for b.Loop() {
		for _, t := range trends {
			for d := range 250 {
				t.Record(0, time.Duration(d)*40*time.Microsecond)
			}
		}
		c.take(false)
	}
}

func TestNothingIsReadBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		start := began.Add(6200 * time.Millisecond)
		reg := NewRegistry([]string{"main"})
		c := NewCollector(reg, func() time.Duration { return time.Since(start) }, func(time.Duration) int { return 0 })
		var got [][2]time.Duration
		c.Subscribe(func(s *Snapshot) { got = append(got, [2]time.Duration{s.Start, s.End}) })
		ctx, cancel := context.WithTimeout(t.Context(), 8500*time.Millisecond)
		defer cancel()
		c.Run(ctx)
		want := [][2]time.Duration{{0, time.Second}, {time.Second, 2 * time.Second}, {2 * time.Second, 2300 * time.Millisecond}}
		if !slices.Equal(got, want) {
			t.Errorf("snapshots %v, want %v", got, want)
		}
		// One that is ended before its start has a snapshot of no length.
		got = nil
		start = time.Now().Add(time.Hour)
		c = NewCollector(reg, func() time.Duration { return time.Since(start) }, func(time.Duration) int { return 0 })
		c.Subscribe(func(s *Snapshot) { got = append(got, [2]time.Duration{s.Start, s.End}) })
		early, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		c.Run(early)
		if !slices.Equal(got, [][2]time.Duration{{0, 0}}) {
			t.Errorf("ended before its start: %v", got)
		}
	})
}
