package engine

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
)

func closedStage(name string, d time.Duration, u profiles.Users) profiles.Stage {
	return profiles.Stage{Name: name, Duration: d, Users: &u, Class: "normal", Judged: true}
}

func oneClosed(d time.Duration, u profiles.Users) []profiles.Stage {
	return []profiles.Stage{closedStage("users", d, u)}
}

func takes(d time.Duration) work.Func {
	return func(ctx context.Context, _ *work.Arrival) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestUsersHaveTheThroughputOfLittlesLaw(t *testing.T) {
	const r, z, length = 50 * time.Millisecond, 450 * time.Millisecond, 60 * time.Second
	for _, n := range []int{1, 2, 7, 50, 500} {
		for _, where := range []string{"stage", "arrival"} {
			synctest.Test(t, func(t *testing.T) {
				u := profiles.Users{From: n, To: n}
				do := takes(r)
				var b *bench
				if where == "stage" {
					u.Pause = z
				} else {
					do = func(ctx context.Context, a *work.Arrival) error {
						timer := time.NewTimer(time.Hour)
						defer timer.Stop()
						if err := a.Pause(ctx, b.cfg.Clock, timer, z); err != nil {
							return err
						}
						return takes(r)(ctx, a)
					}
				}
				b = newBench(t, oneClosed(length, u), do, nil)
				out := b.run(t, t.Context(), t.Context())
				want := float64(n) * length.Seconds() / (r + z).Seconds()
				got := b.account()
				if math.Abs(float64(got.succeeded)/want-1) > 0.02 || !got.addsUp() || out.Due != got.due {
					t.Errorf("%d users, pause in the %s: %+v, want %g", n, where, got, want)
				}
				for _, d := range []metrics.Desc{metrics.ResponseTime, metrics.ServiceTime} {
					if q := b.quantile(d, 1); q < r || q > r*101/100 {
						t.Errorf("%d users, pause in the %s: the longest %s is %v, want %v", n, where, d.Name, q, r)
					}
				}
				if h := b.total.Trend(metrics.Selector{Name: metrics.SessionDuration.Name}); where == "arrival" && b.quantile(metrics.SessionDuration, 0) < r+z ||
					where == "stage" && h != nil && h.N > 0 {
					t.Errorf("pause in the %s: session_duration %+v", where, h)
				}
			})
		}
	}
}

// A user with a pace who is held up for 2 s has arrivals that came due meanwhile:
// they wait for the user, and their response says so.
func TestPacedUsersSeeAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const users, pace, service, length = 20, 200 * time.Millisecond, 5 * time.Millisecond, 60 * time.Second
		const from, to = 20 * time.Second, 22 * time.Second
		var b *bench
		b = newBench(t, oneClosed(length, profiles.Users{From: users, To: users, Pace: pace}), func(_ context.Context, _ *work.Arrival) error {
			at := b.cfg.Clock.Now() - b.begin
			if at >= from && at < to {
				time.Sleep(to - at)
			}
			time.Sleep(service)
			return nil
		}, nil)
		b.run(t, t.Context(), t.Context())
		var truth []float64
		for i := range users {
			var free time.Duration
			for due := time.Duration(float64(pace) * (float64(i) + 0.5) / users); due < length; due += pace {
				start := max(due, free)
				if start >= from && start < to {
					start = to
				}
				free = start + service
				truth = append(truth, float64(free-due))
			}
		}
		slices.Sort(truth)
		if a := b.account(); a.succeeded != int64(len(truth)) || !a.addsUp() {
			t.Errorf("%+v, want %d", a, len(truth))
		}
		for _, q := range []float64{0.5, 0.95, 0.97, 0.99} {
			want := truth[int(math.Ceil(q*float64(len(truth))))-1]
			if got := float64(b.quantile(metrics.ResponseTime, q)); math.Abs(got/want-1) > 0.02 {
				t.Errorf("p%g is %v, want %v", q*100, time.Duration(got), time.Duration(want))
			}
		}
	})
}

func TestUsersComeAndGoByTheRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		first, last := map[int]time.Duration{}, map[int]time.Duration{}
		iterations := map[int]int64{}
		var b *bench
		b = newBench(t, []profiles.Stage{
			closedStage("up", 10*time.Second, profiles.Users{To: 10}),
			closedStage("hold", 10*time.Second, profiles.Users{From: 10, To: 10}),
			closedStage("down", 10*time.Second, profiles.Users{From: 10}),
		}, func(_ context.Context, a *work.Arrival) error {
			mu.Lock()
			defer mu.Unlock()
			if _, known := first[a.User]; !known {
				first[a.User] = a.Due - b.begin
			}
			last[a.User] = a.Due - b.begin
			if a.Iteration != iterations[a.User] || a.Worker != a.User-1 {
				t.Errorf("iteration %d of user %d by worker %d, want %d", a.Iteration, a.User, a.Worker, iterations[a.User])
			}
			iterations[a.User]++
			mu.Unlock()
			time.Sleep(300 * time.Millisecond)
			mu.Lock()
			return nil
		}, nil)
		b.run(t, t.Context(), t.Context())
		want := map[int]time.Duration{}
		for i := range 10 {
			want[i+1] = time.Duration(i)*time.Second + 500*time.Millisecond
			goes := 30*time.Second - want[i+1]
			if l := last[i+1]; l >= goes || l < goes-300*time.Millisecond {
				t.Errorf("user %d began last at %v, and goes at %v", i+1, l, goes)
			}
		}
		if d := cmp.Diff(want, first); d != "" {
			t.Errorf("users began (-want +got):\n%s", d)
		}
		if a := b.account(); a.succeeded != a.due || !a.addsUp() {
			t.Errorf("a user who goes does not finish: %+v", a)
		}
	})
}

func TestIterationsEndAStage(t *testing.T) {
	for name, c := range map[string]struct {
		users profiles.Users
		want  int64
		ends  time.Duration
	}{
		"of all":  {profiles.Users{From: 4, To: 4, Iterations: 10}, 10, 3 * time.Second},
		"of each": {profiles.Users{From: 4, To: 4, PerUser: 3}, 12, 3 * time.Second},
		"paced":   {profiles.Users{From: 4, To: 4, PerUser: 3, Pace: 2 * time.Second}, 12, 6750 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, oneClosed(time.Minute, c.users), takes(time.Second), nil)
				out := b.run(t, t.Context(), t.Context())
				if a := b.account(); a.succeeded != c.want || !a.addsUp() || out.Stopped {
					t.Errorf("%+v, want %d; stopped %v", a, c.want, out.Stopped)
				}
				if took := b.Elapsed(); took != c.ends {
					t.Errorf("it took %v, want %v", took, c.ends)
				}
			})
		})
	}
}

func TestShardsPartitionUsersAndNumbers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		shards := rapid.IntRange(1, 5).Draw(rt, "shards")
		n := rapid.IntRange(1, 12).Draw(rt, "users")
		open := rapid.Float64Range(0, 3).Draw(rt, "rate")
		iterations := int64(rapid.IntRange(0, 20).Draw(rt, "iterations"))
		stages := []profiles.Stage{
			{Name: "open", Duration: 10 * time.Second, From: open, To: open, Class: "normal", Judged: true},
			closedStage("users", 20*time.Second, profiles.Users{From: n, To: n, Iterations: iterations}),
		}
		numbers, owners := map[int64]int{}, map[int]int{}
		var total int64
		for shard := range shards {
			var mu sync.Mutex
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, stages, func(_ context.Context, a *work.Arrival) error {
					mu.Lock()
					numbers[a.K]++
					if a.K%int64(shards) != int64(shard) {
						t.Errorf("shard %d of %d has arrival %d", shard, shards, a.K)
					}
					if owner, known := owners[a.User]; a.User > 0 && known && owner != shard {
						t.Errorf("user %d is of shards %d and %d", a.User, owner, shard)
					}
					owners[a.User] = shard
					mu.Unlock()
					time.Sleep(time.Second)
					return nil
				}, func(c *Config) { c.Shard, c.Shards = shard, shards })
				b.run(t, t.Context(), t.Context())
				total += b.account().succeeded
			})
		}
		for k, times := range numbers {
			if times != 1 {
				rt.Errorf("arrival %d occurs %d times", k, times)
			}
		}
		delete(owners, 0)
		if iterations == 0 && len(owners) != n || int64(len(numbers)) != total {
			rt.Errorf("%d users of %d began, %d numbers for %d arrivals", len(owners), n, len(numbers), total)
		}
		s, err := profiles.Compile(stages, profiles.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		if left := s.Total() + iterations; iterations > 0 && total != left {
			rt.Errorf("%d arrivals, want %d", total, left)
		}
	})
}

func TestAStopLetsUsersFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, oneClosed(time.Minute, profiles.Users{From: 5, To: 5, Pause: time.Second}), takes(3*time.Second), nil)
		arrivals, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		out := b.run(t, arrivals, t.Context())
		if a := b.account(); a.due != 15 || a.succeeded != 15 || !out.Stopped || b.Elapsed() != 11*time.Second {
			t.Errorf("%+v after %v, stopped %v", a, b.Elapsed(), out.Stopped)
		}
	})
}

// What came due while its user was held up is dropped with its reason, not lost.
func TestAPacedBacklogIsAccountedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, oneClosed(10*time.Second, profiles.Users{From: 2, To: 2, Pace: time.Second}), func(ctx context.Context, _ *work.Arrival) error {
			<-ctx.Done()
			return ctx.Err()
		}, func(c *Config) { c.GracefulStop = 2 * time.Second })
		b.run(t, t.Context(), t.Context())
		if a := b.account(); a != (account{due: 20, unfinished: 2, dropped: 18}) {
			t.Errorf("%+v", a)
		}
	})
}

// rationed has enough for so many arrivals.
type rationed struct {
	work.Func
	left atomic.Int64
}

func (r *rationed) Spent(*work.Arrival) string {
	if r.left.Add(-1) < 0 {
		return "its rows are used up"
	}
	return ""
}

func TestAStageEndsWhereSomethingIsUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rationed{Func: takes(time.Second)}
		r.left.Store(7)
		b := newBench(t, oneClosed(time.Minute, profiles.Users{From: 3, To: 3}), nil, func(c *Config) { c.Lanes[0].Executor = r })
		out := b.run(t, t.Context(), t.Context())
		if a := b.account(); a.due != 7 || a.succeeded != 7 {
			t.Errorf("%+v", a)
		}
		if d := cmp.Diff([]StageEnd{{0, "s: its rows are used up"}}, out.Ends); d != "" {
			t.Error(d)
		}
	})
}

func TestOpenAndClosedStagesMayBeMixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var workers sync.Map
		b := newBench(t, []profiles.Stage{
			constant(10, 10*time.Second)[0],
			closedStage("users", 10*time.Second, profiles.Users{From: 3, To: 3, Pace: time.Second}),
			{Name: "after", Duration: 10 * time.Second, From: 5, To: 5, Class: "normal", Judged: true},
		}, func(_ context.Context, a *work.Arrival) error {
			if _, taken := workers.LoadOrStore(a.Worker, a.K); taken {
				t.Errorf("worker %d has two arrivals", a.Worker)
			}
			time.Sleep(1500 * time.Millisecond)
			workers.Delete(a.Worker)
			return nil
		}, func(c *Config) { c.Lanes[0].Workers = 40 })
		b.run(t, t.Context(), t.Context())
		if a := b.account(); a.due != 100+30+50 || a.succeeded != a.due {
			t.Errorf("%+v", a)
		}
	})
}
