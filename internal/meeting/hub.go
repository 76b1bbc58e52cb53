package meeting

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// beatEvery is how often the ends of a connection say that they live, silence after
	// what time one that says nothing is taken for broken.
	beatEvery = time.Second
	silence   = 10 * time.Second
	// away is how long a shard whose connection broke may take to come again.
	away = 3 * time.Second
	// joining is how long one may take to say who it is, farewell how long the place
	// stays for those who have not heard all.
	joining  = 5 * time.Second
	farewell = 5 * time.Second
	// strangers bounds the connections of those who have not said who they are.
	strangers = 64
)

// hub is the board of shards that reach each other over a network: it is in the process
// of shard 0, and the others are its guests.
type hub struct {
	o        Options
	address  string
	key      string
	listener net.Listener

	mu   sync.Mutex
	cond *sync.Cond
	// words are what was said; news is all of it in its order, with who is gone.
	words map[string][]byte
	news  []message
	// seats are the shards that came.
	seats   map[int]*seat
	closing bool
	unknown int
	serving sync.WaitGroup
}

// newHub opens the meeting place at an address of this machine.
func newHub(listener net.Listener, address, key string, o Options) *hub {
	h := &hub{o: o, address: address, key: key, listener: listener, words: map[string][]byte{}, seats: map[int]*seat{}}
	h.cond = sync.NewCond(&h.mu)
	h.serving.Go(h.accept)
	return h
}

func (h *hub) accept() {
	for {
		conn, err := h.listener.Accept()
		if err != nil {
			return // closed
		}
		h.mu.Lock()
		full := h.unknown >= strangers
		if !full {
			h.unknown++
		}
		h.mu.Unlock()
		if full {
			_ = conn.Close() // it may come again
			continue
		}
		h.serving.Go(func() { h.serve(conn) })
	}
}

// serve listens to one guest and tells it what is said, until it is away.
func (h *hub) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }() // it ended
	c, j, err := h.meet(conn)
	h.mu.Lock()
	h.unknown--
	h.mu.Unlock()
	if c == nil {
		return // a stranger, or one that was told why
	}
	if err != nil {
		h.leaves(j.Shard, conn, false)
		return
	}
	var telling sync.WaitGroup
	telling.Go(func() { h.tell(c, conn, j.Shard) })
	bye := h.listen(c, j.Shard)
	_ = conn.Close() // ends the telling, too
	h.leaves(j.Shard, conn, bye)
	telling.Wait()
}

// meet has somebody say who comes; the channel is nil where nobody does that may.
func (h *hub) meet(conn net.Conn) (*channel, *join, error) {
	c, err := openChannel(conn, h.key, false, time.Now().Add(joining))
	if err != nil {
		return nil, nil, err
	}
	if err := c.send(&message{}, joining); err != nil { // by which one who has another key sees it
		return nil, nil, err
	}
	m, err := c.receive(joining)
	if err != nil || m.Join == nil {
		return nil, nil, errors.Join(err, errors.New("who comes did not say so"))
	}
	if why := h.seatOf(m.Join, conn); why != "" {
		_ = c.send(&message{Refused: why}, joining) // it is told or it is not
		return nil, nil, errors.New(why)
	}
	c.most = mostMessage
	return c, m.Join, c.send(&message{Joined: time.Now()}, joining)
}

// listen takes what a guest says until it leaves, which bye says, or its connection
// breaks.
func (h *hub) listen(c *channel, shard int) (bye bool) {
	for {
		m, err := c.receive(silence)
		switch {
		case err != nil:
			return false
		case m.Bye:
			return true
		case m.Word != "" && (m.First || strings.HasSuffix(m.Word, "."+fmt.Sprint(shard))):
			h.put(m)
		}
	}
}

// tell tells a guest all that was said, and that is said from now on.
func (h *hub) tell(c *channel, conn net.Conn, shard int) {
	told, last := 0, time.Now()
	beat := time.AfterFunc(beatEvery, h.cond.Broadcast)
	defer beat.Stop()
	for {
		h.mu.Lock()
		for told == len(h.news) && !h.closing && h.seats[shard].conn == conn && time.Since(last) < beatEvery {
			h.cond.Wait()
		}
		news, closing, mine := slices.Clone(h.news[told:]), h.closing, h.seats[shard].conn == conn
		h.mu.Unlock()
		if !mine {
			return
		}
		if len(news) == 0 && !closing {
			news = []message{{}}
		} else {
			told += len(news)
		}
		if closing {
			news = append(news, message{Bye: true})
		}
		for i := range news {
			if err := c.send(&news[i], silence); err != nil {
				_ = conn.Close() // as the broken connection that it is
				return
			}
		}
		if closing {
			return
		}
		last = time.Now()
		beat.Reset(beatEvery)
	}
}

// put takes a word. What was said stays as it is.
func (h *hub) put(m *message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, said := h.words[m.Word]; said {
		return
	}
	h.words[m.Word] = m.Text
	h.news = append(h.news, message{Word: m.Word, Text: m.Text})
	h.cond.Broadcast()
}

func (h *hub) say(word string, text []byte) error {
	h.put(&message{Word: word, Text: text})
	return nil
}

func (h *hub) sayFirst(word string, text []byte) error { return h.say(word, text) }

func (h *hub) read(word string) ([]byte, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text, there := h.words[word]
	return text, there, nil
}

func (h *hub) gone(shard int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seats[shard]
	return s != nil && s.gone
}

// trouble is none: who comes compares its clock.
func (h *hub) trouble() string { return "" }

func (h *hub) where() (place, next string) {
	return h.address, "start all shards with one --run-id, one --barrier and one PERFCTL_BARRIER_KEY, and let them reach it"
}

// leave tells the guests what they have not heard, and closes the place.
func (h *hub) leave(bool) error {
	h.mu.Lock()
	h.closing = true
	h.cond.Broadcast()
	for _, s := range h.seats {
		if s.timer != nil {
			s.timer.Stop()
		}
	}
	h.mu.Unlock()
	err := h.listener.Close()
	done := make(chan struct{})
	go func() {
		h.serving.Wait()
		close(done)
	}()
	late := time.NewTimer(farewell)
	defer late.Stop()
	select {
	case <-done:
		return err
	case <-late.C:
	}
	h.mu.Lock()
	for _, s := range h.seats {
		if s.conn != nil {
			_ = s.conn.Close() // it had its time
		}
	}
	h.mu.Unlock()
	<-done
	return err
}
