package meeting

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What breaks on the way is taken up again: the run does not notice.
func TestABrokenConnectionIsTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		k := kind{come: func(o Options) (*Place, error) { return AtAddress(t.Context(), p.network("k"), o) }}
		all := come(t, k, 3, time.Minute)
		begin(t, all)
		p.cut()
		all[1].Abort("too many errors") // said while nobody hears it
		for _, at := range []Point{Ended, Drained} {
			for n, err := range together(all, func(p *Place, _ int) error {
				gone, err := p.Reach(within(t), at)
				if len(gone) > 0 {
					t.Errorf("%s: %v are gone", at, gone)
				}
				return err
			}) {
				if err != nil {
					t.Errorf("shard %d: %v", n, err)
				}
			}
			p.cut()
		}
		if reason, aborted := all[2].Aborted(); !aborted || reason != "too many errors" {
			t.Errorf("what was said in between: %v %q", aborted, reason)
		}
		part(t, all)
	})
}

// Who may not come is told why, and does not call off the run of the others.
func TestWhoDoesNotBelongToARunIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(o *Options, n *Network)
		want   string
	}{
		"another key":    {func(_ *Options, n *Network) { n.Key = "other" }, "the key differs: give all shards one PERFCTL_BARRIER_KEY"},
		"another run":    {func(o *Options, _ *Network) { o.Run = "r2" }, "at tcp://load0:7000 the run r1 meets, and not r2"},
		"other shards":   {func(o *Options, _ *Network) { o.Shards = 5 }, "the number of shards is 2 and 5"},
		"the same shard": {func(*Options, *Network) {}, "shard 1 of the run r1 is running already"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes()
				k := kind{come: func(o Options) (*Place, error) { return AtAddress(t.Context(), p.network("k"), o) }}
				all := come(t, k, 2, time.Minute)
				begin(t, all)
				o, n := Options{Run: "r1", Shard: 1, Shards: 2, Patience: time.Minute}, p.network("k")
				c.change(&o, &n)
				stray, err := AtAddress(t.Context(), n, o)
				if err != nil {
					t.Fatal(err)
				}
				if err := stray.Greet(within(t), hello(1, 2)); !IsOff(err) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				stray.CallOff("I may not")
				_ = stray.Close()
				for n, err := range together(all, func(p *Place, _ int) error {
					gone, err := p.Reach(within(t), Ended)
					if len(gone) > 0 {
						t.Errorf("%v are gone", gone)
					}
					return err
				}) {
					if err != nil || all[n].isOff() != nil {
						t.Errorf("shard %d: %v, %v", n, err, all[n].isOff())
					}
				}
				part(t, all)
			})
		})
	}
}

// A shard that was taken for gone and comes again is not let in: the others went on.
func TestAShardThatWasAwayForTooLongIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		k := kind{come: func(o Options) (*Place, error) { return AtAddress(t.Context(), p.network("k"), o) }}
		all := come(t, k, 2, time.Minute)
		begin(t, all)
		_ = die(all[1])
		time.Sleep(away + time.Second)
		if why := all[0].board.(*hub).seatOf(&join{"r1", 1, 2, all[1].board.(*guest).process}, nil); !strings.Contains(why, "was away for more than 3s") {
			t.Errorf("the same process: %q", why)
		}
		if why := all[0].board.(*hub).seatOf(&join{"r1", 1, 2, "other"}, nil); !strings.Contains(why, "was there before") {
			t.Errorf("another one: %q", why)
		}
		part(t, all[:1])
	})
}

// Clocks that are apart are seen before the start.
func TestClocksThatAreApartCallTheRunOff(t *testing.T) {
	for _, c := range []struct {
		before, after time.Duration
		says, apart   string
	}{
		{-10 * time.Millisecond, 10 * time.Millisecond, "", ""},
		{20 * time.Millisecond, 30 * time.Millisecond, "the clock of shard 3 is 20ms to 30ms ahead of shard 0's", ""},
		{5 * time.Second, 5*time.Second + time.Millisecond, "", "5s to 5.001s ahead of shard 0's, and they would not start together: set the clocks by NTP"},
		{-6 * time.Second, -5 * time.Second, "", "5s to 6s behind shard 0's, and they would not"},
	} {
		said := ""
		g := &guest{o: Options{Shard: 3}, n: Network{Say: func(s string) { said = s }}}
		theirs := time.Now()
		g.compareClocks(theirs, theirs.Add(c.before), theirs.Add(c.after))
		if said != c.says || !strings.Contains(g.trouble(), c.apart) || c.apart == "" && g.trouble() != "" {
			t.Errorf("%v to %v: %q, %q", c.before, c.after, said, g.trouble())
		}
	}
}

// Over a real connection, among strangers who say nothing or something else.
func TestShardsMeetOverTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	n := Network{Address: address, Dial: (&net.Dialer{}).DialContext, Listen: (&net.ListenConfig{}).Listen}
	k := kind{come: func(o Options) (*Place, error) { return AtAddress(t.Context(), n, o) }}
	all := come(t, k, 3, time.Minute)
	for _, text := range []string{"", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", strings.Repeat("x", 1000)} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(text))
		_ = c.Close()
	}
	begin(t, all)
	for n, err := range together(all, func(p *Place, _ int) error { _, err := p.Reach(within(t), Left); return err }) {
		if err != nil {
			t.Errorf("shard %d: %v", n, err)
		}
	}
	part(t, all)
	if _, err := AtAddress(t.Context(), Network{Address: "192.0.2.1:1", Listen: n.Listen}, Options{Shards: 2}); err == nil || !strings.Contains(err.Error(), "shard 0 cannot wait there") {
		t.Errorf("an address of another machine: %v", err)
	}
}
