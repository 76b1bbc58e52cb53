package meeting

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func hello(n, shards int) Hello {
	return Hello{Run: "r1", Shard: n, Shards: shards, Version: "1", Schedule: "abc", Settings: []Setting{{"--vus", "10"}, {"DB_HOST", "db"}}}
}

// kind is a way to meet.
type kind struct {
	// come has a shard take its seat.
	come func(o Options) (*Place, error)
	// left says what is left behind.
	left func() int
}

// inEach tries something with each way to meet. Over a network it goes by a clock that
// nobody waits for.
func inEach(t *testing.T, try func(t *testing.T, k kind)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		try(t, kind{
			func(o Options) (*Place, error) { return InDir(dir, o) },
			func() int {
				left, err := os.ReadDir(dir)
				if err != nil {
					t.Error(err)
				}
				return len(left)
			},
		})
	})
	t.Run("network", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes()
			try(t, kind{
				func(o Options) (*Place, error) { return AtAddress(t.Context(), p.network("k"), o) },
				p.open,
			})
		})
	})
}

// pipes are a network without a machine: connections are net.Pipe's.
type pipes struct {
	mu     sync.Mutex
	accept chan net.Conn
	closed chan struct{}
	conns  []net.Conn
}

func newPipes() *pipes { return &pipes{accept: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) network(key string) Network {
	return Network{Address: "load0:7000", Key: key, Dial: p.dial, Listen: func(context.Context, string, string) (net.Listener, error) { return p, nil }}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	a, b := net.Pipe()
	select {
	case p.accept <- a:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.conns = append(p.conns, b)
		return b, nil
	case <-p.closed:
		return nil, errors.New("refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// open is 1 while the place is open.
func (p *pipes) open() int {
	select {
	case <-p.closed:
		return 0
	default:
		return 1
	}
}

// cut breaks all connections.
func (p *pipes) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// die ends a shard as the end of its process does.
func die(p *Place) error {
	switch b := p.board.(type) {
	case *folder:
		return b.seat.Close()
	case *guest:
		b.end()
		b.beside.Wait()
	case *hub:
		b.mu.Lock()
		for _, s := range b.seats {
			if s.conn != nil {
				_ = s.conn.Close()
			}
		}
		b.mu.Unlock()
		return b.listener.Close()
	}
	return nil
}

// come has shards take their seats.
func come(t *testing.T, k kind, shards int, patience time.Duration) []*Place {
	t.Helper()
	var all []*Place
	for n := range shards {
		d, err := k.come(Options{Run: "r1", Shard: n, Shards: shards, Patience: patience})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// part has all of them leave, side by side as processes do.
func part(t *testing.T, all []*Place) {
	t.Helper()
	for _, err := range together(all, func(p *Place, _ int) error { return p.Close() }) {
		if err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	}
}

// together calls f for each shard, all at once, and returns what they came to.
func together(all []*Place, f func(p *Place, n int) error) []error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for n, p := range all {
		wg.Go(func() { errs[n] = f(p, n) })
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

// begin has all greet and start.
func begin(t *testing.T, all []*Place) {
	t.Helper()
	for n, err := range together(all, func(p *Place, n int) error {
		if err := p.Greet(within(t), hello(n, len(all))); err != nil {
			return err
		}
		_, err := p.Start(within(t), time.Time{})
		return err
	}) {
		if err != nil {
			t.Fatalf("shard %d: %v", n, err)
		}
	}
}

func TestShardsStartAtOneInstantWithWhatTheFirstOneMade(t *testing.T) {
	inEach(t, func(t *testing.T, k kind) {
		ctx := within(t)
		all := come(t, k, 4, time.Minute)
		starts, made := make([]time.Time, 4), make([]string, 4)
		errs := together(all, func(p *Place, n int) error {
			if err := p.Greet(ctx, hello(n, 4)); err != nil {
				return err
			}
			if n == 0 {
				if err := p.HandOver(ctx, []byte("token-1")); err != nil {
					return err
				}
			} else if text, err := p.Inherit(ctx); err != nil {
				return err
			} else {
				made[n] = string(text)
			}
			var err error
			starts[n], err = p.Start(ctx, time.Time{})
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
		for p := range 4 { // the first reason holds, and all hear it
			for {
				if reason, aborted := all[p].Aborted(); aborted {
					if reason != "too many errors" {
						t.Errorf("shard %d: %q", p, reason)
					}
					break
				}
				if pause(ctx) != nil {
					t.Fatalf("shard %d heard of no abort", p)
				}
			}
		}
		all[3].Abort("something else")
		if reason, aborted := all[0].Aborted(); !aborted || reason != "too many errors" {
			t.Errorf("aborted %v: %q, want the first reason", aborted, reason)
		}
		for _, at := range []Point{Ended, Drained, Counted, Left} {
			for n, err := range together(all, func(p *Place, _ int) error {
				gone, err := p.Reach(ctx, at)
				if len(gone) > 0 {
					t.Errorf("%s: %v are gone", at, gone)
				}
				return err
			}) {
				if err != nil {
					t.Errorf("%s: shard %d: %v", at, n, err)
				}
			}
		}
		part(t, all)
		if n := k.left(); n > 0 {
			t.Errorf("%d left behind", n)
		}
	})
}

func TestARunIsCalledOffInAllShards(t *testing.T) {
	for name, c := range map[string]struct {
		want string
		// act is what shard 2 does in place of the rest.
		act func(t *testing.T, p *Place) error
	}{
		"a setting differs": {"shards 0 and 2 differ: --vus is 10 and 20", func(t *testing.T, p *Place) error {
			h := hello(2, 3)
			h.Settings = []Setting{{"--vus", "20"}, {"DB_HOST", "db"}}
			return p.Greet(within(t), h)
		}},
		"a setting is missing": {"shards 0 and 2 differ: DB_HOST is db and missing", func(t *testing.T, p *Place) error {
			h := hello(2, 3)
			h.Settings = h.Settings[:1]
			return p.Greet(within(t), h)
		}},
		"the version differs": {"shards 0 and 2 differ: perfctl's version is 1 and 2", func(t *testing.T, p *Place) error {
			h := hello(2, 3)
			h.Version = "2"
			return p.Greet(within(t), h)
		}},
		"it cannot set up": {"shard 2: no database", func(t *testing.T, p *Place) error {
			if err := p.Greet(within(t), hello(2, 3)); err != nil {
				return err
			}
			p.CallOff("shard 2: no database")
			return &OffError{"shard 2: no database"}
		}},
		"it dies": {"shard 2 ended before the run began", func(t *testing.T, p *Place) error {
			if err := p.Greet(within(t), hello(2, 3)); err != nil {
				return err
			}
			return die(p)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inEach(t, func(t *testing.T, k kind) {
				all := come(t, k, 3, time.Minute)
				errs := together(all, func(p *Place, n int) error {
					if n == 2 {
						return c.act(t, p)
					}
					if err := p.Greet(within(t), hello(n, 3)); err != nil {
						return err
					}
					_, err := p.Start(within(t), time.Time{})
					return err
				})
				for n, err := range errs[:2] {
					if !IsOff(err) || !strings.Contains(err.Error(), c.want) {
						t.Errorf("%s: shard %d: %v, want %q", name, n, err, c.want)
					}
				}
				part(t, all)
			})
		})
	}
}

func TestAShardThatDoesNotComeCallsTheRunOff(t *testing.T) {
	inEach(t, func(t *testing.T, k kind) {
		all := come(t, k, 2, 200*time.Millisecond)
		if err := all[0].Greet(within(t), hello(0, 2)); !IsOff(err) || !strings.Contains(err.Error(), "shard 1 of 2 did not come") {
			t.Errorf("%v", err)
		}
		err := all[1].Greet(within(t), hello(1, 2))
		if err == nil { // it heard who is there before it heard that the run is off
			_, err = all[1].Inherit(within(t))
		}
		if !IsOff(err) {
			t.Errorf("who comes later: %v", err)
		}
		part(t, all)
	})
}

func TestAShardThatIsNotReadyInTimeCallsTheRunOff(t *testing.T) {
	inEach(t, func(t *testing.T, k kind) {
		all := come(t, k, 2, time.Minute)
		for n, err := range together(all, func(p *Place, n int) error { return p.Greet(within(t), hello(n, 2)) }) {
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
		part(t, all)
	})
}

func TestAShardThatDiesInMidRunIsNotWaitedFor(t *testing.T) {
	inEach(t, func(t *testing.T, k kind) {
		all := come(t, k, 3, time.Minute)
		begin(t, all)
		_ = die(all[1])
		for n, err := range together([]*Place{all[0], all[2]}, func(p *Place, _ int) error {
			gone, err := p.Reach(within(t), Ended)
			if len(gone) != 1 || gone[0] != 1 {
				t.Errorf("gone %v, want shard 1", gone)
			}
			return err
		}) {
			if err != nil {
				t.Errorf("%d: %v", n, err)
			}
		}
		part(t, []*Place{all[0], all[2]})
	})
}

func TestTheFirstShardThatDiesInMidRunIsNotWaitedFor(t *testing.T) {
	inEach(t, func(t *testing.T, k kind) {
		all := come(t, k, 3, time.Minute)
		begin(t, all)
		_ = die(all[0])
		for n, err := range together(all[1:], func(p *Place, _ int) error {
			gone, err := p.Reach(within(t), Ended)
			if len(gone) == 0 || gone[0] != 0 {
				t.Errorf("gone %v, want shard 0 among them", gone)
			}
			return err
		}) {
			if err != nil {
				t.Errorf("%d: %v", n+1, err)
			}
		}
		part(t, all[1:])
	})
}

func TestAShardRunsOnce(t *testing.T) {
	dir := t.TempDir()
	o := Options{Run: "r1", Shard: 0, Shards: 2, Patience: time.Minute}
	p, err := InDir(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := InDir(dir, o); err == nil || !strings.Contains(err.Error(), "shard 0 of the run r1 is running already") {
		t.Errorf("beside it: %v", err)
	}
	_ = die(p)
	if _, err := InDir(dir, o); err == nil || !strings.Contains(err.Error(), "was there before") || !strings.Contains(err.Error(), filepath.Join(dir, "r1")) {
		t.Errorf("after it: %v", err)
	}
	o.Run = "r2"
	other, err := InDir(dir, o)
	if err != nil {
		t.Fatalf("another run in the same folder: %v", err)
	}
	_ = other.Close()
}
