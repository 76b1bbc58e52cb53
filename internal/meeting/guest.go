package meeting

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// mostApart is how far the clocks of two shards may be apart: they start by them.
const mostApart = time.Second

// guest is the board as a shard sees it that is not the first.
type guest struct {
	n       Network
	o       Options
	address string
	process string
	end     context.CancelFunc
	beside  sync.WaitGroup

	mu    sync.Mutex
	words map[string][]byte
	lost  map[int]bool
	// own are the words that this shard said, to be said again after a broken connection.
	own []message
	c   *channel // nil while there is no connection
	// writing is held by who writes to c.
	writing sync.Mutex
	// met says that the place was reached once, since since when it is not.
	met   bool
	since time.Time
	// closed says that the place is closed, refused why this shard may not come, unmet
	// why the place was not reached the last time.
	closed  bool
	refused error
	unmet   error
	apart   string
}

// retryEvery is the pause between two tries to reach the place.
const retryEvery = 200 * time.Millisecond

// stay goes to the place, and again where the connection breaks.
func (g *guest) stay(ctx context.Context) {
	for ctx.Err() == nil {
		err := g.visit(ctx)
		g.mu.Lock()
		if g.c != nil {
			g.c, g.since = nil, time.Now()
		}
		g.unmet = err
		over := g.closed || g.refused != nil
		g.mu.Unlock()
		if over {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
}

// visit is one connection from its begin to its end.
func (g *guest) visit(ctx context.Context) error {
	dialling, cancel := context.WithTimeout(ctx, joining)
	conn, err := g.n.Dial(dialling, "tcp", g.n.Address)
	cancel()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // it ended
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	c, err := openChannel(conn, g.n.Key, true, time.Now().Add(joining))
	if err != nil {
		return err
	}
	switch _, err := c.receive(joining); {
	case errors.Is(err, errKey):
		return g.refuse(err.Error())
	case err != nil:
		return err
	}
	before := time.Now()
	if err := c.send(&message{Join: &join{g.o.Run, g.o.Shard, g.o.Shards, g.process}}, joining); err != nil {
		return err
	}
	m, err := c.receive(joining)
	switch {
	case err != nil:
		return err
	case m.Refused != "":
		return g.refuse(m.Refused)
	}
	c.most = mostMessage
	g.compareClocks(m.Joined, before, time.Now())
	if err := g.begin(c); err != nil {
		return err
	}
	beating, end := context.WithCancel(ctx)
	defer end()
	g.beside.Go(func() { g.beat(beating, c) })
	return g.hear(c)
}

// refuse notes that this shard may not come.
func (g *guest) refuse(why string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = off("%s", why)
	return g.refused
}

// compareClocks bounds by how much this shard's clock is ahead of the place's, which was
// read between two readings of it.
func (g *guest) compareClocks(theirs, before, after time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.met {
		return
	}
	g.met, g.since = true, time.Now()
	least, most := before.Sub(theirs).Round(time.Millisecond), after.Sub(theirs).Round(time.Millisecond)
	var said string
	switch {
	case least > 0:
		said = fmt.Sprintf("the clock of shard %d is %v to %v ahead of shard 0's", g.o.Shard, least, most)
	case most < 0:
		said = fmt.Sprintf("the clock of shard %d is %v to %v behind shard 0's", g.o.Shard, -most, -least)
	default:
		return
	}
	if least > mostApart || most < -mostApart {
		g.apart = said + ", and they would not start together: set the clocks by NTP"
		return
	}
	if g.n.Say != nil {
		g.n.Say(said)
	}
}

// begin says everything that was said before, and is connected from then on.
func (g *guest) begin(c *channel) error {
	g.writing.Lock()
	defer g.writing.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.own {
		if err := c.send(&g.own[i], silence); err != nil {
			return err
		}
	}
	g.c = c
	return nil
}

// beat says that this shard lives.
func (g *guest) beat(ctx context.Context, c *channel) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			g.write(c, &message{})
		}
	}
}

func (g *guest) write(c *channel, m *message) {
	g.writing.Lock()
	defer g.writing.Unlock()
	if err := c.send(m, silence); err != nil {
		_ = c.conn.Close() // another one is opened, and it is said there
	}
}

// hear takes what is said at the place.
func (g *guest) hear(c *channel) error {
	for {
		m, err := c.receive(silence)
		if err != nil {
			return err
		}
		g.mu.Lock()
		switch {
		case m.Word != "":
			g.words[m.Word] = m.Text
		case m.Gone > 0:
			g.lost[m.Gone-1] = true
		case m.Bye:
			g.closed = true
		}
		g.mu.Unlock()
		if m.Bye {
			return nil
		}
	}
}

func (g *guest) say(word string, text []byte) error { return g.put(message{Word: word, Text: text}) }
func (g *guest) sayFirst(word string, text []byte) error {
	return g.put(message{Word: word, Text: text, First: true})
}

func (g *guest) put(m message) error {
	g.mu.Lock()
	g.own = append(g.own, m)
	if _, said := g.words[m.Word]; !said {
		g.words[m.Word] = m.Text // the place may have heard another first
	}
	c := g.c
	g.mu.Unlock()
	if c != nil {
		g.write(c, &m)
	}
	return nil
}

func (g *guest) read(word string) ([]byte, bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refused != nil {
		return nil, false, g.refused
	}
	text, there := g.words[word]
	return text, there, nil
}

// gone says that a shard lives no more. With the place, which is in the process of shard 0,
// all others are out of reach.
func (g *guest) gone(shard int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lost[shard] || g.closed || g.met && g.c == nil && time.Since(g.since) > away
}

func (g *guest) trouble() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.apart
}

func (g *guest) where() (place, next string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next = "start all shards with one --run-id, one --barrier and one PERFCTL_BARRIER_KEY, and let them reach it"
	if !g.met && g.unmet != nil {
		next = g.unmet.Error() + "; " + next
	}
	return g.address, next
}

// leave says goodbye.
func (g *guest) leave(bool) error {
	g.mu.Lock()
	c := g.c
	g.mu.Unlock()
	if c != nil {
		g.write(c, &message{Bye: true})
	}
	g.end()
	g.beside.Wait()
	return nil
}
