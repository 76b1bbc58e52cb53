package engine

import (
	"context"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
)

func eachPacer(t *testing.T, f func(t *testing.T, c work.Clock, p pacer)) {
	t.Helper()
	for name, timer := range map[string]bool{"precise": false, "timer": true} {
		t.Run(name, func(t *testing.T) {
			c := work.NewClock()
			p, err := newPacer(c, timer)
			if err != nil {
				t.Fatal(err)
			}
			defer p.close()
			f(t, c, p)
		})
	}
}

func TestPacersAreNeverEarly(t *testing.T) {
	eachPacer(t, func(t *testing.T, c work.Clock, p pacer) {
		for i := range 200 {
			due := c.Now() + time.Duration(i*i)*time.Nanosecond*5
			if !p.wait(due) {
				t.Fatal("interrupted by nobody")
			}
			if now := c.Now(); now < due {
				t.Fatalf("woke up %v early", due-now)
			}
		}
	})
}

func TestInterruptEndsAWait(t *testing.T) {
	eachPacer(t, func(t *testing.T, c work.Clock, p pacer) {
		done := make(chan bool)
		go func() { done <- p.wait(c.Now() + time.Hour) }()
		p.interrupt()
		if <-done {
			t.Error("a wait that was interrupted says that its time has come")
		}
		if p.wait(c.Now() + time.Hour) {
			t.Error("an interrupted pacer waits again")
		}
	})
}

// BenchmarkArrival is the engine's own cost of an arrival, from the schedule
// to the recorded response, with a target that does nothing and all arrivals
// due at once; what overflows the queue is dropped, which is cheaper.
func BenchmarkArrival(b *testing.B) {
	stages := constant(0, time.Hour)
	stages[0].Burst = int64(b.N)
	s, err := profiles.Compile(stages, profiles.Options{Process: "uniform"})
	if err != nil {
		b.Fatal(err)
	}
	mix, err := profiles.NewMix([]profiles.Weight{{Scenario: "s", Weight: 1}}, 1)
	if err != nil {
		b.Fatal(err)
	}
	e, err := New(Config{
		Schedule: s, Mix: mix, Clock: work.NewClock(), Metrics: metrics.NewRegistry(nil), MaxLateness: time.Hour, Queue: 1024,
		Lanes: []Lane{{Name: "s", Workers: 4, Executor: work.Func(func(context.Context, *work.Arrival) error { return nil })}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	e.Begin(0)
	b.ResetTimer()
	if _, err := e.Run(context.Background(), context.Background()); err != nil {
		b.Fatal(err)
	}
}
