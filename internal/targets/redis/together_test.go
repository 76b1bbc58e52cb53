package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// got is what one caller got.
type got struct {
	value string
	err   error
}

// askTogether asks for every key before anything is sent, and then calls before.
func askTogether(t *testing.T, c *Client, keys []string, before func()) []got {
	t.Helper()
	out := make([]got, len(keys))
	var wg sync.WaitGroup
	g := c.Together(512)
	g.yield = func() {
		for i, key := range keys[1:] {
			p, cmd, first := g.join(t.Context(), key)
			if first {
				t.Errorf("key %d goes with another pipeline", i+1)
			}
			wg.Go(func() {
				<-p.done
				out[i+1].value, out[i+1].err = cmd.Result()
			})
		}
		before()
	}
	out[0].value, out[0].err = g.Get(t.Context(), keys[0])
	wg.Wait()
	return out
}

// openTogether opens a client of the real server behind a door, with ten keys of its own.
func openTogether(t *testing.T, timeout time.Duration) (*door, *Client, []string) {
	t.Helper()
	d, addr := newDoor(t)
	c, err := Open(t.Context(), addr, Options{Connections: 2, Timeout: timeout, Name: "perfctl-together"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	keys := make([]string, 10)
	for i := range keys {
		keys[i] = "perfctl:together:" + t.Name() + ":" + strconv.Itoa(i)
		if err := c.Set(t.Context(), keys[i], "value "+strconv.Itoa(i), time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return d, c, keys
}

// reads is how often the server has read from a connection.
func reads(t *testing.T, c *Client) int {
	t.Helper()
	text, err := c.UniversalClient.Info(t.Context(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(infoField(text, "total_reads_processed"))
	if err != nil {
		t.Skip("the server does not count its reads: ", err)
	}
	return n
}

func TestThoseWhoAskAtOnceAreSentByOneWriteAndHaveTheirOwnAnswers(t *testing.T) {
	_, c, keys := openTogether(t, time.Second)
	if err := c.Del(t.Context(), keys[3]).Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.Del(t.Context(), keys[7]).Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.LPush(t.Context(), keys[7], "a list").Err(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Del(context.Background(), keys[7]).Err() })
	var before int
	all := askTogether(t, c, keys, func() { before = reads(t, c) })
	if n := reads(t, c) - before; n > 2 { // the commands, and the second question
		t.Errorf("the server read %d times, want one write for all", n)
	}
	for i, a := range all {
		switch {
		case i == 3 && !errors.Is(a.err, driver.Nil):
			t.Errorf("key %d, which is not there: %q, %v", i, a.value, a.err)
		case i == 7 && work.KindOf(Classify(a.err)) != work.KindRejected:
			t.Errorf("key %d, which is a list: %q, %v", i, a.value, a.err)
		case i != 3 && i != 7 && (a.err != nil || a.value != "value "+strconv.Itoa(i)):
			t.Errorf("key %d: %q, %v", i, a.value, a.err)
		}
	}
}

func TestAConnectionThatBreaksFailsEachOfThemByItsKind(t *testing.T) {
	d, c, keys := openTogether(t, time.Second)
	for i, a := range askTogether(t, c, keys, d.shut) {
		if kind := work.KindOf(Classify(a.err)); kind != work.KindClosed && kind != work.KindRefused {
			t.Errorf("key %d: %v is of kind %s, want a lost connection", i, a.err, kind)
		}
	}
}

func TestAServerThatSaysNothingFailsEachOfThemByTimeout(t *testing.T) {
	d, c, keys := openTogether(t, 100*time.Millisecond)
	for i, a := range askTogether(t, c, keys, func() { d.mute.Store(true) }) {
		if kind := work.KindOf(Classify(a.err)); kind != work.KindTimeout {
			t.Errorf("key %d: %v is of kind %s, want a timeout", i, a.err, kind)
		}
	}
}

func TestLongAnswersAndFewGoOneByOne(t *testing.T) {
	_, c, keys := openTogether(t, time.Second)
	for bytes, most := range map[int]int{512: maxTogether, 16 << 10: 4, 40 << 10: 1, 1 << 20: 0} {
		if g := c.Together(bytes); g.most != most {
			t.Errorf("values of %d bytes: %d together, want %d", bytes, g.most, most)
		}
	}
	g := c.Together(1 << 20)
	g.yield = func() { t.Error("who goes alone waits for others") }
	if v, err := g.Get(t.Context(), keys[1]); err != nil || !strings.HasPrefix(v, "value 1") {
		t.Errorf("%q, %v", v, err)
	}
	var alone got
	g = c.Together(512)
	alone.value, alone.err = g.Get(t.Context(), keys[2])
	if alone.err != nil || alone.value != "value 2" || g.open != nil {
		t.Errorf("%+v, open %v", alone, g.open)
	}
}
