package meeting

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func hello(n, shards int) Hello {
	return Hello{Run: "r1", Shard: n, Shards: shards, Version: "1", Schedule: "abc", Settings: []Setting{{"--vus", "10"}, {"DB_HOST", "db"}}}
}

// come has shards take their seats.
func come(t *testing.T, dir string, shards int, patience time.Duration) []*Dir {
	t.Helper()
	var all []*Dir
	for n := range shards {
		d, err := InDir(Options{Dir: dir, Run: "r1", Shard: n, Shards: shards, Patience: patience})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// together calls f for each shard, all at once, and returns what they came to.
func together(all []*Dir, f func(d *Dir, n int) error) []error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for n, d := range all {
		wg.Go(func() { errs[n] = f(d, n) })
	}
	wg.Wait()
	return errs
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestShardsStartAtOneInstantWithWhatTheFirstOneMade(t *testing.T) {
	dir := t.TempDir()
	ctx := within(t)
	all := come(t, dir, 4, time.Minute)
	starts, made := make([]time.Time, 4), make([]string, 4)
	errs := together(all, func(d *Dir, n int) error {
		if err := d.Greet(ctx, hello(n, 4)); err != nil {
			return err
		}
		if n == 0 {
			if err := d.HandOver(ctx, []byte("token-1")); err != nil {
				return err
			}
		} else if text, err := d.Inherit(ctx); err != nil {
			return err
		} else {
			made[n] = string(text)
		}
		var err error
		starts[n], err = d.Start(ctx, time.Time{})
		return err
	})
	for n, err := range errs {
		if err != nil || !starts[n].Equal(starts[0]) || n > 0 && made[n] != "token-1" {
			t.Errorf("shard %d: %v, starts at %v (shard 0: %v), inherits %q", n, err, starts[n], starts[0], made[n])
		}
	}
	if reason, aborted := all[2].Aborted(); aborted {
		t.Errorf("aborted: %s", reason)
	}
	all[1].Abort("too many errors")
	all[3].Abort("something else")
	if reason, aborted := all[0].Aborted(); !aborted || reason != "too many errors" {
		t.Errorf("aborted %v: %q, want the first reason", aborted, reason)
	}
	for _, p := range []Point{Ended, Drained, Counted, Left} {
		for n, err := range together(all, func(d *Dir, _ int) error {
			gone, err := d.Reach(ctx, p)
			if len(gone) > 0 {
				t.Errorf("%s: %v are gone", p, gone)
			}
			return err
		}) {
			if err != nil {
				t.Errorf("%s: shard %d: %v", p, n, err)
			}
		}
	}
	for _, d := range all {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestARunIsCalledOffInAllShards(t *testing.T) {
	for name, c := range map[string]struct {
		want string
		// act is what shard 2 does in place of the rest.
		act func(d *Dir) error
	}{
		"a setting differs": {"shards 0 and 2 differ: --vus is 10 and 20", func(d *Dir) error {
			h := hello(2, 3)
			h.Settings = []Setting{{"--vus", "20"}, {"DB_HOST", "db"}}
			return d.Greet(within(t), h)
		}},
		"a setting is missing": {"shards 0 and 2 differ: DB_HOST is db and missing", func(d *Dir) error {
			h := hello(2, 3)
			h.Settings = h.Settings[:1]
			return d.Greet(within(t), h)
		}},
		"the version differs": {"shards 0 and 2 differ: perfctl's version is 1 and 2", func(d *Dir) error {
			h := hello(2, 3)
			h.Version = "2"
			return d.Greet(within(t), h)
		}},
		"it cannot set up": {"shard 2: no database", func(d *Dir) error {
			if err := d.Greet(within(t), hello(2, 3)); err != nil {
				return err
			}
			d.CallOff("shard 2: no database")
			return &OffError{"shard 2: no database"}
		}},
		"it dies": {"shard 2 ended before the run began", func(d *Dir) error {
			if err := d.Greet(within(t), hello(2, 3)); err != nil {
				return err
			}
			return d.seat.Close() // as the end of its process does
		}},
	} {
		all := come(t, t.TempDir(), 3, time.Minute)
		errs := together(all, func(d *Dir, n int) error {
			if n == 2 {
				return c.act(d)
			}
			if err := d.Greet(within(t), hello(n, 3)); err != nil {
				return err
			}
			_, err := d.Start(within(t), time.Time{})
			return err
		})
		for n, err := range errs[:2] {
			if !IsOff(err) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: shard %d: %v, want %q", name, n, err, c.want)
			}
		}
		for _, d := range all {
			_ = d.Close()
		}
	}
}

func TestAShardThatDoesNotComeCallsTheRunOff(t *testing.T) {
	all := come(t, t.TempDir(), 2, 200*time.Millisecond)
	if err := all[0].Greet(within(t), hello(0, 2)); !IsOff(err) || !strings.Contains(err.Error(), "shard 1 of 2 did not come") {
		t.Errorf("%v", err)
	}
	if err := all[1].Greet(within(t), hello(1, 2)); !IsOff(err) {
		t.Errorf("who comes later: %v", err)
	}
}

func TestAShardThatIsNotReadyInTimeCallsTheRunOff(t *testing.T) {
	all := come(t, t.TempDir(), 2, time.Minute)
	for n, err := range together(all, func(d *Dir, n int) error { return d.Greet(within(t), hello(n, 2)) }) {
		if err != nil {
			t.Fatalf("shard %d: %v", n, err)
		}
	}
	wish := time.Now().Add(armedBy + 300*time.Millisecond)
	if _, err := all[0].Start(within(t), wish); !IsOff(err) || !strings.Contains(err.Error(), "shard 1 was not ready in time") {
		t.Errorf("%v", err)
	}
	if time.Now().After(wish) {
		t.Error("it was called off after the instant of the start")
	}
}

func TestAShardThatDiesInMidRunIsNotWaitedFor(t *testing.T) {
	all := come(t, t.TempDir(), 3, time.Minute)
	for n, err := range together(all, func(d *Dir, n int) error {
		if err := d.Greet(within(t), hello(n, 3)); err != nil {
			return err
		}
		_, err := d.Start(within(t), time.Time{})
		return err
	}) {
		if err != nil {
			t.Fatalf("shard %d: %v", n, err)
		}
	}
	_ = all[1].seat.Close() // as the end of its process does
	for n, err := range together([]*Dir{all[0], all[2]}, func(d *Dir, _ int) error {
		gone, err := d.Reach(within(t), Ended)
		if len(gone) != 1 || gone[0] != 1 {
			t.Errorf("gone %v, want shard 1", gone)
		}
		return err
	}) {
		if err != nil {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestAShardRunsOnce(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: dir, Run: "r1", Shard: 0, Shards: 2, Patience: time.Minute}
	d, err := InDir(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := InDir(o); err == nil || !strings.Contains(err.Error(), "shard 0 of the run r1 is running already") {
		t.Errorf("beside it: %v", err)
	}
	_ = d.seat.Close()
	if _, err := InDir(o); err == nil || !strings.Contains(err.Error(), "was there before") || !strings.Contains(err.Error(), filepath.Join(dir, "r1")) {
		t.Errorf("after it: %v", err)
	}
	o.Run = "r2"
	other, err := InDir(o)
	if err != nil {
		t.Fatalf("another run in the same folder: %v", err)
	}
	_ = other.Close()
}
