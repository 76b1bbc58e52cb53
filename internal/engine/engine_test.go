package engine

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is an engine over one scenario, in virtual time.
type bench struct {
	*Engine
	reg   *metrics.Registry
	total *metrics.Totals
	begin time.Duration
}

func constant(rate float64, d time.Duration) []profiles.Stage {
	return []profiles.Stage{{Name: "only", Duration: d, From: rate, To: rate, Class: "normal", Judged: true}}
}

func newBench(t rapid.TB, stages []profiles.Stage, do work.Func, change func(*Config)) *bench {
	t.Helper()
	s, err := profiles.Compile(stages, profiles.Options{Process: "uniform", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	mix, err := profiles.NewMix([]profiles.Weight{{Scenario: "s", Weight: 1}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(stages))
	for i := range stages {
		names[i] = stages[i].Name
	}
	reg := metrics.NewRegistry(names)
	cfg := Config{
		Schedule: s, Mix: mix, Lanes: []Lane{{Name: "s", Executor: do, Workers: 10}},
		Clock: work.NewClock(), Metrics: reg, Timer: true,
	}
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{Engine: e, reg: reg}
}

// run offers the schedule and collects what was recorded.
func (b *bench) run(t rapid.TB, arrivals, all context.Context) Outcome {
	t.Helper()
	c := metrics.NewCollector(b.reg, b.Elapsed, b.cfg.Schedule.StageAt)
	b.Begin(0)
	b.begin = b.cfg.Clock.Now()
	out, err := b.Run(arrivals, all)
	if err != nil {
		if _, ok := errors.AsType[*PanicError](err); !ok {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	c.Run(ended)
	c.Totals(func(tot *metrics.Totals) { b.total = tot })
	return out
}

type account struct{ due, succeeded, failed, dropped, unfinished int64 }

func (b *bench) account() account {
	n := func(d metrics.Desc) int64 { v, _ := b.total.Counter(metrics.Selector{Name: d.Name}); return v }
	return account{n(metrics.Arrivals), n(metrics.ArrivalsSucceeded), n(metrics.ArrivalsFailed),
		n(metrics.ArrivalsDropped), n(metrics.ArrivalsUnfinished)}
}

func (a account) addsUp() bool { return a.due == a.succeeded+a.failed+a.dropped+a.unfinished }

func (b *bench) quantile(d metrics.Desc, q float64) time.Duration {
	v, _, _ := b.total.Trend(metrics.Selector{Name: d.Name}).Quantile(q)
	return time.Duration(v)
}

func TestArrivalsStartExactlyWhenTheyAreDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var starts []time.Duration
		var b *bench
		b = newBench(t, constant(10, time.Second), func(_ context.Context, a *work.Arrival) error {
			mu.Lock()
			starts = append(starts, a.Started-b.begin)
			mu.Unlock()
			time.Sleep(time.Duration(a.K) * 30 * time.Millisecond)
			return nil
		}, nil)
		b.run(t, t.Context(), t.Context())
		var want []time.Duration
		for i := range 10 {
			want = append(want, 50*time.Millisecond+time.Duration(i)*100*time.Millisecond)
		}
		slices.Sort(starts)
		if d := cmp.Diff(want, starts); d != "" {
			t.Errorf("started at (-want +got):\n%s", d)
		}
	})
}

func TestToleranceReleasesTogetherAndNeverEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		at := map[time.Duration]int{}
		early := 0
		b := newBench(t, constant(1000, time.Second), func(_ context.Context, a *work.Arrival) error {
			mu.Lock()
			defer mu.Unlock()
			at[a.Started]++
			if a.Started < a.Due {
				early++
			}
			return nil
		}, func(c *Config) { c.Tolerance = 10 * time.Millisecond })
		b.run(t, t.Context(), t.Context())
		if early > 0 {
			t.Errorf("%d arrivals were early", early)
		}
		// The first, and the ten that come due within 10 ms of it.
		if want := (1000 + 10) / 11; len(at) != want {
			t.Errorf("released at %d instants, want %d", len(at), want)
		}
		if lag := b.quantile(metrics.ScheduleLag, 1); lag > 10*time.Millisecond {
			t.Errorf("an arrival was %v late, the tolerance is 10ms", lag)
		}
	})
}

func TestAToleranceKeepsNoLoneArrivalWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lone, shared atomic.Int64
		// From 20 to 300 a second, 10 ms apart is where the rate is 100/s.
		stages := []profiles.Stage{{Name: "s", Duration: 4 * time.Second, From: 20, To: 300}}
		b := newBench(t, stages, func(_ context.Context, a *work.Arrival) error {
			if a.Shared {
				shared.Add(1)
			} else if a.Started == a.Due {
				lone.Add(1)
			}
			return nil
		}, func(c *Config) { c.Tolerance = 10 * time.Millisecond })
		b.run(t, t.Context(), t.Context())
		// The rate is below 100/s for 8/7 s, in which 68 or 69 arrivals come due.
		if n := lone.Load(); n < 68 || n > 70 {
			t.Errorf("%d arrivals were released when they were due, want those 68 that are further apart than the tolerance", n)
		}
		if shared.Load() < 500 {
			t.Errorf("%d arrivals were released with others, want those above 100/s", shared.Load())
		}
	})
}

// However dispatchers come and go, one waits: else nothing more would come due.
func TestSomeDispatcherAlwaysWaits(t *testing.T) {
	for _, tolerance := range []time.Duration{0, time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			var done atomic.Int64
			b := newBench(t, constant(20_000, 2*time.Second), func(_ context.Context, a *work.Arrival) error {
				if a.K%7 == 0 {
					runtime.Gosched()
				}
				done.Add(1)
				return nil
			}, func(c *Config) { c.Tolerance, c.Lanes[0].Workers = tolerance, 64 })
			b.run(t, t.Context(), t.Context())
			if n := done.Load(); n != 40_000 {
				t.Errorf("%d of 40000 arrivals were executed", n)
			}
		})
	}
}

// A target that stalls for 2 s in a 20-s run at 1000/s: the arrivals of the
// stall wait for its end, whatever the bound on arrivals in flight. The exact
// percentiles follow from the schedule alone: 2000 of 20000 responses are
// spread evenly over 0 to 2 s, so p95 is 1 s and p99 is 1.8 s.
func TestAStallShowsInFullWhateverTheBound(t *testing.T) {
	for _, bound := range []int{50, 5000} {
		synctest.Test(t, func(t *testing.T) {
			var b *bench
			b = newBench(t, constant(1000, 20*time.Second), func(context.Context, *work.Arrival) error {
				if at := b.Elapsed(); at >= 9*time.Second && at < 11*time.Second {
					time.Sleep(11*time.Second - at)
				}
				return nil
			}, func(c *Config) { c.Lanes[0].Workers = bound })
			b.run(t, t.Context(), t.Context())
			for q, want := range map[float64]time.Duration{0.95: time.Second, 0.99: 1800 * time.Millisecond} {
				got := b.quantile(metrics.ResponseTime, q)
				if d := got - want; d < -want/50 || d > want/50 {
					t.Errorf("-u %d: p%g is %v, the schedule implies %v", bound, q*100, got, want)
				}
			}
			if a := b.account(); a.succeeded != 20000 || !a.addsUp() {
				t.Errorf("-u %d: account %+v", bound, a)
			}
		})
	}
}

func TestPastTheQueueArrivalsAreDroppedAndCountInTheTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, constant(100, time.Second), func(ctx context.Context, a *work.Arrival) error {
			time.Sleep(500 * time.Millisecond)
			return nil
		}, func(c *Config) { c.Lanes[0].Workers = 2; c.Queue = 10; c.GracefulStop = time.Minute })
		b.run(t, t.Context(), t.Context())
		// 2 start at once, 10 wait; half a second later the next 2 make room.
		want := account{due: 100, succeeded: 14, dropped: 86}
		if got := b.account(); got != want {
			t.Errorf("account %+v, want %+v", got, want)
		}
		if _, atLeast, _ := b.total.Trend(metrics.Selector{Name: metrics.ResponseTime.Name}).Quantile(0.5); !atLeast {
			t.Error("the median falls among the dropped arrivals and does not say so")
		}
	})
}

func TestTooLateArrivalsAreDroppedBeforeAnythingIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ran atomic.Int64
		b := newBench(t, constant(10, time.Second), func(context.Context, *work.Arrival) error {
			ran.Add(1)
			time.Sleep(2 * time.Second)
			return nil
		}, func(c *Config) { c.Lanes[0].Workers = 1; c.MaxLateness = time.Second })
		b.run(t, t.Context(), t.Context())
		if a := b.account(); a.dropped != 9 || a.succeeded != 1 || ran.Load() != 1 {
			t.Errorf("account %+v with %d executed, want 1 succeeded and 9 dropped", a, ran.Load())
		}
	})
}

func TestAtTheEndOfTheGracefulStopTheRestIsUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, constant(10, time.Second), func(ctx context.Context, a *work.Arrival) error {
			if a.K < 4 {
				time.Sleep(100 * time.Millisecond)
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}, func(c *Config) { c.GracefulStop = 5 * time.Second; c.Lanes[0].Workers = 4 })
		out := b.run(t, t.Context(), t.Context())
		// Four workers: 4 arrivals succeed, 4 hang, 2 never start.
		if got, want := b.account(), (account{due: 10, succeeded: 4, unfinished: 4, dropped: 2}); got != want {
			t.Errorf("account %+v, want %+v", got, want)
		}
		if out.Drain < 5*time.Second || out.Drain > 5100*time.Millisecond || out.Abandoned != 0 {
			t.Errorf("drained for %v, abandoned %d", out.Drain, out.Abandoned)
		}
	})
}

func TestAWorkerThatIgnoresItsContextIsAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, constant(10, time.Second), func(context.Context, *work.Arrival) error {
			time.Sleep(time.Hour)
			return nil
		}, func(c *Config) { c.GracefulStop = time.Second })
		out := b.run(t, t.Context(), t.Context())
		if got, want := b.account(), (account{due: 10, unfinished: 10}); got != want || out.Abandoned != 10 {
			t.Errorf("account %+v, want %+v; abandoned %d", got, want, out.Abandoned)
		}
		time.Sleep(2 * time.Hour) // let the workers go
	})
}

func TestStoppedArrivalsDrainWhatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, constant(10, 10*time.Second), func(context.Context, *work.Arrival) error {
			time.Sleep(time.Second)
			return nil
		}, nil)
		arrivals, stop := context.WithTimeout(t.Context(), 2*time.Second)
		defer stop()
		out := b.run(t, arrivals, t.Context())
		if !out.Stopped || out.Due != 20 || out.Total != 100 {
			t.Errorf("outcome %+v, want 20 of 100 due and stopped", out)
		}
		if got, want := b.account(), (account{due: 20, succeeded: 20}); got != want {
			t.Errorf("account %+v, want %+v", got, want)
		}
	})
}

func TestASecondStopEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, constant(10, 10*time.Second), func(ctx context.Context, _ *work.Arrival) error {
			<-ctx.Done()
			return ctx.Err()
		}, func(c *Config) { c.Lanes[0].Workers = 5 })
		all, kill := context.WithTimeout(t.Context(), 3*time.Second)
		defer kill()
		arrivals, stop := context.WithTimeout(all, 2*time.Second)
		defer stop()
		b.run(t, arrivals, all)
		if end := b.Elapsed(); end != 3*time.Second {
			t.Errorf("ended at %v, want 3s", end)
		}
		if got, want := b.account(), (account{due: 20, unfinished: 5, dropped: 15}); got != want {
			t.Errorf("account %+v, want %+v", got, want)
		}
	})
}

func TestFailuresAreCountedByKindAndKeptOutOfTheSuccesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, constant(10, time.Second), func(_ context.Context, a *work.Arrival) error {
			time.Sleep(time.Millisecond)
			switch {
			case a.K < 3:
				return work.Fail(work.KindRejected, errors.New("no"))
			case a.K == 3:
				return context.DeadlineExceeded
			}
			return nil
		}, nil)
		b.run(t, t.Context(), t.Context())
		want := []Failure{{"s", work.KindRejected, 3, "rejected: no"}, {"s", work.KindTimeout, 1, context.DeadlineExceeded.Error()}}
		if d := cmp.Diff(want, b.Failures()); d != "" {
			t.Errorf("failures (-want +got):\n%s", d)
		}
		h := b.total.Trend(metrics.Selector{Name: metrics.ResponseTime.Name})
		if h.N != 6 || h.Censored != 1 {
			t.Errorf("response time holds %d successes and %d censored, want 6 and the timeout", h.N, h.Censored)
		}
	})
}

func TestAPanicEndsTheRunAndIsReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, constant(10, 10*time.Second), func(_ context.Context, a *work.Arrival) error {
			if a.K == 5 {
				panic("boom")
			}
			return nil
		}, nil)
		b.Begin(0)
		_, err := b.Run(t.Context(), t.Context())
		p, ok := errors.AsType[*PanicError](err)
		if !ok || p.Value != "boom" || p.Scenario != "s" {
			t.Fatalf("got %v, want the panic", err)
		}
		if b.Elapsed() > time.Second {
			t.Errorf("the run went on until %v", b.Elapsed())
		}
	})
}

// Whatever the target does, every arrival that came due is accounted for once,
// and no worker executes two arrivals at a time.
func TestTheAccountAlwaysAddsUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		workers := rapid.IntRange(1, 8).Draw(rt, "workers")
		queue := rapid.IntRange(1, 20).Draw(rt, "queue")
		grace := time.Duration(rapid.IntRange(1, 2000).Draw(rt, "grace")) * time.Millisecond
		stopAfter := time.Duration(rapid.IntRange(100, 4000).Draw(rt, "stop")) * time.Millisecond
		rate := rapid.Float64Range(1, 200).Draw(rt, "rate")
		synctest.Test(t, func(t *testing.T) {
			taken := make([]atomic.Bool, workers)
			b := newBench(t, constant(rate, 3*time.Second), func(ctx context.Context, a *work.Arrival) error {
				if taken[a.Worker].Swap(true) {
					rt.Errorf("worker %d has two arrivals", a.Worker)
				}
				defer taken[a.Worker].Store(false)
				d := time.Duration(a.Random(1)%400) * time.Millisecond
				select {
				case <-time.After(d):
				case <-ctx.Done():
					return ctx.Err()
				}
				if a.Random(2)%4 == 0 {
					return errors.New("failed")
				}
				return nil
			}, func(c *Config) { c.Lanes[0].Workers = workers; c.Queue = queue; c.GracefulStop = grace })
			arrivals, stop := context.WithTimeout(t.Context(), stopAfter)
			defer stop()
			out := b.run(t, arrivals, t.Context())
			if a := b.account(); !a.addsUp() || a.due != out.Due {
				rt.Errorf("account %+v of %d due does not add up", a, out.Due)
			}
		})
	})
}

func TestShardsOfferTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		seen := map[int64]int{}
		for shard := range 3 {
			b := newBench(t, constant(10, time.Second), func(_ context.Context, a *work.Arrival) error {
				mu.Lock()
				defer mu.Unlock()
				seen[a.K]++
				return nil
			}, func(c *Config) { c.Shard, c.Shards = shard, 3 })
			if out := b.run(t, t.Context(), t.Context()); out.Due != out.Total {
				t.Errorf("shard %d: %d of %d came due", shard, out.Due, out.Total)
			}
		}
		if len(seen) != 10 {
			t.Errorf("three shards offered %d arrivals, want 10", len(seen))
		}
	})
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		bound   int
		weights []int
		want    []int
	}{
		{1000, []int{1, 1, 1, 1}, []int{250, 250, 250, 250}},
		{10, []int{4, 2, 3, 1}, []int{4, 2, 3, 1}},
		{50, []int{1}, []int{50}},
		{2, []int{1, 1, 1}, []int{1, 1, 1}},
		{100, []int{1, 2}, []int{33, 67}},
	} {
		if d := cmp.Diff(c.want, Split(c.bound, c.weights)); d != "" {
			t.Errorf("Split(%d, %v) (-want +got):\n%s", c.bound, c.weights, d)
		}
	}
}
